"""What is asked of reports: each function one query, scoped by a queryset of domains.

`domains=None` means every domain. Days are UTC; `since` and `until` both belong to the span.
Figures are those that count (never sts and tlsa both) and come from the daily figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from domains.models import Domain
from reports.models import (
    MOST_SESSIONS,
    DailyFailures,
    DailySessions,
    Intake,
    Outcome,
    PolicyResult,
    Receipt,
    Report,
)

Domains = QuerySet[Domain] | None

_SESSIONS = Coalesce(Sum(F("counted_successes") + F("counted_failures")), 0)
_FAILURES = Coalesce(Sum("counted_failures"), 0)
_FAILED = Coalesce(Sum("counted_failed_sessions"), 0)


def _rate(failures: int, sessions: int) -> float | None:
    return failures / sessions if sessions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """The sessions of one day."""

    day: date
    sessions: int = 0
    failures: int = 0

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None for a day without sessions."""
        return _rate(self.failures, self.sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sessions of a span of days."""

    sessions: int = 0
    failures: int = 0
    domains: int = 0  # that were reported on
    reporters: int = 0
    first_day: date | None = None

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None without sessions."""
        return _rate(self.failures, self.sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Failed sessions of one result type, or of one result type at one receiving MX."""

    result_type: str
    receiving_mx: str  # empty where grouped by type alone, and where reporters name none
    failed_sessions: int
    domains: int
    reporters: int
    receiving_mxs: int
    first_day: date
    last_day: date


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
        return _rate(self.failures, self.sessions)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTypeFigures:
    """All sessions under one policy type, counted or not: types are never added up."""

    policy_type: str
    successes: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedDomain:
    """A domain that is reported on and not in the inventory."""

    name: str
    results: int
    reporters: int
    successes: int
    failures: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How recent the reports are, and whether any wait."""

    newest_day: date | None
    last_received_at: datetime | None
    waiting: int
    waiting_since: datetime | None


def last_complete_days(days: int, *, now: datetime | None = None) -> tuple[date, date]:
    """Give (since, until) of the last `days` complete days: reports of today are still to come."""
    today = (now or timezone.now()).astimezone(UTC).date()
    return today - timedelta(days=days), today - timedelta(days=1)


def _scoped(rows: QuerySet[Any], domains: Domains, since: date, until: date) -> QuerySet[Any]:
    rows = rows.filter(day__range=(since, until))
    return rows if domains is None else rows.filter(domain__in=domains.order_by().values("pk"))


def _sessions(domains: Domains, since: date, until: date) -> QuerySet[Any]:
    return _scoped(DailySessions.objects.all(), domains, since, until)


def _failures(domains: Domains, since: date, until: date) -> QuerySet[Any]:
    rows = _scoped(DailyFailures.objects.all(), domains, since, until)
    return rows.filter(counted_failed_sessions__gt=0)


def daily_figures(domains: Domains, since: date, until: date) -> list[DayFigures]:
    """Give every day of the span in order, zero where nothing was reported."""
    rows = (
        _sessions(domains, since, until)
        .values("day")
        .annotate(sessions=_SESSIONS, failed=_FAILURES)
    )
    return _every_day(((row["day"], row["sessions"], row["failed"]) for row in rows), since, until)


def _every_day(rows: Iterable[tuple[date, int, int]], since: date, until: date) -> list[DayFigures]:
    by_day = {
        day: DayFigures(day=day, sessions=sessions, failures=failed)
        for day, sessions, failed in rows
    }
    span = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return [by_day.get(day) or DayFigures(day=day) for day in span]


def totals(domains: Domains, since: date, until: date) -> Totals:
    """Give the figures of the whole span."""
    row = _sessions(domains, since, until).aggregate(
        sessions=_SESSIONS,
        failures=_FAILURES,
        domains=Count("domain", distinct=True),
        reporters=Count("reporter", distinct=True),
        first_day=Min("day"),
    )
    return Totals(**row)


def per_domain_totals(domains: Domains, since: date, until: date) -> dict[int, Totals]:
    """Give the figures of the span by domain id; domains nobody reported on are left out."""
    rows = (
        _sessions(domains, since, until)
        .values("domain")
        .annotate(
            sessions=_SESSIONS,
            failed=_FAILURES,
            reporters=Count("reporter", distinct=True),
            first_day=Min("day"),
        )
    )
    return {
        row["domain"]: Totals(
            sessions=row["sessions"],
            failures=row["failed"],
            domains=1,
            reporters=row["reporters"],
            first_day=row["first_day"],
        )
        for row in rows
    }


def per_domain_daily(domains: Domains, since: date, until: date) -> dict[int, list[DayFigures]]:
    """Give every day of the span by domain id; domains nobody reported on are left out."""
    rows = (
        _sessions(domains, since, until)
        .values("domain", "day")
        .annotate(sessions=_SESSIONS, failed=_FAILURES)
    )
    by_domain: defaultdict[int, list[tuple[date, int, int]]] = defaultdict(list)
    for row in rows:
        by_domain[row["domain"]].append((row["day"], row["sessions"], row["failed"]))
    return {domain: _every_day(days, since, until) for domain, days in by_domain.items()}


def causes(domains: Domains, since: date, until: date) -> list[Cause]:
    """Give the result types that failed sessions had, most failed sessions first."""
    return _causes(_failures(domains, since, until), ("result_type",))


def causes_by_receiving_mx(domains: Domains, since: date, until: date) -> list[Cause]:
    """Give the failed sessions by result type and receiving MX, most failed sessions first."""
    return _causes(_failures(domains, since, until), ("result_type", "receiving_mx"))


def _causes(rows: QuerySet[Any], keys: tuple[str, ...]) -> list[Cause]:
    grouped = rows.values(*keys).annotate(
        failed=_FAILED,
        domains=Count("domain", distinct=True),
        reporters=Count("reporter", distinct=True),
        mxs=Count("receiving_mx", distinct=True, filter=~Q(receiving_mx="")),
        first_day=Min("day"),
        last_day=Max("day"),
    )
    return [
        Cause(
            result_type=row["result_type"],
            receiving_mx=row.get("receiving_mx", ""),
            failed_sessions=row["failed"],
            domains=row["domains"],
            reporters=row["reporters"],
            receiving_mxs=row["mxs"],
            first_day=row["first_day"],
            last_day=row["last_day"],
        )
        for row in grouped.order_by("-failed", *keys)
    ]


def by_reporter(domains: Domains, since: date, until: date) -> list[ReporterFigures]:
    """Give what each reporter said, most sessions first."""
    rows = (
        _sessions(domains, since, until)
        .values("reporter")
        .annotate(
            sessions=_SESSIONS,
            failed=_FAILURES,
            domains=Count("domain", distinct=True),
            days=Count("day", distinct=True),
            first_day=Min("day"),
            last_day=Max("day"),
        )
    )
    return [
        ReporterFigures(
            reporter=row["reporter"],
            sessions=row["sessions"],
            failures=row["failed"],
            domains=row["domains"],
            days=row["days"],
            first_day=row["first_day"],
            last_day=row["last_day"],
        )
        for row in rows.order_by("-sessions", "reporter")
    ]


def days_by_reporter(domains: Domains, since: date, until: date) -> dict[str, set[date]]:
    """Give by reporter the days it told of."""
    rows = _sessions(domains, since, until).order_by().values_list("reporter", "day").distinct()
    days: defaultdict[str, set[date]] = defaultdict(set)
    for reporter, told in rows:
        days[reporter].add(told)
    return dict(days)


def failures_by_reporter(domains: Domains, since: date, until: date) -> list[tuple[str, int]]:
    """Give the failed sessions that each reporter told of, most first; those of none left out."""
    rows = _sessions(domains, since, until).filter(counted_failures__gt=0).values_list("reporter")
    return list(rows.annotate(failed=_FAILURES).order_by("-failed", "reporter"))


def by_policy_type(domains: Domains, since: date, until: date) -> list[PolicyTypeFigures]:
    """Give the sessions under each policy type, as reported."""
    rows = (
        _sessions(domains, since, until)
        .values("policy_type")
        .annotate(good=Coalesce(Sum("successes"), 0), bad=Coalesce(Sum("failures"), 0))
    )
    return [
        PolicyTypeFigures(
            policy_type=row["policy_type"], successes=row["good"], failures=row["bad"]
        )
        for row in rows.order_by("policy_type")
    ]


def last_report_days(domains: Domains) -> dict[int, date]:
    """Give by domain id the newest day it was reported on."""
    rows = DailySessions.objects.all()
    if domains is not None:
        rows = rows.filter(domain__in=domains.order_by().values("pk"))
    return dict(rows.values_list("domain").annotate(newest=Max("day")).order_by())


def unmanaged_domains() -> list[UnmanagedDomain]:
    """Give the names that are reported on and not in the inventory, most reported first."""
    most, counted = Value(MOST_SESSIONS), Q(is_counted=True)
    failed = Coalesce("failures", "failures_in_details")
    rows = (
        PolicyResult.objects.filter(domain=None)
        .exclude(policy_domain="")
        .values("policy_domain")
        .annotate(
            results=Count("pk"),
            reporters=Count("reporter", distinct=True),
            good=Coalesce(Sum(Least("successes", most), filter=counted), 0),
            bad=Coalesce(Sum(Least(failed, most), filter=counted), 0),
            first_day=Min("day"),
            last_day=Max("day"),
        )
    )
    return [
        UnmanagedDomain(
            name=row["policy_domain"],
            results=row["results"],
            reporters=row["reporters"],
            successes=row["good"],
            failures=row["bad"],
            first_day=row["first_day"],
            last_day=row["last_day"],
        )
        for row in rows.order_by("-results", "policy_domain")
    ]


def data_freshness(domains: Domains = None) -> Freshness:
    """Give the newest reported day, the last arrival, and what waits to be read."""
    figures = DailySessions.objects.all()
    if domains is not None:
        figures = figures.filter(domain__in=domains.order_by().values("pk"))
    waiting = Receipt.objects.filter(processed_at=None).aggregate(
        count=Count("pk"), oldest=Min("received_at")
    )
    newest = Receipt.objects.filter(outcome=Outcome.ACCEPTED).order_by("-received_at")
    return Freshness(
        newest_day=figures.aggregate(newest=Max("day"))["newest"],
        last_received_at=newest.values_list("received_at", flat=True).first(),
        waiting=waiting["count"],
        waiting_since=waiting["oldest"],
    )


def oldest_waiting_receipt() -> datetime | None:
    """Give when the receipt that waits longest arrived, None when none waits."""
    waiting = Receipt.objects.filter(processed_at=None).order_by("received_at")
    return waiting.values_list("received_at", flat=True).first()


def reports_for(domains: Domains) -> QuerySet[Report]:
    """Give the reports with a result for one of these domains, newest first."""
    if domains is None:
        return Report.objects.all()
    results = PolicyResult.objects.filter(domain__in=domains.order_by().values("pk"))
    return Report.objects.filter(pk__in=results.values("report"))


def receipts_with(outcome: Outcome) -> QuerySet[Receipt]:
    """Give the receipts that ended so, newest first."""
    return Receipt.objects.filter(outcome=outcome).order_by("-received_at")


def find_intake(key: str) -> int | None:
    """Find the id of the intake that has this key and is not revoked."""
    found = Intake.objects.filter(key=key, revoked_at=None)
    return found.values_list("pk", flat=True).first()
