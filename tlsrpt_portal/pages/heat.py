"""The heat map of failure rates: domains down, days across, as an ordinary table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

from domains.models import Domain
from reports.charts import reports_href
from reports.queries import DayFigures
from webui.charting import day_address
from webui.wording import day as day_words
from webui.wording import failure_rate, number

# (at least this rate, how much of the failure colour): steps, because eyes read no gradients.
STEPS = ((0.25, 100), (0.1, 78), (0.03, 56), (0.01, 38), (0.001, 24), (0.0, 12))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatRow:
    """One domain with its days as cells of a table."""

    domain: Domain
    cells: SafeString


def heat_rows(rows: Sequence[tuple[Domain, Sequence[DayFigures]]]) -> list[HeatRow]:
    """Give the rows of the heat map in the given order."""
    return [HeatRow(domain=domain, cells=_cells(domain, days)) for domain, days in rows]


def strength(rate: float) -> int:
    """Give how much of the failure colour a rate gets, in per cent; none for no failures."""
    if rate <= 0:
        return 0
    return next(share for least, share in STEPS if rate >= least)


def _cells(domain: Domain, days: Sequence[DayFigures]) -> SafeString:
    """Give the cells; not by a template, as there are some hundred of them."""
    name, day_href = domain.display_name, reports_href(day="DAY", domain=domain.name)
    cells = (_cell(name, one, day_address(day_href, one.day)) for one in days)
    return mark_safe("".join(cells))  # noqa: S308 — each value in a cell is escaped


def _cell(name: str, one: DayFigures, href: str) -> str:
    words = f"{name}, {day_words(one.day)}: "
    if one.sessions:
        words += f"{failure_rate(one.failures, one.sessions)} of {number(one.sessions)} failed"
    else:
        words += "not reported on"
    look = ""
    if share := strength(one.failure_rate or 0):
        colour = f"color-mix(in srgb, var(--chart-failures) {share}%, var(--surface-3))"
        look = f' style="background: {colour}"'
    elif not one.sessions:
        look = ' class="is-void"'
    told = escape(words)
    return (
        f'<td><a tabindex="-1" href="{escape(href)}" title="{told}"{look}>'
        f'<span class="visually-hidden">{told}</span></a></td>'
    )
