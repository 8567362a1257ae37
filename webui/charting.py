"""What all charts share: one look, and the table behind each of them.

Figures are plain dictionaries in Plotly's form. Colours are names of the style sheet's variables,
so that a chart follows the theme and the same thing has the same colour everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from webui.exports import Sheet

SESSIONS = "var(--chart-sessions)"
FAILURES = "var(--chart-failures)"
CHANGE = "var(--chart-change)"
OK = "var(--chart-ok)"
TESTING = "var(--chart-testing)"
NONE = "var(--chart-none)"
INK = "var(--ink)"
QUIET_INK = "var(--ink-3)"
GRID = "var(--chart-grid)"
# For things without a meaning of their own; colour-blind safe (Okabe and Ito).
PALETTE = tuple(f"var(--chart-{number})" for number in range(1, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of the table behind a chart."""

    text: str
    href: str = ""
    # The same for files, where it is more than the text: a number, or a day.
    value: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure with its name and the same figures as a table."""

    id: str
    title: str
    figure: dict[str, Any]
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    height: int = 340
    # Where a click on a day leads; DAY stands for the day.
    day_href: str = ""
    table_note: str = field(default="Show as a table")
    # The columns that hold words; the others, but for the first, hold numbers.
    words: frozenset[str] = frozenset()

    @property
    def headings(self) -> list[tuple[str, bool]]:
        """Give the columns' names, and whether each holds numbers."""
        return [(name, at > 0 and name not in self.words) for at, name in enumerate(self.columns)]

    @property
    def body(self) -> SafeString:
        """Give the table's rows as markup; not by a template, which takes four times as long."""
        opening = ['<td class="end">' if is_number else "<td>" for _, is_number in self.headings]
        rows = (
            "".join(f"{tag}{_content(cell)}</td>" for tag, cell in zip(opening, row, strict=True))
            for row in self.rows
        )
        return mark_safe("".join(f"<tr>{row}</tr>\n" for row in rows))  # noqa: S308

    @property
    def sheet(self) -> Sheet:
        """Give the table as a file."""
        return Sheet(
            name=self.id,
            file_name=self.title.lower().replace(" ", "-").replace(",", ""),
            header=self.columns,
            rows=lambda: (
                [cell.text if cell.value is None else cell.value for cell in row]
                for row in self.rows
            ),
        )


def _content(cell: Cell) -> str:
    text = escape(cell.text)
    return f'<a href="{escape(cell.href)}">{text}</a>' if cell.href else text


def day_address(day_href: str, day: date) -> str:
    """Give the address for one day from that in which DAY stands for it."""
    return day_href.replace("DAY", day.isoformat(), 1)


def layout(height: int, **more: Any) -> dict[str, Any]:
    """Give the layout that all charts begin with."""
    return {
        "height": height,
        "margin": {"l": 52, "r": 16, "t": 8, "b": 32},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"size": 12, "color": QUIET_INK},
        "hovermode": "x unified",
        "hoverlabel": {
            "bgcolor": "var(--surface)",
            "bordercolor": "var(--line-strong)",
            "font": {"color": INK, "size": 12},
        },
        "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "bargap": 0.22,
        "dragmode": False,
    } | more


def axis(**more: Any) -> dict[str, Any]:
    """Give an axis of values: zero-based, quiet grid."""
    return {
        "rangemode": "tozero",
        "gridcolor": GRID,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"color": QUIET_INK},
        "automargin": True,
    } | more


def day_axis(**more: Any) -> dict[str, Any]:
    """Give an axis of days."""
    return {
        "type": "date",
        "showgrid": False,
        "fixedrange": True,
        "tickformat": "%-d %b",
        "hoverformat": "%A, %-d %B %Y",
        "linecolor": GRID,
        # Few, so that they fit a phone unturned: turned ones reach below the chart.
        "nticks": 6,
        "tickangle": 0,
        "tickfont": {"color": QUIET_INK},
    } | more
