"""Our own changes stand on the time axis, and on the domain's timeline."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from domains.models import Domain, HostedPolicy
from mailtls.changes import Kind
from tests.factories import make_change, make_domain, make_member
from tlsrpt_portal.pages.marks import CHANGE_TITLES, fleet_marks, marks_of
from webui.wording import day

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


def renew(domain, days, kind="mx-certificate", host="mx1.hoster.test", days_left=30):
    at = ago(days)
    before, after = (
        f"{host}, valid until {(at + timedelta(days=left)).date()}" for left in (days_left, 90)
    )
    return make_change(
        domain,
        kind,
        before,
        after,
        aspect="sts_cert" if kind.startswith("sts") else "mx_cert",
        severity="info" if days_left >= 0 else "warning",
        seen_at=at,
        confirmed_at=at,
    )


def until(days, days_left=30):
    ends = (day(ago(days - left).date()) for left in (days_left, 90))
    return f"valid until {' → '.join(ends)}"


def words_of_fleet():
    marks = fleet_marks(Domain.objects.all(), ago(30).date(), timezone.now().date())
    return [(mark.day, mark.words) for mark in marks]


def test_a_renewed_certificate_is_named_with_its_host_and_both_ends():
    domain = make_domain("mine.example")

    marks = marks_of([renew(domain, 3)], [], ago(30).date(), timezone.now().date())

    words = f"Certificate of mx1.hoster.test renewed: {until(3)}"
    assert [(mark.day, mark.words) for mark in marks] == [(ago(3).date(), words)]


def test_what_ended_refusals_at_a_host_is_marked_once_on_the_day_it_was_first_seen():
    domains = [make_domain(f"d{n}.example") for n in range(5)]
    for domain in domains:
        renewal = renew(domain, 4, days_left=-1)
        if domain != domains[2]:  # the others were checked the day after
            renewal.seen_at = renewal.confirmed_at = ago(3)
            renewal.save()
    renew(domains[0], 2, host="mx.own.test", days_left=-1)
    renew(domains[1], 1, kind="sts-certificate", host="mta-sts.d1.example", days_left=-1)

    assert words_of_fleet() == [
        (ago(4).date(), f"Certificate of mx1.hoster.test renewed: {until(4, -1)} (5 domains)"),
        (ago(1).date(), f"Certificate of mta-sts.d1.example renewed: {until(1, -1)}"),
        (ago(2).date(), f"d0.example: Certificate of mx.own.test renewed: {until(2, -1)}"),
    ]


def test_what_was_renewed_in_time_is_no_mark_of_a_fleet():
    domain = make_domain("mine.example")
    renew(domain, 2)
    change(domain, 9)

    assert [words for _, words in words_of_fleet()] == ["mine.example: MX set changed"]


def test_a_renewed_certificate_stands_on_the_timeline(client):
    domain = make_domain("mine.example")
    renew(domain, 3)
    client.force_login(make_member(None, Role.VIEWER))

    page = client.get(domain.get_absolute_url())

    [moment] = page.context["timeline"]
    assert moment.title == f"Certificate of mx1.hoster.test renewed: {until(3)}"
    assert (moment.tone, moment.before, moment.after) == ("", "", "")


def test_every_kind_of_change_has_a_title():
    assert set(CHANGE_TITLES) == set(Kind)
