"""A fleet's figures: the same numbers, whether they were added up before or are added up now."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Membership, Team
from accounts.roles import Role
from domains.models import NO_PROVIDER, Domain, Status, StsMode
from reports import cause_parts, cause_queries, evidence, intake_queries, queries, reporter_queries
from reports.cause_key import CauseKey
from reports.fleet import Fleet
from reports.services.roll_up import roll_up
from reports.sum_models import NO_TEAM
from tests.factories import UserFactory
from tests.mailtls.samples import DETAIL, policy_entry
from tests.reports.arrivals import DAY, inventory, numbered, take_in

pytestmark = pytest.mark.django_db
UNTIL = DAY + timedelta(days=3)


def _domain_counts(scope, since, until):
    asked = (
        cause_queries.causes,
        cause_queries.causes_by_operator,
        cause_queries.causes_by_receiving_mx,
    )
    return [
        cause_queries.domain_counts(scope, ask(scope, since, until).shown, since, until)
        for ask in asked
    ]


QUESTIONS = (
    queries.daily_figures,
    queries.totals,
    queries.per_domain_sums,
    queries.failing_domains,
    queries.failures_by_provider,
    queries.per_domain_totals,
    queries.domains_told_of,
    reporter_queries.days_by_reporter,
    reporter_queries.failures_by_reporter,
    queries.per_domain_daily,
    queries.reporters_per_domain,
    cause_queries.causes,
    cause_queries.causes_by_operator,
    cause_queries.causes_by_receiving_mx,
    _domain_counts,
    reporter_queries.by_reporter,
    reporter_queries.sums_by_reporter,
    reporter_queries.by_policy_type,
)


@pytest.fixture
def teams() -> list[Team]:
    """Two teams with two domains each, one domain of nobody and a paused one, all reported on."""
    found = Team.objects.bulk_create([Team(name="A"), Team(name="B")])
    owners = [found[0], found[0], found[1], found[1], None]
    names = [f"d{n}.example" for n in range(6)]
    for domain, team in zip(inventory(*names), [*owners, found[0]], strict=True):
        n = names.index(domain.name)
        Domain.objects.filter(pk=domain.pk).update(
            team=team,
            is_active=n != 5,
            mta_sts=(Status.VALID, Status.VALID, Status.INVALID)[n % 3],
            sts_mode=(StsMode.TESTING, StsMode.ENFORCE)[n % 2],
            mx=Status.NULL_MX if n == 4 else Status.VALID,
            mx_provider=("", "Microsoft 365")[n // 2 % 2],
        )
    documents = []
    for n in range(40):
        day = DAY + timedelta(days=n % 5)
        entry = policy_entry(
            ("sts", "no-policy-found")[n % 2],
            domain=names[n % 6],
            good=n,
            bad=n % 3,
            details=[DETAIL] if n % 3 else [],
        )
        span = {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"}
        reporter = ("Google Inc.", "Other", "Third")[n % 7 % 3]
        documents.append(numbered(n, organization_name=reporter, policies=[entry], date_range=span))
    take_in(*documents)
    return found


@pytest.fixture
def member(teams):
    user = UserFactory()
    Membership.objects.create(user=user, team=teams[0], role=Role.VIEWER)
    return user


def answers(scope, since=DAY, until=UNTIL) -> list[object]:
    """Ask everything; of the days asked of, one lies after the span."""
    found = [question(scope, since, until) for question in QUESTIONS]
    found += [queries.last_report_days(scope), reporter_queries.last_heard_of(scope)]
    found.append(intake_queries.data_freshness(scope).newest_day)
    for place in (
        {},
        {"operator": ""},
        {"operator": "recipient.example"},
        {"receiving_mx": ""},
        {"receiving_mx": "mx1.recipient.example"},
    ):
        cause = CauseKey(result_type="certificate-expired", **place)
        days = cause_queries.failed_by_day(scope, cause, since, until)
        found += [days, evidence.newest_details(scope, cause, days)]
        found.append(cause_parts.parts_by_domain(scope, cause, since, until))
        found.append(cause_parts.parts_by_domain(scope, cause, since, until, 1))
        told = cause_parts.told_of(scope, cause, since, until)
        found.append(cause_parts.parts_by_reporter(told))
        found.append(cause_parts.parts_by_operator(told, scope, cause, since, until))
        found.append(cause_parts.parts_by_host(scope, cause, since, until))
        found.append(cause_parts.parts_by_host(scope, cause, since, until, 1))
    return found


@pytest.mark.thorough
def test_sums_say_what_the_domains_say(teams, member):
    for person in (UserFactory(is_superuser=True), member, UserFactory()):
        for team in (None, teams[0].pk, teams[1].pk, NO_TEAM):
            fleet = Fleet(person, team)

            assert fleet.is_added_up
            assert answers(fleet) == answers(fleet.domains)
    assert queries.totals(Fleet(member), DAY, UNTIL).sessions > 0


@pytest.mark.thorough
@pytest.mark.parametrize(
    "narrowed",
    [
        {"mode": StsMode.TESTING},
        {"mode": StsMode.ENFORCE},
        {"mode": StsMode.NONE},
        {"provider": "Microsoft 365"},
        {"provider": NO_PROVIDER},
        {"provider": "Google Workspace"},
    ],
)
def test_sums_of_modes_and_providers_say_what_the_domains_say(teams, member, narrowed):
    fleet = Fleet(UserFactory(is_superuser=True), **narrowed)

    assert fleet.is_added_up
    assert not fleet.is_whole
    assert answers(fleet) == answers(fleet.domains)
    for part in (Fleet(member, **narrowed), Fleet(fleet.person, teams[0].pk, **narrowed)):
        assert not part.is_added_up
        assert answers(part) == answers(part.domains)


def test_a_mode_at_a_provider_is_added_up_by_domain(teams):
    fleet = Fleet(UserFactory(is_superuser=True), mode=StsMode.TESTING, provider=NO_PROVIDER)

    found = queries.totals(fleet, DAY, UNTIL)

    assert not fleet.is_added_up
    assert [one.name for one in fleet.domains] == ["d0.example"]
    assert found.domains == 1
    assert answers(fleet) == answers(fleet.domains)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({"team": None}, ["all", "sts", "provider"]),
        ({"sts_mode": StsMode.NONE}, ["team", "all", "provider"]),
        ({"mx": Status.NULL_MX}, ["team", "all", "provider"]),
        ({"mx_provider": "Proton"}, ["team", "all", "sts"]),
        ({"is_active": False}, []),
    ],
)
def test_only_sums_that_a_change_is_about_wait_for_the_roll_up(teams, change, held):
    boss = UserFactory(is_superuser=True)
    Domain.objects.filter(name="d0.example").update(**change)

    def fleets() -> list[Fleet]:
        return [
            Fleet(boss, teams[0].pk),
            Fleet(boss),
            Fleet(boss, mode=StsMode.TESTING),
            Fleet(boss, provider=NO_PROVIDER),
        ]

    assert [fleet.kind for fleet in fleets() if fleet.is_added_up] == held
    found = [answers(fleet) for fleet in fleets()]
    assert found == [answers(fleet.domains) for fleet in fleets()]
    roll_up()
    assert all(fleet.is_added_up for fleet in fleets())
    assert [answers(fleet) for fleet in fleets()] == found


def test_figures_hold_in_the_minute_after_domains_moved(teams, member):
    before = queries.totals(Fleet(member), DAY, UNTIL)
    Domain.objects.filter(name="d0.example").update(team=teams[1])
    Domain.objects.filter(name="d2.example").update(team=teams[0])
    Domain.objects.filter(name="d1.example").delete()
    moved = Fleet(member)

    found = answers(moved)

    assert not moved.is_added_up
    assert found == answers(moved.domains)
    assert queries.totals(moved, DAY, UNTIL) != before
    roll_up()
    assert Fleet(member).is_added_up
    assert answers(Fleet(member)) == found


def test_what_was_told_of_before_and_after_the_span_was_not_told_of_in_it(teams):
    boss = Fleet(UserFactory(is_superuser=True))
    far = DAY + timedelta(days=30)
    span = {"start-datetime": f"{far}T00:00:00Z", "end-datetime": f"{far}T23:59:59Z"}
    take_in(numbered(99, policies=[policy_entry(domain="d0.example")], date_range=span))

    between = queries.totals(boss, far - timedelta(days=9), far - timedelta(days=1))
    whole = queries.totals(boss, DAY, far)

    assert (between.domains, between.reporters, between.sessions) == (0, 0, 0)
    assert whole == queries.totals(boss.domains, DAY, far)


@pytest.mark.thorough
def test_long_spans_of_rare_failures_say_what_the_domains_say(teams, member):
    documents = []
    for n in range(30):
        day = DAY + timedelta(days=n * n % 191)
        entry = policy_entry(domain=f"d{n % 4}.example", good=n, bad=1 + n, details=[DETAIL])
        span = {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"}
        reporter = ("Google Inc.", "Other", "Rare")[n % 5 % 3]
        documents.append(
            numbered(100 + n, organization_name=reporter, policies=[entry], date_range=span)
        )
    take_in(*documents)

    for person in (UserFactory(is_superuser=True), member):
        for since, days in ((0, 190), (3, 200), (7, 100), (60, 64), (100, 30)):
            first = DAY + timedelta(days=since)
            fleet, last = Fleet(person), first + timedelta(days=days)

            assert fleet.is_added_up
            assert answers(fleet, first, last) == answers(fleet.domains, first, last)
