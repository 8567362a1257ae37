"""What is asked of reporters, and of the policy types they report under.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from operator import add
from typing import Any, NamedTuple

from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import Coalesce

from reports.fleet import Scope, of_domains, reporter_sums_of, reporters_of, sessions_of
from reports.queries import FAILURES, SESSIONS, rate
from reports.sum_models import DomainReporter


@dataclass(frozen=True, slots=True, kw_only=True)
class ReporterFigures:
    """What one reporter said over a span of days."""

    reporter: str
    sessions: int
    failures: int
    domains: int
    days: int
    first_day: date
    last_day: date

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None without sessions."""
        return rate(self.failures, self.sessions)


class ReporterSums(NamedTuple):
    """Sessions that one reporter told of, how many of them failed, and of how many domains."""

    reporter: str
    sessions: int
    failures: int
    domains: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTypeFigures:
    """All sessions under one policy type, counted or not: types are never added up."""

    policy_type: str
    successes: int
    failures: int


def by_reporter(scope: Scope, since: date, until: date) -> list[ReporterFigures]:
    """Give what each reporter said, most sessions first."""
    rows = (
        sessions_of(scope, since, until)
        .values("reporter")
        .annotate(
            sessions=SESSIONS,
            failed=FAILURES,
            days=Count("day", distinct=True),
            first_day=Min("day"),
            last_day=Max("day"),
        )
    )
    domains = _domains_by_reporter(scope, since, until)
    return [
        ReporterFigures(
            reporter=row["reporter"],
            sessions=row["sessions"],
            failures=row["failed"],
            domains=domains.get(row["reporter"], 0),
            days=row["days"],
            first_day=row["first_day"],
            last_day=row["last_day"],
        )
        for row in rows.order_by("-sessions", "reporter")
    ]


def _domains_by_reporter(scope: Scope, since: date, until: date) -> dict[str, int]:
    told = reporters_of(scope, since, until).values_list("reporter")
    return dict(told.annotate(Count("pk")))


def sums_by_reporter(scope: Scope, since: date, until: date) -> list[ReporterSums]:
    """Give what each reporter's sessions add up to, most failed ones first: `by_reporter` without
    days, for many domains over any span."""
    sums = _sums_by("reporter", scope, since, until, SESSIONS, FAILURES)
    domains = _domains_by_reporter(scope, since, until)
    found = [
        ReporterSums(name, sessions, failures, domains.get(name, 0))
        for name, (sessions, failures) in sums.items()
    ]
    return sorted(found, key=lambda one: (-one.failures, one.reporter))


def _sums_by(
    name: str, scope: Scope, since: date, until: date, *added: Any
) -> dict[str, tuple[int, ...]]:
    """Add up rows of sessions by one of their columns."""
    sums: dict[str, tuple[int, ...]] = {}
    for rows in reporter_sums_of(scope, since, until):
        groups = rows.order_by().values(name)
        named = {f"sum{n}": expression for n, expression in enumerate(added)}
        for key, *counts in groups.annotate(**named).values_list(name, *named):
            held = sums.get(key, (0,) * len(added))
            sums[key] = tuple(map(add, held, counts))
    return sums


def days_by_reporter(scope: Scope, since: date, until: date) -> dict[str, set[date]]:
    """Give by reporter the days it told of."""
    rows = sessions_of(scope, since, until).values_list("reporter", "day").distinct()
    days: defaultdict[str, set[date]] = defaultdict(set)
    for reporter, told in rows:
        days[reporter].add(told)
    return dict(days)


def failures_by_reporter(scope: Scope, since: date, until: date) -> list[tuple[str, int]]:
    """Give the failed sessions that each reporter told of, most first; those of none left out.

    Over not too many days: from daily rows, of which few have failures.
    """
    rows = sessions_of(scope, since, until).filter(counted_failures__gt=0).values_list("reporter")
    return list(rows.annotate(failed=FAILURES).order_by("-failed", "reporter"))


def last_heard_of(scope: Scope) -> dict[str, date]:
    """Give by reporter the newest day it reported on, newest first."""
    rows = of_domains(DomainReporter.objects.all(), scope).values_list("reporter")
    return dict(rows.annotate(newest=Max("last_day")).order_by("-newest", "reporter"))


def by_policy_type(scope: Scope, since: date, until: date) -> list[PolicyTypeFigures]:
    """Give the sessions under each policy type, as reported."""
    added = Coalesce(Sum("successes"), 0), Coalesce(Sum("failures"), 0)
    sums = _sums_by("policy_type", scope, since, until, *added)
    return [
        PolicyTypeFigures(policy_type=name, successes=good, failures=bad)
        for name, (good, bad) in sorted(sums.items())
    ]
