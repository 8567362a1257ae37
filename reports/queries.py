"""What is asked of reports: each function a query or two, for a fleet or any set of domains.

No scope (None) means every domain. Days are UTC; `since` and `until` both belong to the span.
Figures are those that count (never sts and tlsa both) and come from the daily figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import (
    Count,
    ExpressionWrapper,
    F,
    FloatField,
    Max,
    Min,
    QuerySet,
    Sum,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from domains.models import Domain
from reports.fleet import (
    Fleet,
    Scope,
    days_of,
    find_told_domains,
    limit_of,
    of_domains,
    reporters_of,
    sessions_of,
    spans_of,
)
from reports.spans import day_key, day_of, days_between
from reports.sum_models import DomainReporter, DomainSpan
from reports.under_enforce import NOTHING_FAILED, Apart, UnderEnforce, split

SESSIONS = Coalesce(Sum(F("counted_successes") + F("counted_failures")), 0)
FAILURES = Coalesce(Sum("counted_failures"), 0)


def rate(failures: int, sessions: int) -> float | None:
    """Give the share of failures, None without sessions."""
    return failures / sessions if sessions else None


class DayFigures(NamedTuple):
    """The sessions of one day; a list of domains has thousands of them."""

    day: date
    sessions: int = 0
    failures: int = 0

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None for a day without sessions."""
        return rate(self.failures, self.sessions)


def daily_rates(days: Iterable[DayFigures]) -> list[float | None]:
    """Give the failure rate of each day; at once, for a list of domains has thousands of them."""
    return [rate(failed, told) for _, told, failed in days]


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sessions of a span of days."""

    sessions: int = 0
    failures: int = 0
    domains: int = 0  # that were reported on
    reporters: int = 0
    first_day: date | None = None
    failed: UnderEnforce = NOTHING_FAILED  # where it is of one domain

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None without sessions."""
        return rate(self.failures, self.sessions)


class Sums(NamedTuple):
    """Sessions and how many of them failed; of each domain of a fleet."""

    sessions: int = 0
    failures: int = 0
    failed: UnderEnforce = NOTHING_FAILED  # where that is asked for

    @property
    def failure_rate(self) -> float | None:
        """Give the share of failures, None without sessions."""
        return rate(self.failures, self.sessions)


def last_complete_days(days: int, *, now: datetime | None = None) -> tuple[date, date]:
    """Give (since, until) of the last `days` complete days: reports of today are still to come."""
    today = (now or timezone.now()).astimezone(UTC).date()
    return today - timedelta(days=days), today - timedelta(days=1)


def first_kept_day() -> date:
    """Give the first day of which retention has let no report go; figures go back further."""
    if not settings.KEEP_REPORT_DAYS:
        return date.min
    return timezone.now().date() - timedelta(days=settings.KEEP_REPORT_DAYS)


def daily_figures(scope: Scope, since: date, until: date) -> list[DayFigures]:
    """Give every day of the span in order, zero where nothing was reported."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        rows = sessions_of(scope, since, until).values_list("day")
        found = rows.annotate(sessions=SESSIONS, failed=FAILURES)
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
        return Sums(**rows.aggregate(sessions=SESSIONS, failures=FAILURES))
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
        pk: Sums(sessions, failures, split(failures, Apart(*apart)))
        for pk, sessions, failures, *apart in rows
    }


def _per_domain(scope: Scope, since: date, until: date) -> QuerySet[Any, tuple[Any, ...]]:
    rows: QuerySet[DomainSpan, tuple[Any, ...]]
    rows = spans_of(scope, since, until).values_list("domain_id")
    return rows.annotate(told=Sum("sessions"), failed=Sum("failures"))


# What domains with failed sessions are ordered by, each with a minus for the largest first.
DOMAIN_ORDERS = {
    "name": "d.name",
    "failed": "s.failed",
    "sessions": "s.told",
    "reporters": "r.count",
}


def failing_domains(
    scope: Scope,
    since: date,
    until: date,
    most: int | None = None,
    order: Sequence[str] = ("-failed",),
) -> tuple[list[tuple[int, Sums]], int]:
    """Give the ids of domains with failed sessions, the first of them in an order (DOMAIN_ORDERS,
    else a ValueError), and how many there are."""
    names = [one.removeprefix("-") for one in order]
    if unknown := set(names) - DOMAIN_ORDERS.keys():
        raise ValueError(f"No order of domains is called {unknown.pop()!r}.")
    rows, params = _per_domain(scope, since, until).order_by().query.sql_with_params()
    joins = f" JOIN {Domain._meta.db_table} d ON d.id = s.domain_id" if "name" in names else ""
    if "reporters" in names:
        told = reporters_of(None, since, until).order_by().values("domain_id")
        reporters, more = told.annotate(count=Count("*")).query.sql_with_params()
        joins += f" LEFT JOIN ({reporters}) r ON r.domain_id = s.domain_id"
        params += more
    ordering = "".join(
        f"{DOMAIN_ORDERS[name]}{' DESC' if one.startswith('-') else ''}, "
        for name, one in zip(names, order, strict=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.domain_id, s.told, s.failed, COUNT(*) OVER () "  # noqa: S608 — our own names
            f"FROM ({rows}) s{joins} WHERE s.failed > 0 ORDER BY {ordering}s.domain_id "
            f"LIMIT {limit_of(most)}",
            params,
        )
        found = cursor.fetchall()
    return (
        [(pk, Sums(int(told), int(failed))) for pk, told, failed, _ in found],
        found[0][3] if found else 0,
    )


def domains_failing_at(scope: Scope, since: date, until: date, least_rate: float) -> QuerySet[Any]:
    """Give one row for each domain of whose sessions at least this share failed: its id."""
    rate = ExpressionWrapper(F("failed") * 1.0 / F("told"), output_field=FloatField())
    rows: QuerySet[Any] = _per_domain(scope, since, until).filter(failed__gt=0)
    failing: QuerySet[Any] = rows.annotate(rate=rate).filter(rate__gte=least_rate)
    return failing.values("domain_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFigures:
    """The sessions of the domains whose MX hosts one provider runs."""

    provider: str  # empty where none is known
    sessions: int
    failures: int
    domains: int  # with failed sessions


def failures_by_provider(scope: Scope, since: date, until: date) -> list[ProviderFigures]:
    """Give the failed sessions by MX provider, most first, and of how many they are a part."""
    rows, params = _per_domain(scope, since, until).order_by().query.sql_with_params()
    domains = Domain._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT d.mx_provider, SUM(told), SUM(failed), "  # noqa: S608 — our own names
            "SUM(CASE WHEN failed > 0 THEN 1 ELSE 0 END) "
            f"FROM ({rows}) s JOIN {domains} d ON d.id = s.domain_id GROUP BY d.mx_provider "
            "HAVING SUM(failed) > 0",
            params,
        )
        found = [
            ProviderFigures(
                provider=provider, sessions=int(told), failures=int(failed), domains=int(count)
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
            failed=sums.failed,
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


def last_report_days(scope: Scope) -> dict[int, date]:
    """Give by domain id the newest day it was reported on."""
    rows = of_domains(DomainReporter.objects.all(), scope).values_list("domain_id")
    return dict(rows.annotate(Max("last_day")))
