"""What is asked about one cause of failures: which domains, days, reporters, and the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum

from domains.models import DomainQuerySet
from reports.models import DailyFailures, FailureDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseKey:
    """A cause: a result type, at one receiving MX where `receiving_mx` is not None."""

    result_type: str
    receiving_mx: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a cause that one domain, reporter or MX has."""

    key: Any
    failed_sessions: int
    domains: int
    reporters: int
    first_day: date
    last_day: date


def _rows(
    domains: DomainQuerySet, cause: CauseKey, since: date, until: date
) -> QuerySet[DailyFailures]:
    rows = DailyFailures.objects.filter(
        day__range=(since, until),
        domain__in=domains.order_by().values("pk"),
        result_type=cause.result_type,
        counted_failed_sessions__gt=0,
    )
    return rows if cause.receiving_mx is None else rows.filter(receiving_mx=cause.receiving_mx)


def failed_by_day(
    domains: DomainQuerySet, cause: CauseKey, since: date, until: date
) -> list[tuple[date, int]]:
    """Give every day of the span with its failed sessions, zero where there were none."""
    rows = _rows(domains, cause, since, until).order_by().values_list("day")
    found: dict[date, int] = dict(rows.annotate(Sum("counted_failed_sessions")))
    span = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return [(day, found.get(day, 0)) for day in span]


def parts_by(
    field: str, domains: DomainQuerySet, cause: CauseKey, since: date, until: date
) -> list[Part]:
    """Give the parts by `domain`, `reporter` or `receiving_mx`, most failed sessions first."""
    rows = (
        _rows(domains, cause, since, until)
        .order_by()
        .values(field)
        .annotate(
            failed=Sum("counted_failed_sessions"),
            domains=Count("domain", distinct=True),
            reporters=Count("reporter", distinct=True),
            first=Min("day"),
            last=Max("day"),
        )
        .order_by("-failed", field)
    )
    return [
        Part(
            key=row[field],
            failed_sessions=row["failed"],
            domains=row["domains"],
            reporters=row["reporters"],
            first_day=row["first"],
            last_day=row["last"],
        )
        for row in rows
    ]


def worst_domains(domains: DomainQuerySet, since: date, until: date, most: int) -> list[int]:
    """Give the ids of the domains with the most failed sessions, worst first."""
    rows = DailyFailures.objects.filter(
        day__range=(since, until),
        domain__in=domains.order_by().values("pk"),
        counted_failed_sessions__gt=0,
    )
    summed = rows.order_by().values_list("domain").annotate(failed=Sum("counted_failed_sessions"))
    return [key for key, _ in summed.order_by("-failed", "domain")[:most]]


def evidence(
    domains: DomainQuerySet, cause: CauseKey, since: date, until: date
) -> QuerySet[FailureDetail]:
    """Give the failure details that reporters sent, newest first."""
    rows = FailureDetail.objects.filter(
        result_type=cause.result_type,
        result__domain__in=domains.order_by().values("pk"),
        result__day__range=(since, until),
    )
    if cause.receiving_mx is not None:
        rows = rows.filter(receiving_mx_hostname=cause.receiving_mx)
    return (
        rows.select_related("result__report", "result__domain")
        .defer("result__report__document")
        .order_by("-result__day", "-pk")
    )
