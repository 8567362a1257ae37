"""What is asked about causes of failures: which there are, and how far they reach.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from reports.cause_days import as_time, days_in_spans, time_of
from reports.cause_key import CauseKey, failures_telling, of_cause
from reports.fleet import (
    Fleet,
    Scope,
    cause_domains_of,
    cause_reporters_of,
    causes_of,
    count_distinct,
    domain_failures_of,
    limit_of,
    newest_causes_of,
)
from reports.models import DailyFailures
from reports.spans import days_between


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause(CauseKey):
    """The failed sessions of a cause."""

    failed_sessions: int
    reporters: int  # that tell of it
    operators: int = 0  # of the MX hosts of a result type, as far as they are named
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """The first causes, most failed sessions first, and how many there are."""

    shown: list[Cause]
    count: int


ANY = Q()
# More names than this are not worth a filter.
MOST_NAMES = 500


def causes(
    scope: Scope, since: date, until: date, most: int | None = None, types: Q = ANY
) -> Causes:
    """Give the result types, of these, that failed sessions had: the first, or all."""
    return _read_causes(scope, since, until, None, most, types)


def causes_by_operator(
    scope: Scope, since: date, until: date, most: int | None = None, types: Q = ANY
) -> Causes:
    """Give the failed sessions by result type, of these, and operator: the first, or all."""
    return _read_causes(scope, since, until, "operator", most, types)


def causes_by_receiving_mx(
    scope: Scope, since: date, until: date, most: int | None = None
) -> Causes:
    """Give the failed sessions by result type and receiving MX: the first, or all.

    Not for a whole fleet: each of its domains may have hosts of its own.
    """
    return _read_causes(scope, since, until, "receiving_mx", most)


def _read_causes(
    scope: Scope,
    since: date,
    until: date,
    place: str | None,
    most: int | None,
    types: Q = ANY,
) -> Causes:
    read = domain_failures_of if place == "receiving_mx" else cause_reporters_of
    rows = read(scope, since, until).filter(types)
    groups, count = _group(rows, place, most)
    ends = {group.key: (group.first, group.last) for group in groups}
    if isinstance(scope, Fleet) and time_of(rows) == "span":
        names = ("result_type",) if place is None else ("result_type", place)
        ends = days_in_spans(scope, since, until, names, ends, lambda rows: rows.filter(types))
    shown = [_cause(group, place, *ends[group.key]) for group in groups if group.key in ends]
    return Causes(shown=shown, count=count)


def _cause(group: _Group, place: str | None, first_day: date, last_day: date) -> Cause:
    result_type, *where = group.key
    return Cause(
        result_type=result_type,
        **({} if place is None else {place: where[0]}),
        failed_sessions=group.failed,
        reporters=group.reporters,
        operators=group.places if place is None else 0,
        first_day=first_day,
        last_day=last_day,
    )


class _Group(NamedTuple):
    key: tuple[str, ...]  # the result type, and the place
    failed: int
    reporters: int
    places: int  # that have a name
    first: Any  # see time_of
    last: Any


# By reporter first, because PostgreSQL sorts all rows for COUNT(DISTINCT …).
_GROUPS = """
SELECT {key}, SUM(failed) AS failed, {reporters}, COUNT(DISTINCT NULLIF({place}, '')),
       MIN(first_time), MAX(last_time), COUNT(*) OVER ()
FROM ({told}) told GROUP BY {key} ORDER BY failed DESC, {key} LIMIT {most}
"""


def _group(rows: QuerySet[Any], place: str | None, most: int | None) -> tuple[list[_Group], int]:
    """Add up by cause what is told by reporter, too: the first groups, and how many there are."""
    time = time_of(rows)
    told = rows.order_by().values("result_type", place or "operator", "reporter")
    told = told.annotate(failed=Sum("counted_failed_sessions"))
    told = told.annotate(first_time=Min(time), last_time=Max(time))
    inner, params = told.query.sql_with_params()
    statement = _GROUPS.format(
        key="result_type" if place is None else f"result_type, {place}",
        place=place or "operator",
        reporters="COUNT(DISTINCT reporter)" if place is None else "COUNT(*)",
        told=inner,
        most=limit_of(most),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found = cursor.fetchall()
    groups = [
        _Group(tuple(key), int(failed), reporters, places, as_time(first), as_time(last))
        for *key, failed, reporters, places, first, last, _ in found
    ]
    return groups, found[0][-1] if found else 0


def domain_counts(scope: Scope, found: Sequence[CauseKey], since: date, until: date) -> list[int]:
    """Give how many domains each of these causes touches; all are of one kind of key."""
    if _is_at("receiving_mx", found):
        return _counts(domain_failures_of(scope, since, until), found)
    keys = ("result_type", "operator") if _is_at("operator", found) else ("result_type",)
    groups = _domains_by(keys, scope, found, since, until)
    if groups is None:
        return _counts(causes_of(scope, since, until), found)
    counts = {tuple(key): domains for *key, domains in groups}
    return [counts.get(tuple(getattr(one, key) for key in keys), 0) for one in found]


def _domains_by(
    keys: tuple[str, ...], scope: Scope, found: Sequence[CauseKey], since: date, until: date
) -> QuerySet[Any, Any] | None:
    """Count domains from rows of which no two are of the same domain and keys, if there are such:
    to look for equal ones would take most of the time."""
    is_by_operator = "operator" in keys
    rows: QuerySet[Any] | None = cause_domains_of(scope, since, until)
    counted: Sum | Count = Sum("rows" if is_by_operator else "newest_rows")
    if rows is None:
        rows = (causes_of if is_by_operator else newest_causes_of)(scope, since, until)
        counted = Count("domain_id")
    if rows is None:
        return None
    groups: QuerySet[Any, Any] = _named(rows, found, *keys).values_list(*keys).annotate(counted)
    return groups


def _is_at(name: str, found: Sequence[CauseKey]) -> bool:
    return any(getattr(one, name) is not None for one in found)


def _counts(told: QuerySet[Any], found: Sequence[CauseKey]) -> list[int]:
    if not found:
        return []
    keys = "result_type", *(key for key in ("operator", "receiving_mx") if _is_at(key, found))
    counts = count_distinct(_named(told, found, *keys[1:]), keys, "domain_id")
    return [counts.get(tuple(getattr(one, key) for key in keys), 0) for one in found]


def _named(told: QuerySet[Any], found: Sequence[CauseKey], *keys: str) -> QuerySet[Any]:
    """Narrow rows to what these causes name, where that is not too much for a filter."""
    for key in keys:
        names = {getattr(one, key) for one in found}
        if len(names) <= MOST_NAMES:
            told = told.filter(**{f"{key}__in": names})
    return told


class CauseDay(NamedTuple):
    """The failed sessions of a cause on a day."""

    day: date
    failed_sessions: int = 0
    rows: int = 0  # of daily figures


def failed_by_day(scope: Scope, cause: CauseKey, since: date, until: date) -> list[CauseDay]:
    """Give every day of the span in order, zero where there were none."""
    rows = of_cause(failures_telling(cause)(scope, since, until), cause)
    counted = Count("*") if rows.model is DailyFailures else Sum("rows")
    told = rows.values_list("day").annotate(Sum("counted_failed_sessions"), counted=counted)
    found = {day: CauseDay(day, *counts) for day, *counts in told}
    return [found.get(day) or CauseDay(day) for day in days_between(since, until)]
