from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from domains.history import counts_by_day, states_on
from domains.models import Domain, RecordKind, RecordVersion
from tests.factories import make_change, make_domain

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now().date() - timedelta(days=days)


def noon(days):
    return datetime.combine(days_ago(days), datetime.min.time(), UTC) + timedelta(hours=12)


def change(domain, days, kind, before, after):
    make_change(domain, kind, before, after, seen_at=noon(days), confirmed_at=noon(days))


def make_old(name, **states):
    domain = make_domain(name, **states)
    Domain.objects.filter(pk=domain.pk).update(created_at=noon(100))
    return domain


def sts_on(days):
    return [state.sts for state in states_on(Domain.objects.all(), days_ago(days))]


def test_changes_are_undone_up_to_the_end_of_the_day():
    domain = make_old("a.example", sts_mode="enforce")
    change(domain, 30, "sts-status", "missing", "valid")
    change(domain, 10, "sts-mode", "testing", "enforce")

    assert sts_on(0) == ["enforce"]
    assert sts_on(10) == ["enforce"]
    assert sts_on(11) == ["testing"]
    assert sts_on(30) == ["testing"]
    assert sts_on(31) == ["missing"]


def test_a_change_that_no_second_check_has_seen_does_not_count():
    domain = make_old("a.example", tlsrpt="valid")
    make_change(domain, "tlsrpt-status", "missing", "valid", seen_at=noon(5))

    [state] = states_on(Domain.objects.all(), days_ago(9))

    assert state.tlsrpt == "valid"


def test_the_mode_of_a_policy_that_is_gone_is_read_from_its_text():
    domain = make_old("a.example", mta_sts="missing")
    RecordVersion.objects.create(
        domain=domain,
        kind=RecordKind.POLICY,
        content="version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 86400",
        first_seen_at=noon(60),
    )
    change(domain, 7, "sts-status", "valid", "missing")

    assert sts_on(7) == ["missing"]
    assert sts_on(8) == ["enforce"]


def test_a_domain_counts_from_the_day_it_was_added():
    make_old("old.example")
    make_domain("new.example")

    counts = counts_by_day(Domain.objects.all(), days_ago(2), days_ago(0))

    assert [one.total for one in counts] == [1, 1, 2]
    assert [one.sts["enforce"] for one in counts] == [1, 1, 2]


def test_a_day_before_all_knowledge_has_no_domains():
    make_old("a.example")

    assert states_on(Domain.objects.all(), days_ago(101)) == []
