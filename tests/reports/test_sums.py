"""What daily figures add up to: equal to them after whatever happened, in whatever order."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Team
from domains.models import Domain, Status, StsMode
from reports.models import (
    DailyFailures,
    DailySessions,
    DirtyDay,
    PolicyResult,
    ReceivingHost,
    Report,
)
from reports.services.apply_retention import apply_retention
from reports.services.attribute import attribute_new_domains
from reports.services.roll_up import mark_all_dirty, rebuild_sums, roll_up
from reports.spans import (
    LENGTHS,
    day_key,
    day_of,
    days_within,
    last_day_around,
    span_key,
    spans_between,
)
from reports.sum_models import (
    ALL_TEAMS,
    CountedDomain,
    DomainCause,
    DomainCauseSpan,
    DomainReporter,
    DomainReporterSpan,
    DomainSpan,
    TeamCauseDomains,
    TeamCauseSpan,
    TeamFailures,
    TeamSessions,
)
from tests.mailtls.samples import DETAIL, policy_entry, report
from tests.reports.arrivals import DAY, inventory, numbered, take_in

NAMES = [f"d{n}.example" for n in range(5)]
REPORTERS = ("Google Inc.", "Other", "Third")
TYPES = ("certificate-expired", "x", "sts-policy-invalid", "tlsa-invalid")
HOSTS = {
    "mx1.recipient.example": "recipient.example",
    "mx2.recipient.example": "recipient.example",
    "a-example.mail.protection.outlook.com": "outlook.com",
    "": "",
}
MODELS = (
    TeamSessions,
    TeamFailures,
    TeamCauseSpan,
    DomainCauseSpan,
    DomainSpan,
    DomainReporterSpan,
    DomainReporter,
    DomainCause,
    TeamCauseDomains,
)


FIGURES = ("successes", "failures", "counted_successes", "counted_failures")
# Of models whose fields stand in another order.
COLUMNS = {
    TeamSessions: ("team", "narrowing", "day", "reporter", "policy_type", *FIGURES, "rows"),
    TeamFailures: (
        *("team", "narrowing", "day", "result_type", "operator"),
        *("counted_failed_sessions", "rows"),
    ),
    TeamCauseSpan: (
        *("team", "narrowing", "span", "result_type", "operator", "reporter"),
        *("counted_failed_sessions", "rows"),
    ),
    TeamCauseDomains: (
        *("team", "narrowing", "last_day", "result_type", "operator"),
        *("rows", "newest_rows"),
    ),
}


def held() -> list[Any]:
    """Give all rows of the sums in a form that can be compared."""
    told = CountedDomain.objects.exclude(last_day=None).values_list("domain_id", "last_day")
    rows = (model.objects.values_list(*COLUMNS.get(model, ())) for model in MODELS)
    return [*map(sorted, rows), sorted(told)]


def counted_for() -> dict[int, list[tuple[int, str]]]:
    """Say what each watched domain is added up for: its team, all, its mode and its provider."""
    found = {}
    for one in Domain.objects.filter(is_active=True):
        has_policy = one.mta_sts == Status.VALID and one.mx != Status.NULL_MX
        mode = one.sts_mode if has_policy else ""
        found[one.pk] = [
            (one.team_id or 0, ""),
            (-1, ""),
            (-1, f"sts={mode}"),
            (-1, f"provider={one.mx_provider}"),
        ]
    return found


def added_up() -> list[Any]:
    """Add the daily figures up the plain way, by the inventory as it is now."""
    counted = counted_for()
    team_sessions: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    team_failures: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    cause_spans: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    domain_cause_spans: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    spans: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    reporter_spans: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    reporters: dict[Any, date] = {}
    causes: dict[Any, date] = {}
    for row in DailySessions.objects.all():
        good, bad = row.counted_successes, row.counted_failures
        figures = dict(enumerate((row.successes, row.failures, good, bad, 1)))
        for whose in counted.get(row.domain_id, ()):
            team_sessions[*whose, row.day, row.reporter, row.policy_type].update(figures)
        for length in LENGTHS:
            key = (span_key(row.day.toordinal(), length), row.domain_id)
            spans[key].update({0: good + bad, 1: bad, 4: 1})
            if length > 1:
                reporter_spans[*key, row.reporter, row.policy_type].update(figures)
        pair = (row.domain_id, row.reporter)
        reporters[pair] = max(row.day, reporters.get(pair, date.min))
    for row in DailyFailures.objects.filter(counted_failed_sessions__gt=0):
        operator = HOSTS[row.receiving_mx]
        figures = {0: row.counted_failed_sessions, 1: 1}
        for length in LENGTHS:
            key = (span_key(row.day.toordinal(), length), row.domain_id)
            apart = {"sts-policy-invalid": 2, "tlsa-invalid": 3}.get(row.result_type)
            if apart is not None:
                spans[key][apart] += row.counted_failed_sessions
        span = span_key(row.day.toordinal(), 64)
        kept = (span, row.result_type, operator, row.receiving_mx, row.domain_id)
        domain_cause_spans[kept].update(figures)
        for whose in counted.get(row.domain_id, ()):
            team_failures[*whose, row.day, row.result_type, operator].update(figures)
            for length in LENGTHS:
                span = span_key(row.day.toordinal(), length)
                at = (*whose, span, row.result_type, operator, row.reporter)
                cause_spans[at].update(figures)
        cause = (row.domain_id, row.result_type, operator)
        causes[cause] = max(row.day, causes.get(cause, date.min))
    sums = [
        sorted((*key, *(counts[n] for n in range(width))) for key, counts in found.items())
        for found, width in (
            (team_sessions, 5),
            (team_failures, 2),
            (cause_spans, 2),
            (domain_cause_spans, 2),
            (spans, 5),
            (reporter_spans, 5),
        )
    ]
    last_days: dict[int, date] = {}
    for (pk, _), day in reporters.items():
        last_days[pk] = max(day, last_days.get(pk, date.min))
    return [
        *sums,
        sorted((*key, day) for key, day in reporters.items()),
        *causes_with_domains(causes, counted),
        sorted(last_days.items()),
    ]


def causes_with_domains(causes: dict[Any, date], counted: dict[int, Any]) -> list[Any]:
    """Say which causes are the newest of their result type, and count domains by newest day."""
    newest: dict[Any, Any] = {}
    for (pk, result_type, operator), day in causes.items():
        kept = newest.get((pk, result_type))
        if kept is None or (kept[0], operator) < (day, kept[1]):
            newest[pk, result_type] = (day, operator)
    rows = [(*key, day, newest[key[:2]] == (day, key[2])) for key, day in causes.items()]
    domains: defaultdict[Any, Counter[int]] = defaultdict(Counter)
    for pk, result_type, operator, day, is_newest in rows:
        for whose in counted.get(pk, ()):
            domains[*whose, day, result_type, operator].update({0: 1, 1: is_newest})
    return [sorted(rows), sorted((*key, counts[0], counts[1]) for key, counts in domains.items())]


class World:
    """A portal to which something happens at random."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.teams = [*Team.objects.bulk_create([Team(name="A"), Team(name="B")]), None]
        self.number = 0
        inventory(*NAMES[:3])

    def step(self) -> None:
        self.rng.choice(
            (
                self.reports_come,
                self.reports_come,
                self.reports_come,
                self.a_domain_moves,
                self.a_check_sees_something_else,
                self.a_domain_is_paused_or_taken_up,
                self.a_domain_is_deleted,
                self.a_domain_is_added,
                self.a_report_is_let_go,
                self.all_is_read_again,
                self.figures_are_let_go,
            )
        )()
        roll_up()

    def reports_come(self) -> None:
        documents = []
        for _ in range(self.rng.randint(1, 4)):
            self.number += 1
            day = DAY + timedelta(days=self.rng.randint(0, 20))
            policies = [
                policy_entry(
                    self.rng.choice(("sts", "tlsa", "no-policy-found")),
                    good=self.rng.randint(0, 50),
                    bad=self.rng.choice((0, 3)),
                    domain=self.rng.choice(NAMES),
                    details=self._details(),
                )
                for _ in range(self.rng.randint(1, 2))
            ]
            documents.append(
                numbered(
                    self.number,
                    organization_name=self.rng.choice(REPORTERS),
                    policies=policies,
                    date_range={
                        "start-datetime": f"{day}T00:00:00Z",
                        "end-datetime": f"{day}T23:59:59Z",
                    },
                )
            )
        take_in(*documents)

    def _details(self) -> list[Any]:
        return [
            DETAIL
            | {
                "result-type": self.rng.choice(TYPES),
                "receiving-mx-hostname": self.rng.choice([*HOSTS]),
            }
            for _ in range(self.rng.randint(0, 2))
        ]

    def _one(self) -> Any:
        return Domain.objects.filter(name=self.rng.choice(NAMES))

    def a_domain_moves(self) -> None:
        self._one().update(team=self.rng.choice(self.teams))

    def a_check_sees_something_else(self) -> None:
        self._one().update(
            mta_sts=self.rng.choice((Status.VALID, Status.INVALID)),
            sts_mode=self.rng.choice(StsMode.values),
            mx=self.rng.choice((Status.VALID, Status.VALID, Status.NULL_MX)),
            mx_provider=self.rng.choice(("", "Microsoft 365")),
        )

    def a_domain_is_paused_or_taken_up(self) -> None:
        self._one().update(is_active=self.rng.choice((True, False)))

    def a_domain_is_deleted(self) -> None:
        self._one().delete()

    def a_domain_is_added(self) -> None:
        name = self.rng.choice(NAMES)
        Domain.objects.get_or_create(name=name, defaults={"team": self.rng.choice(self.teams)})
        attribute_new_domains()

    def a_report_is_let_go(self) -> None:
        for result in PolicyResult.objects.filter(
            report__in=list(Report.objects.order_by("?")[:1]), domain__isnull=False
        ):
            DirtyDay.objects.create(domain_id=result.domain_id, day=result.day)
            result.details.all().delete()
            result.delete()

    def all_is_read_again(self) -> None:
        mark_all_dirty()

    def figures_are_let_go(self) -> None:
        day = DAY + timedelta(days=1000 + self.rng.randint(-2, 8))
        with time_machine.travel(day, tick=False):
            apply_retention()


@pytest.mark.thorough
@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(12))
def test_sums_are_equal_to_the_figures_whatever_happens(seed, settings):
    settings.KEEP_RAW_DAYS = settings.KEEP_REPORT_DAYS = 0
    settings.KEEP_ROLLUP_DAYS = 1000
    world = World(seed)

    for _ in range(25):
        world.step()

        assert held() == added_up()
    gone = DailySessions.objects.exclude(domain__in=Domain.objects.all())
    assert not gone.exists()


@pytest.mark.django_db
def test_a_rebuild_makes_the_same_sums():
    world = World(2)
    for _ in range(3):
        world.reports_come()
        world.a_domain_moves()
        roll_up()
    expected = held()
    TeamSessions.objects.update(counted_successes=7)
    DomainReporter.objects.all().delete()
    CountedDomain.objects.all().delete()

    rebuild_sums()

    assert held() == expected == added_up()
    assert expected[0]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("migration", "model"),
    [
        ("0015_domain_cause_spans", DomainCauseSpan),
        ("0021_domain_reporter_spans", DomainReporterSpan),
    ],
)
def test_a_migration_makes_the_same_sums(migration, model):
    world = World(4)
    for _ in range(4):
        world.reports_come()
        world.a_domain_moves()
        roll_up()
    expected = held()
    model.objects.all().delete()

    fill = import_module(f"reports.migrations.{migration}").fill
    fill(apps, SimpleNamespace(connection=connection))

    assert held() == expected
    assert model.objects.exists()


@pytest.mark.django_db
def test_the_migration_makes_the_same_sums_of_modes_and_providers():
    world = World(6)
    for _ in range(12):
        world.reports_come()
        world.a_domain_moves()
        world.a_check_sees_something_else()
        roll_up()
    expected, counted = held(), sorted(CountedDomain.objects.values_list())
    CountedDomain.objects.update(sts="", provider="")
    for model in (TeamSessions, TeamFailures, TeamCauseSpan, TeamCauseDomains):
        model.objects.all().delete()

    fill = import_module("reports.migrations.0023_sums_of_modes_and_providers").fill
    fill(apps, SimpleNamespace(connection=connection))

    assert held() == expected
    assert sorted(CountedDomain.objects.values_list()) == counted
    assert TeamFailures.objects.filter(narrowing="provider=Microsoft 365").exists()


@pytest.mark.django_db
def test_the_migration_tells_the_same_apart():
    world = World(5)
    for _ in range(4):
        world.reports_come()
    expected = held()
    DomainSpan.objects.update(unread=0, under_dane=0)

    fill = import_module("reports.migrations.0016_apart_in_spans").fill
    fill(apps, SimpleNamespace(connection=connection))

    assert held() == expected
    assert DomainSpan.objects.filter(unread__gt=0).exists()
    assert DomainSpan.objects.filter(under_dane__gt=0).exists()


@pytest.mark.django_db
def test_a_rebuild_names_operators_anew_and_retention_forgets_hosts(settings):
    settings.KEEP_RAW_DAYS = settings.KEEP_REPORT_DAYS = 0
    settings.KEEP_ROLLUP_DAYS = 1000
    world = World(3)
    for _ in range(4):
        world.reports_come()
    expected = held()
    DailyFailures.objects.update(operator="wrong.example")
    ReceivingHost.objects.update(operator="wrong.example")

    rebuild_sums()

    assert held() == expected == added_up()
    assert dict(ReceivingHost.objects.values_list()).items() <= HOSTS.items()
    assert ReceivingHost.objects.exists()
    with time_machine.travel(DAY + timedelta(days=1100), tick=False):
        apply_retention()
    assert not ReceivingHost.objects.exists()


@pytest.mark.django_db
def test_absurd_figures_of_many_domains_add_up_without_an_overflow():
    domains = inventory(*(f"d{n}.example" for n in range(30)))
    most = 2**53 - 1

    take_in(*(report(policies=[policy_entry(good=most, domain=one.name)]) for one in domains))

    assert TeamSessions.objects.get(narrowing="", team=ALL_TEAMS).counted_successes == 30 * 10**12


DAYS = st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 1, 1))


@given(DAYS, st.integers(min_value=0, max_value=2000))
def test_spans_between_two_days_are_exactly_those_days(since, length):
    until = since + timedelta(days=length)

    keys = spans_between(since, until)

    days = [day_of(key) + timedelta(days=n) for key in keys for n in range(key % 128)]
    assert days == [since + timedelta(days=n) for n in range(length + 1)]
    assert days_within(keys, since, until) == days
    assert days_within(keys[-1:], since, until - timedelta(days=1)) == [
        day for day in days[:-1] if day >= day_of(keys[-1])
    ]


@given(DAYS, st.integers(min_value=0, max_value=2000))
def test_days_after_the_last_one_need_no_more_spans(since, length):
    until = since + timedelta(days=length)
    held = spans_between(since, last_day_around(until))

    days = [day_of(key) + timedelta(days=n) for key in held for n in range(key % 128)]

    assert days[: length + 1] == [since + timedelta(days=n) for n in range(length + 1)]
    assert len([key for key in held if day_of(key) <= until]) <= len(spans_between(since, until))


@given(DAYS)
def test_a_day_is_a_span_of_its_own(day):
    assert spans_between(day, day) == [day_key(day)]
    assert day_of(day_key(day)) == day


def test_a_year_is_few_spans():
    assert len(spans_between(date(2026, 1, 2), date(2027, 1, 1))) <= 20
