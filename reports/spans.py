"""Spans of 1, 4, 16 and 64 days that lie end to end, and how few of them make up any number of
days: a year is about fourteen instead of 365 rows of a domain. Pure.

A span is named by one number, made of its first day and its length.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

# Each a multiple of the one before, so that the longer ones begin where shorter ones do.
LENGTHS = (1, 4, 16, 64)
KEYS_A_DAY = 128  # more than the longest span has days: no two spans have one number


def days_between(since: date, until: date) -> list[date]:
    """Give the days from one to another, both included."""
    return [date.fromordinal(n) for n in range(since.toordinal(), until.toordinal() + 1)]


def span_key(ordinal: int, length: int) -> int:
    """Give the number of the span of this length that holds a day (`date.toordinal`)."""
    return ordinal // length * length * KEYS_A_DAY + length


def day_key(day: date) -> int:
    """Give the number of the span that is one day."""
    return span_key(day.toordinal(), 1)


def last_key(day: date) -> int:
    """Give the largest number of the spans that begin on this day or before."""
    return day.toordinal() * KEYS_A_DAY + LENGTHS[-1]


def day_of(key: int) -> date:
    """Give the first day of a span."""
    return date.fromordinal(key // KEYS_A_DAY)


def last_day_around(day: date) -> date:
    """Give the last day of the longest span that holds a day."""
    length = LENGTHS[-1]
    return date.fromordinal(day.toordinal() // length * length + length - 1)


def spans_between(since: date, until: date) -> list[int]:
    """Give the fewest spans that together are exactly the days from `since` to `until`."""
    at, end = since.toordinal(), until.toordinal() + 1
    keys = []
    while at < end:
        length = next(
            length for length in reversed(LENGTHS) if at % length == 0 and at + length <= end
        )
        keys.append(span_key(at, length))
        at += length
    return keys


def days_and_longer(keys: Iterable[int]) -> tuple[list[date], list[int]]:
    """Tell the spans that are a day, as days, from the longer ones."""
    held = list(keys)
    days = [day_of(key) for key in held if key % KEYS_A_DAY == 1]
    return days, [key for key in held if key % KEYS_A_DAY > 1]


def longest_between(since: date, until: date) -> tuple[list[int], list[tuple[date, date]]]:
    """Give the longest spans between two days, and the first and last days of what is around."""
    length = LENGTHS[-1]
    start = -(-since.toordinal() // length) * length
    end = (until.toordinal() + 1) // length * length
    if start >= end:
        return [], [(since, until)]
    keys = [span_key(at, length) for at in range(start, end, length)]
    around = [
        (since, date.fromordinal(start - 1)),
        (date.fromordinal(end), until),
    ]
    return keys, [(first, last) for first, last in around if first <= last]


def days_within(keys: Iterable[int], since: date, until: date) -> list[date]:
    """Give the days from `since` to `until` that these spans hold."""
    first, last = since.toordinal(), until.toordinal()
    days: set[int] = set()
    for key in keys:
        start, length = divmod(key, KEYS_A_DAY)
        days.update(range(max(start, first), min(start + length - 1, last) + 1))
    return [date.fromordinal(day) for day in sorted(days)]
