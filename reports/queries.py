"""What is asked of reports: each function a query or two, for a fleet or any set of domains.

No scope (None) means every domain. Days are UTC; `since` and `until` both belong to the span.
Figures are those that count (never sts and tlsa both) and come from the daily figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import add
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    FloatField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    Window,
)
from django.db.models.expressions import OrderBy
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from domains.models import Domain
from reports.fleet import (
    Fleet,
    Scope,
    days_of,
    domains_of,
    find_told_domains,
    of_domains,
    reporter_sums_of,
    reporters_of,
    sessions_of,
    spans_of,
)
from reports.models import (
    MOST_SESSIONS,
    DailySessions,
    Intake,
    Outcome,
    PolicyResult,
    Receipt,
    Report,
)
from reports.spans import day_key, day_of, days_between
from reports.sum_models import DomainReporter, DomainSpan, TeamSessions
from reports.under_enforce import NOT_APART, Apart, UnderEnforce, split

_SESSIONS = Coalesce(Sum(F("counted_successes") + F("counted_failures")), 0)
_FAILURES = Coalesce(Sum("counted_failures"), 0)


def _rate(failures: int, sessions: int) -> float | None:
    return failures / sessions if sessions else None


class DayFigures(NamedTuple):
    """The sessions of one day; a list of domains has thousands of them."""

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
    apart: Apart = NOT_APART  # where it is of one domain

    @property
    def failed(self) -> UnderEnforce:
        """Tell the failures apart by what enforce does to them."""
        return split(self.failures, self.apart)

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None without sessions."""
        return _rate(self.failures, self.sessions)


class Sums(NamedTuple):
    """Sessions and how many of them failed; of each domain of a fleet."""

    sessions: int = 0
    failures: int = 0
    apart: Apart = NOT_APART  # where that is asked for

    @property
    def failed(self) -> UnderEnforce:
        """Tell the failures apart by what enforce does to them."""
        return split(self.failures, self.apart)

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None without sessions."""
        return _rate(self.failures, self.sessions)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedDomain:
    """A domain that is reported on and not in the inventory."""

    name: str
    reports: int
    reporters: int
    successes: int
    failures: int
    first_day: date
    last_day: date

    @property
    def sessions(self) -> int:
        """Give successes and failures together."""
        return self.successes + self.failures


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


def daily_figures(scope: Scope, since: date, until: date) -> list[DayFigures]:
    """Give every day of the span in order, zero where nothing was reported."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        rows = sessions_of(scope, since, until).values_list("day")
        found = rows.annotate(sessions=_SESSIONS, failed=_FAILURES)
        return _every_day(found, since, until)
    rows = days_of(scope, days_between(since, until)).values_list("span")
    found = rows.annotate(Sum("sessions"), Sum("failures"))
    return _every_day(((day_of(span), *counts) for span, *counts in found), since, until)


def _every_day(rows: Iterable[tuple[Any, ...]], since: date, until: date) -> list[DayFigures]:
    by_day = {
        day: DayFigures(day=day, sessions=sessions, failures=failed)
        for day, sessions, failed in rows
    }
    return [by_day.get(day) or DayFigures(day=day) for day in days_between(since, until)]


def totals(scope: Scope, since: date, until: date) -> Totals:
    """Give the figures of the whole span."""
    rows = sessions_of(scope, since, until)
    told = reporters_of(scope, since, until)
    is_added_up = isinstance(scope, Fleet) and scope.is_added_up
    domains = find_told_domains(scope, since, until)
    if domains is None:
        # Not COUNT(DISTINCT …), for which PostgreSQL sorts.
        domains = told.values("domain_id").distinct()
    sums = sum_up(scope, since, until)
    return Totals(
        sessions=sums.sessions,
        failures=sums.failures,
        domains=domains.count(),
        reporters=(rows if is_added_up else told).values("reporter").distinct().count(),
        first_day=rows.order_by("day").values_list("day", flat=True).first(),
    )


def sum_up(scope: Scope, since: date, until: date) -> Sums:
    """Give the sessions of the span."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        rows = sessions_of(scope, since, until)
        return Sums(**rows.aggregate(sessions=_SESSIONS, failures=_FAILURES))
    spans = spans_of(scope, since, until)
    return Sums(
        **spans.aggregate(
            sessions=Coalesce(Sum("sessions"), 0), failures=Coalesce(Sum("failures"), 0)
        )
    )


def per_domain_sums(scope: Scope, since: date, until: date) -> dict[int, Sums]:
    """Give the sessions of the span by domain id; domains nobody reported on are left out."""
    rows = _per_domain(scope, since, until).annotate(Sum("unread"), Sum("under_dane"))
    return {
        pk: Sums(sessions, failures, Apart(unread, under_dane))
        for pk, sessions, failures, unread, under_dane in rows
    }


def _per_domain(scope: Scope, since: date, until: date) -> QuerySet[Any, tuple[Any, ...]]:
    rows: QuerySet[DomainSpan, tuple[Any, ...]]
    rows = spans_of(scope, since, until).values_list("domain_id")
    return rows.annotate(told=Sum("sessions"), failed=Sum("failures"))


# What domains with failed sessions are ordered by, each with a minus for the largest first.
DOMAIN_ORDERS = frozenset({"name", "failed", "sessions", "reporters"})


def failing_domains(
    scope: Scope,
    since: date,
    until: date,
    most: int | None = None,
    order: Sequence[str] = ("-failed",),
) -> tuple[list[tuple[int, Sums]], int]:
    """Give the ids of domains with failed sessions, the first of them in an order (DOMAIN_ORDERS,
    else a ValueError), and how many there are."""
    rows = _per_domain(scope, since, until).filter(failed__gt=0)
    columns = [_order_by(one.removeprefix("-"), since, until) for one in order]
    ordering = [
        OrderBy(column, descending=one.startswith("-"))
        for one, column in zip(order, columns, strict=True)
    ]
    rows = rows.annotate(count=Window(Count("*"))).order_by(*ordering, "domain_id")
    found = list(rows[:most])
    return [(pk, Sums(told, failed)) for pk, told, failed, _ in found], found[0][3] if found else 0


def _order_by(name: str, since: date, until: date) -> F | Subquery[Any]:
    """Give what orders rows by domain, with what `_per_domain` adds up."""
    if name not in DOMAIN_ORDERS:
        raise ValueError(f"No order of domains is called {name!r}.")
    domain = OuterRef("domain_id")
    if name == "name":
        return Subquery(Domain.objects.order_by().filter(pk=domain).values("name"))
    if name == "reporters":
        told = reporters_of(None, since, until).filter(domain_id=domain).order_by()
        return Subquery(told.values("domain_id").annotate(told=Count("*")).values("told"))
    return F({"failed": "failed", "sessions": "told"}[name])


def domains_failing_at(scope: Scope, since: date, until: date, least_rate: float) -> QuerySet[Any]:
    """Give one row for each domain of whose sessions at least this share failed: its id."""
    rate = ExpressionWrapper(F("failed") * 1.0 / F("told"), output_field=FloatField())
    rows: QuerySet[Any] = _per_domain(scope, since, until).filter(failed__gt=0)
    failing: QuerySet[Any] = rows.annotate(rate=rate).filter(rate__gte=least_rate)
    return failing.values("domain_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFigures:
    """The sessions of the domains with failed ones whose MX hosts one provider runs."""

    provider: str  # empty where none is known
    sessions: int
    failures: int
    domains: int


def failures_by_provider(scope: Scope, since: date, until: date) -> list[ProviderFigures]:
    """Give the failed sessions by MX provider, most first."""
    failing = _per_domain(scope, since, until).filter(failed__gt=0).order_by()
    rows, params = failing.query.sql_with_params()
    domains = Domain._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.mx_provider, SUM(told), SUM(failed), COUNT(*) "  # noqa: S608 — our own names
            f"FROM ({rows}) s JOIN {domains} d ON d.id = s.domain_id GROUP BY d.mx_provider",
            params,
        )
        found = [
            ProviderFigures(
                provider=provider, sessions=int(told), failures=int(failed), domains=count
            )
            for provider, told, failed, count in cursor.fetchall()
        ]
    return sorted(found, key=lambda one: (-one.failures, one.provider))


def per_domain_totals(scope: Scope, since: date, until: date) -> dict[int, Totals]:
    """Give the whole figures of the span by domain id: three questions, for not too many domains.

    Domains nobody reported on are left out.
    """
    reporters = reporters_per_domain(scope, since, until)
    days = days_of(scope, days_between(since, until)).values_list("domain_id")
    first = dict(days.annotate(Min("span")))
    return {
        pk: Totals(
            sessions=sums.sessions,
            failures=sums.failures,
            domains=1,
            reporters=reporters.get(pk, 0),
            first_day=day_of(first[pk]) if pk in first else None,
            apart=sums.apart,
        )
        for pk, sums in per_domain_sums(scope, since, until).items()
    }


def domains_told_of(scope: Scope, since: date, until: date) -> set[int]:
    """Give the ids of the domains that were reported on in the span."""
    return set(spans_of(scope, since, until).values_list("domain_id", flat=True).distinct())


def reporters_per_domain(scope: Scope, since: date, until: date) -> dict[int, int]:
    """Give by domain id how many reporters told of it in the span."""
    return dict(reporters_of(scope, since, until).values_list("domain_id").annotate(Count("pk")))


def per_domain_daily(scope: Scope, since: date, until: date) -> dict[int, list[DayFigures]]:
    """Give every day of the span by domain id; domains nobody reported on are left out."""
    days = {day_key(day): day for day in days_between(since, until)}
    by_domain: defaultdict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    rows = days_of(scope, days.values()).values_list("domain_id", "span", "sessions", "failures")
    for pk, span, sessions, failed in rows:
        by_domain[pk][span] = sessions, failed
    return {
        pk: [DayFigures(day, *told.get(span, (0, 0))) for span, day in days.items()]
        for pk, told in by_domain.items()
    }


def by_reporter(scope: Scope, since: date, until: date) -> list[ReporterFigures]:
    """Give what each reporter said, most sessions first."""
    rows = (
        sessions_of(scope, since, until)
        .values("reporter")
        .annotate(
            sessions=_SESSIONS,
            failed=_FAILURES,
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
    sums = _sums_by("reporter", scope, since, until, _SESSIONS, _FAILURES)
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
    return list(rows.annotate(failed=_FAILURES).order_by("-failed", "reporter"))


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


def last_report_days(scope: Scope) -> dict[int, date]:
    """Give by domain id the newest day it was reported on."""
    rows = of_domains(DomainReporter.objects.all(), scope).values_list("domain_id")
    return dict(rows.annotate(Max("last_day")))


def unmanaged_domains() -> list[UnmanagedDomain]:
    """Give the names that are reported on and not in the inventory, most reported first."""
    most, counted = Value(MOST_SESSIONS), Q(is_counted=True)
    failed = Coalesce("failures", "failures_in_details")
    rows = (
        PolicyResult.objects.filter(domain=None)
        .exclude(policy_domain="")
        .values("policy_domain")
        .annotate(
            reports=Count("report", distinct=True),
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
            reports=row["reports"],
            reporters=row["reporters"],
            successes=row["good"],
            failures=row["bad"],
            first_day=row["first_day"],
            last_day=row["last_day"],
        )
        for row in rows.order_by("-reports", "policy_domain")
    ]


def data_freshness(scope: Scope = None) -> Freshness:
    """Give the newest reported day, the last arrival, and what waits to be read."""
    waiting = Receipt.objects.filter(processed_at=None).aggregate(
        count=Count("pk"), oldest=Min("received_at")
    )
    newest = Receipt.objects.filter(outcome=Outcome.ACCEPTED).order_by("-received_at")
    return Freshness(
        newest_day=_newest_day(scope),
        last_received_at=newest.values_list("received_at", flat=True).first(),
        waiting=waiting["count"],
        waiting_since=waiting["oldest"],
    )


def _newest_day(scope: Scope) -> date | None:
    if scope is None:
        found = DailySessions.objects.aggregate(newest=Max("day"))
    elif isinstance(scope, Fleet) and scope.is_added_up:
        found = scope.of_sums(TeamSessions.objects.all()).aggregate(newest=Max("day"))
    else:
        told = of_domains(DomainReporter.objects.all(), scope)
        found = told.aggregate(newest=Max("last_day"))
    newest: date | None = found["newest"]
    return newest


def oldest_waiting_receipt() -> datetime | None:
    """Give when the receipt that waits longest arrived, None when none waits."""
    waiting = Receipt.objects.filter(processed_at=None).order_by("received_at")
    return waiting.values_list("received_at", flat=True).first()


def reports_for(scope: Scope) -> QuerySet[Report]:
    """Give the reports with a result for one of these domains, newest first."""
    domains = domains_of(scope)
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
