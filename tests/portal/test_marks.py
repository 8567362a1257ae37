"""Our own changes stand on the time axis, and on the domain's timeline."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from domains.models import Domain, HostedPolicy
from tests.factories import make_change, make_domain, make_member
from tlsrpt_portal.pages.marks import fleet_marks, marks_of

pytestmark = pytest.mark.django_db


def ago(days):
    return timezone.now() - timedelta(days=days)


def publish(domain, days, mode="testing"):
    return HostedPolicy.objects.create(
        domain=domain, mode=mode, max_age_s=86400, policy_id=f"id{days}", published_at=ago(days)
    )


def change(domain, days, kind="mx", confirmed=True):
    at = ago(days)
    return make_change(domain, kind, "a", "b", seen_at=at, confirmed_at=at if confirmed else None)


def test_changes_and_hosted_revisions_of_a_fleet_are_marked_by_name():
    mine, other = make_domain("mine.example"), make_domain("other.example")
    change(mine, 3)
    change(mine, 40)
    change(mine, 2, kind="sts-mode", confirmed=False)
    publish(mine, 5)
    publish(other, 5)

    marks = fleet_marks(Domain.objects.filter(pk=mine.pk), ago(30).date(), timezone.now().date())

    assert [(mark.day, mark.words) for mark in marks] == [
        (ago(3).date(), "mine.example: MX set changed"),
        (ago(5).date(), "mine.example: Hosted policy published: testing, id id5"),
    ]


def test_marks_of_one_domain_are_those_in_the_span():
    domain = make_domain("mine.example")
    changes = [change(domain, 3), change(domain, 40)]
    published = [publish(domain, 5, "enforce"), publish(domain, 50)]

    marks = marks_of(changes, published, ago(30).date(), timezone.now().date())

    assert [mark.words for mark in marks] == [
        "MX set changed",
        "Hosted policy published: enforce, id id5",
    ]


def test_a_hosted_revision_stands_on_the_timeline(client):
    domain = make_domain("mine.example")
    publish(domain, 5)
    client.force_login(make_member(None, Role.VIEWER))

    page = client.get(domain.get_absolute_url())

    titles = [moment.title for moment in page.context["timeline"]]
    assert titles == ["Hosted policy published: testing, id id5"]
