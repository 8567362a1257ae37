"""What is asked about causes of failures: which there are, and how far they reach.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum

from reports.cause_key import CauseKey, failures_telling, of_cause
from reports.fleet import (
    Scope,
    cause_reporters_of,
    causes_of,
    count_distinct,
    domain_failures_of,
    failures_of,
    newest_causes_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause(CauseKey):
    """The failed sessions of a cause."""

    failed_sessions: int
    operators: int = 0  # of the MX hosts of a result type, as far as they are named
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many domains a cause touches, and how many reporters tell of it."""

    domains: int
    reporters: int


# More names than this are not worth a filter.
MOST_NAMES = 500


def causes(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the result types that failed sessions had, most failed sessions first."""
    groups: defaultdict[str, list[Cause]] = defaultdict(list)
    for one in causes_by_operator(scope, since, until):
        groups[one.result_type].append(one)
    found = [
        Cause(
            result_type=result_type,
            failed_sessions=sum(one.failed_sessions for one in group),
            operators=sum(bool(one.operator) for one in group),
            first_day=min(one.first_day for one in group),
            last_day=max(one.last_day for one in group),
        )
        for result_type, group in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.failed_sessions, one.result_type))


def causes_by_operator(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the failed sessions by result type and operator, most failed sessions first."""
    return _by_place(failures_of(scope, since, until), "operator")


def causes_by_receiving_mx(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the failed sessions by result type and receiving MX, most failed sessions first.

    Not for a whole fleet: each of its domains may have hosts of its own.
    """
    return _by_place(domain_failures_of(scope, since, until), "receiving_mx")


def _by_place(rows: QuerySet[Any], place: str) -> list[Cause]:
    summed = rows.values_list("result_type", place).annotate(
        Sum("counted_failed_sessions"), Min("day"), Max("day")
    )
    found = [
        Cause(
            result_type=result_type,
            **{place: where},
            failed_sessions=failed,
            first_day=first_day,
            last_day=last_day,
        )
        for result_type, where, failed, first_day, last_day in summed
    ]
    return sorted(
        found, key=lambda one: (-one.failed_sessions, one.result_type, getattr(one, place))
    )


def extents(scope: Scope, found: Sequence[Cause], since: date, until: date) -> list[Extent]:
    """Give how far each of these causes reaches; all are of one kind of key."""
    reporters = _counts(_told_by(scope, found, since, until), found, "reporter")
    return [
        Extent(domains=domain_count, reporters=reporter_count)
        for domain_count, reporter_count in zip(
            domain_counts(scope, found, since, until), reporters, strict=True
        )
    ]


def domain_counts(scope: Scope, found: Sequence[Cause], since: date, until: date) -> list[int]:
    """Give how many domains each of these causes touches, as `extents` does."""
    if _is_at("receiving_mx", found):
        return _counts(domain_failures_of(scope, since, until), found, "domain_id")
    # Where each row is another domain, to look for equal ones would take most of the time.
    keys: tuple[str, ...] = ("result_type", "operator")
    rows: QuerySet[Any] | None
    if _is_at("operator", found):
        rows = _named(causes_of(scope, since, until), found, *keys)
    else:
        keys, rows = ("result_type",), newest_causes_of(scope, since, until)
    if rows is None:
        return _counts(causes_of(scope, since, until), found, "domain_id")
    groups = rows.values_list(*keys).annotate(Count("domain_id"))
    counts = {tuple(key): domains for *key, domains in groups}
    return [counts.get(tuple(getattr(one, key) for key in keys), 0) for one in found]


def _told_by(scope: Scope, found: Sequence[Cause], since: date, until: date) -> QuerySet[Any]:
    if _is_at("receiving_mx", found):
        return domain_failures_of(scope, since, until)
    return cause_reporters_of(scope, since, until)


def _is_at(name: str, found: Sequence[Cause]) -> bool:
    return any(getattr(one, name) is not None for one in found)


def _counts(told: QuerySet[Any], found: Sequence[Cause], name: str) -> list[int]:
    if not found:
        return []
    keys = "result_type", *(key for key in ("operator", "receiving_mx") if _is_at(key, found))
    counts = count_distinct(_named(told, found, *keys[1:]), keys, name)
    return [counts.get(tuple(getattr(one, key) for key in keys), 0) for one in found]


def _named(told: QuerySet[Any], found: Sequence[Cause], *keys: str) -> QuerySet[Any]:
    """Narrow rows to what these causes name, where that is not too much for a filter."""
    for key in keys:
        names = {getattr(one, key) for one in found}
        if len(names) <= MOST_NAMES:
            told = told.filter(**{f"{key}__in": names})
    return told


def failed_by_day(
    scope: Scope, cause: CauseKey, since: date, until: date
) -> list[tuple[date, int]]:
    """Give every day of the span with its failed sessions, zero where there were none."""
    rows = of_cause(failures_telling(cause)(scope, since, until), cause).values_list("day")
    found: dict[date, int] = dict(rows.annotate(Sum("counted_failed_sessions")))
    span = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return [(day, found.get(day, 0)) for day in span]
