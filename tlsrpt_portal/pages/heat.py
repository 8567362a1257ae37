"""The heat map of failure rates: domains down, days across, as an ordinary table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domains.models import Domain
from reports.charts import reports_href
from reports.queries import DayFigures
from webui.charting import day_address
from webui.wording import day as day_words
from webui.wording import failure_rate, number

# (at least this rate, how much of the failure colour): steps, because eyes read no gradients.
STEPS = ((0.25, 100), (0.1, 78), (0.03, 56), (0.01, 38), (0.001, 24), (0.0, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatCell:
    """One day of one domain."""

    day: date
    strength: int
    has_sessions: bool
    words: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """The days of one domain."""

    domain: Domain
    failures: int
    cells: list[HeatCell]


def heat_rows(rows: Sequence[tuple[Domain, Sequence[DayFigures]]]) -> list[HeatRow]:
    """Give the rows of the heat map in the given order."""
    return [
        HeatRow(
            domain=domain,
            failures=sum(day.failures for day in days),
            cells=_cells(domain, days),
        )
        for domain, days in rows
    ]


def strength(rate: float) -> int:
    """Give how much of the failure colour a rate gets, in per cent; none for no failures."""
    if rate <= 0:
        return 0
    return next(share for least, share in STEPS if rate >= least)


def _cells(domain: Domain, days: Sequence[DayFigures]) -> list[HeatCell]:
    day_href = reports_href(day="DAY", domain=domain.name)
    return [_cell(domain, one, day_address(day_href, one.day)) for one in days]


def _cell(domain: Domain, one: DayFigures, href: str) -> HeatCell:
    words = f"{domain.display_name}, {day_words(one.day)}: "
    if one.sessions:
        words += f"{failure_rate(one.failures, one.sessions)} of {number(one.sessions)} failed"
    else:
        words += "not reported on"
    return HeatCell(
        day=one.day,
        strength=strength(one.failure_rate or 0),
        has_sessions=bool(one.sessions),
        words=words,
        href=href,
    )
