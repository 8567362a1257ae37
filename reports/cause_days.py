"""When causes were told of first and last.

Where they are added up in spans of days (reports.sum_models), the first and the last span of each
is known at once, and only the days of these spans have to be looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.db.models import Max, Min, QuerySet

from reports.fleet import Fleet, cause_days_of, failures_on
from reports.spans import day_of, days_within
from reports.sum_models import TeamCauseSpan

Narrow = Callable[[QuerySet[Any]], QuerySet[Any]]


def time_of(rows: QuerySet[Any]) -> str:
    """Name the column that says when: of sums the span of days, of daily figures the day."""
    return "span" if rows.model is TeamCauseSpan else "day"


def as_time(value: int | date | str) -> int | date:
    """Give a value of that column as read with SQL."""
    return value if isinstance(value, int) else as_day(value)


def as_day(value: date | str) -> date:
    """Give the first or last day of a group as read with SQL: SQLite gives it as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def days_in_spans(
    fleet: Fleet,
    since: date,
    until: date,
    names: tuple[str, ...],
    ends: Mapping[tuple[Any, ...], tuple[int, int]],
    narrow: Narrow,
) -> dict[tuple[Any, ...], tuple[date, date]]:
    """Give the first and the last day from the first and the last span.

    Both by key, whose columns are `names`; `narrow` keeps the rows that all of this is about. What
    a roll-up has taken away since the spans were read is left out.
    """
    days = days_within({span for pair in ends.values() for span in pair}, since, until)
    if "reporter" in names:
        by_key = narrow(cause_days_of(fleet, days)).values_list(*names)
        told = by_key.annotate(Min("span"), Max("span"))
        return {tuple(key): (day_of(first), day_of(last)) for *key, first, last in told}
    by_day = narrow(failures_on(fleet, days)).values_list(*names)
    found = by_day.annotate(Min("day"), Max("day"))
    return {tuple(key): (first, last) for *key, first, last in found}
