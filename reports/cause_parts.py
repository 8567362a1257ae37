"""A cause taken apart: by domain, reporter, operator and host.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import DateField, F, Max, Min, Sum, Value

from reports.cause_days import as_day, days_in_spans, time_of
from reports.cause_key import CauseKey, of_cause
from reports.cause_queries import domain_counts
from reports.fleet import (
    Fleet,
    Scope,
    cause_reporters_of,
    count_distinct,
    domain_cause_sums_of,
    domain_failures_of,
    limit_of,
)
from reports.models import DailyFailures


class Part(NamedTuple):
    """The part of a cause that one domain, reporter, operator or MX has; a fleet has thousands."""

    key: Any
    failed_sessions: int
    domains: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a cause, most failed sessions first, and how many there are."""

    shown: list[Part]
    count: int


class Told(NamedTuple):
    """What one reporter told of a cause at one operator."""

    reporter: str
    operator: str
    failed_sessions: int
    first_day: date
    last_day: date


def parts_by_domain(
    scope: Scope, cause: CauseKey, since: date, until: date, most: int | None = None
) -> Parts:
    """Give the part that each domain has, by its id: the first ones, or all."""
    return _first_parts(scope, cause, since, until, "domain_id", most)


def parts_by_reporter(told: Iterable[Told]) -> list[Part]:
    """Give the part that each reporter told of, without how many domains it told of."""
    return _fold((one.reporter, one) for one in told)


def parts_by_operator(
    told: Iterable[Told], scope: Scope, cause: CauseKey, since: date, until: date
) -> list[Part]:
    """Give the part that each operator of MX hosts has."""
    parts = _fold((one.operator, one) for one in told)
    if not parts:
        return []
    # How many domains have a cause is held, but neither at which host nor by whom it was told.
    if cause.receiving_mx is None and not cause.reporter:
        causes = [CauseKey(result_type=cause.result_type, operator=part.key) for part in parts]
        counts = domain_counts(scope, causes, since, until)
        return [part._replace(domains=n) for part, n in zip(parts, counts, strict=True)]
    rows = of_cause(domain_failures_of(scope, since, until), cause)
    domains = count_distinct(rows, ("operator",), "domain_id")
    return [part._replace(domains=domains.get((part.key,), 0)) for part in parts]


def parts_by_host(
    scope: Scope, cause: CauseKey, since: date, until: date, most: int | None = None
) -> Parts:
    """Give the part that each receiving MX of a cause at one operator has: the first, or all."""
    return _first_parts(scope, cause, since, until, "receiving_mx", most)


def told_of(scope: Scope, cause: CauseKey, since: date, until: date) -> list[Told]:
    """Give what reporters told of a cause, by operator."""
    is_by_host = cause.receiving_mx is not None
    read = domain_failures_of if is_by_host else cause_reporters_of
    rows = of_cause(read(scope, since, until), cause)
    names, time = ("reporter", "operator"), time_of(rows)
    found = list(
        rows.values_list(*names).annotate(Sum("counted_failed_sessions"), Min(time), Max(time))
    )
    ends = {(reporter, operator): (first, last) for reporter, operator, _, first, last in found}
    if isinstance(scope, Fleet) and time == "span":
        ends = days_in_spans(scope, since, until, names, ends, lambda rows: of_cause(rows, cause))
    return [
        Told(reporter, operator, failed, *ends[reporter, operator])
        for reporter, operator, failed, *_ in found
        if (reporter, operator) in ends
    ]


# By domain first, because PostgreSQL sorts all rows for COUNT(DISTINCT …).
_BY_DOMAIN = """
SELECT part, of_domain, SUM(failed) AS failed,
       MIN(first_day) AS first_day, MAX(last_day) AS last_day
FROM ({rows}) sums GROUP BY part, of_domain
"""
_PARTS = """
SELECT part, SUM(failed) AS failed, {domains}, MIN(first_day), MAX(last_day), COUNT(*) OVER ()
FROM ({rows}) told GROUP BY part ORDER BY failed DESC, part LIMIT {most}
"""


def _first_parts(
    scope: Scope, cause: CauseKey, since: date, until: date, name: str, most: int | None
) -> Parts:
    """Group by a column of daily figures."""
    days = domain_failures_of(scope, since, until)
    sums = [days] if cause.reporter else domain_cause_sums_of(scope, since, until)
    # Long spans do not say on which day.
    has_days = all(rows.model is DailyFailures for rows in sums)
    day = F("day") if has_days else Value(None, output_field=DateField())
    asked = [
        of_cause(rows, cause)
        .order_by()
        .values(
            part=F(name),
            of_domain=F("domain_id"),
            failed=F("counted_failed_sessions"),
            first_day=day,
            last_day=day,
        )
        .query.sql_with_params()
        for rows in sums
    ]
    rows = " UNION ALL ".join(sql for sql, _ in asked)
    is_by_domain = name == "domain_id"
    statement = _PARTS.format(
        domains="1" if is_by_domain else "COUNT(*)",
        rows=rows if is_by_domain else _BY_DOMAIN.format(rows=rows),
        most=limit_of(most),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for _, params in asked for value in params])
        found = cursor.fetchall()
    if has_days:
        ends = {key: (as_day(first), as_day(last)) for key, _, _, first, last, _ in found}
    else:
        shown = of_cause(days, cause)
        if most is not None:
            shown = shown.filter(**{f"{name}__in": [key for key, *_ in found]})
        ends = {
            key: (first, last)
            for key, first, last in shown.values_list(name).annotate(Min("day"), Max("day"))
        }
    # What a roll-up has taken away since is left out.
    parts = [
        Part(key, int(failed), domains, *ends[key])
        for key, failed, domains, *_ in found
        if key in ends
    ]
    return Parts(shown=parts, count=found[0][-1] if found else 0)


def _fold(told: Iterable[tuple[str, Told]]) -> list[Part]:
    parts: dict[str, Part] = {}
    for key, one in told:
        held = parts.get(key) or Part(key, 0, 0, one.first_day, one.last_day)
        parts[key] = Part(
            key,
            held.failed_sessions + one.failed_sessions,
            0,
            min(held.first_day, one.first_day),
            max(held.last_day, one.last_day),
        )
    return sorted(parts.values(), key=lambda part: (-part.failed_sessions, part.key))
