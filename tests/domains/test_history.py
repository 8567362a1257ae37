from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from domains.history import counts_by_day, counts_by_team, states_on
from domains.models import Domain, StateSpan
from domains.services.state_spans import CoverageState, keep_state
from tests.factories import TeamFactory, make_domain

pytestmark = pytest.mark.django_db


def days_ago(days):
    return timezone.now().date() - timedelta(days=days)


def noon(days):
    return datetime.combine(days_ago(days), datetime.min.time(), UTC) + timedelta(hours=12)


def make_old(name, *, team=None, days=100):
    """Make a domain that no check has seen."""
    domain = make_domain(name, team, checked=False)
    Domain.objects.filter(pk=domain.pk).update(created_at=noon(days))
    return domain


def keep(domain, days, tlsrpt="valid", sts="missing", dane="missing"):
    keep_state(domain, CoverageState(tlsrpt, sts, dane), days_ago(days))


def sts_on(days):
    return [state.sts for state in states_on(Domain.objects.all(), days_ago(days))]


def spans_of(domain):
    rows = StateSpan.objects.filter(domain=domain).order_by("first_day")
    return [(row.first_day, row.last_day, row.sts) for row in rows]


def test_each_day_has_the_state_of_its_end():
    domain = make_old("a.example")
    keep(domain, 60)
    keep(domain, 30, sts="testing")
    keep(domain, 10, sts="enforce")

    assert [sts_on(days) for days in (0, 10, 11, 30, 31, 60)] == [
        ["enforce"],
        ["enforce"],
        ["testing"],
        ["testing"],
        ["missing"],
        ["missing"],
    ]


def test_days_before_the_first_check_are_unknown():
    keep(make_old("a.example"), 60)

    assert sts_on(61) == ["unknown"]
    assert sts_on(100) == ["unknown"]
    assert sts_on(101) == []


def test_checks_that_see_the_same_make_one_span():
    domain = make_old("a.example")
    for days in (9, 8, 7):
        keep(domain, days)

    assert spans_of(domain) == [(days_ago(9), None, "missing")]


def test_of_one_day_only_its_end_counts():
    domain = make_old("a.example")
    keep(domain, 9)
    keep(domain, 5, sts="testing")
    keep(domain, 5, sts="enforce")

    assert spans_of(domain) == [
        (days_ago(9), days_ago(6), "missing"),
        (days_ago(5), None, "enforce"),
    ]


def test_a_change_taken_back_within_the_day_leaves_no_trace():
    domain = make_old("a.example")
    keep(domain, 9, sts="enforce")
    keep(domain, 5, sts="invalid")
    keep(domain, 5, sts="enforce")

    assert spans_of(domain) == [(days_ago(9), None, "enforce")]


def test_counts_by_day_agree_with_the_states_of_each_day():
    first, second, _ = (make_old(f"{name}.example", days=40) for name in "abc")
    make_old("later.example", days=6)
    keep(first, 40, sts="testing")
    keep(first, 12, sts="enforce")
    keep(second, 20, tlsrpt="invalid")
    keep(second, 7, tlsrpt="missing")
    keep(second, 6)

    counts = counts_by_day(Domain.objects.all(), days_ago(45), days_ago(0))

    assert len(counts) == 46
    for one in counts:
        states = states_on(Domain.objects.all(), one.day)
        assert one.total == len(states)
        for aspect in ("tlsrpt", "sts", "dane"):
            held = [getattr(state, aspect) for state in states]
            assert getattr(one, aspect) == {value: held.count(value) for value in set(held)}


def test_counts_by_team_are_of_the_teams_of_today():
    team = TeamFactory()
    for name, mine in (("a", team), ("b", team), ("c", None)):
        keep(make_old(f"{name}.example", team=mine), 30, sts="enforce")
    make_old("new.example", team=team, days=2)

    counts = dict(counts_by_team(Domain.objects.all(), days_ago(10)))

    assert {pk: one.sts for pk, one in counts.items()} == {
        team.pk: {"enforce": 2},
        None: {"enforce": 1},
    }


def test_other_domains_do_not_count():
    keep(make_old("mine.example"), 30)
    keep(make_old("other.example"), 30)

    [one] = counts_by_day(Domain.objects.filter(name="mine.example"), days_ago(1), days_ago(1))

    assert one.total == one.tlsrpt["valid"] == 1
