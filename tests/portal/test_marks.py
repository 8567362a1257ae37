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
    return make_change(domain, kind, before, after, seen_at=at, confirmed_at=at)


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


def test_a_host_of_many_domains_is_renewed_once_on_the_day_it_was_first_seen():
    domains = [make_domain(f"d{n}.example") for n in range(5)]
    for domain in domains:
        renewal = renew(domain, 4)
        if domain != domains[2]:  # the others were checked the day after
            renewal.seen_at = renewal.confirmed_at = ago(3)
            renewal.save()
    renew(domains[0], 2, host="mx.own.test")
    renew(domains[1], 1, kind="sts-certificate", host="mta-sts.d1.example")

    assert words_of_fleet() == [
        (ago(1).date(), f"Certificate of mta-sts.d1.example renewed: {until(1)}"),
        (ago(4).date(), f"Certificate of mx1.hoster.test renewed: {until(4)} (5 domains)"),
        (ago(2).date(), f"d0.example: Certificate of mx.own.test renewed: {until(2)}"),
    ]


def test_many_renewals_leave_room_for_what_is_no_everyday_business(monkeypatch):
    monkeypatch.setattr("tlsrpt_portal.pages.marks.MOST", 4)
    monkeypatch.setattr("tlsrpt_portal.pages.marks.MOST_CERTIFICATES", 3)
    domains = [make_domain(f"d{n}.example") for n in range(4)]
    change(domains[0], 9)
    for domain in domains:
        renew(domain, 2, kind="sts-certificate", host=f"mta-sts.{domain}")
        renew(domain, 5)
    renew(domains[3], 20, host="mx.late.test", days_left=-3)

    assert [words.partition(" renewed")[0] for _, words in words_of_fleet()] == [
        "d0.example: MX set changed",
        "d3.example: Certificate of mx.late.test",
        "Certificate of mx1.hoster.test",
    ]


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
