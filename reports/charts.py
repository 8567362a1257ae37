"""Figures about sessions and failures, from the daily figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from reports.queries import DayFigures
from webui import charting
from webui.charting import Cell, Chart, day_address
from webui.wording import PER_CENT, failure_rate, number
from webui.wording import day as day_words

MAX_MARK_WORDS = 4


@dataclass(frozen=True, slots=True)
class Mark:
    """Something of our own that happened on a day: a record, policy or MX set that changed.

    `domain` is its name where it happened at one of several.
    """

    day: date
    words: str
    domain: str = ""


def sessions_chart(
    figures: Sequence[DayFigures],
    marks: Sequence[Mark] = (),
    *,
    chart_id: str = "sessions-chart",
    title: str = "Sessions and failures by day",
    query: dict[str, str] | None = None,
    height: int = 360,
) -> Chart:
    """Draw delivered and failed sessions by day, the failure rate below, our changes across both.

    `query` narrows the list of reports that a click on a day leads to.
    """
    days = [one.day.isoformat() for one in figures]
    rates = [None if one.failure_rate is None else 100 * one.failure_rate for one in figures]
    delivered = [one.sessions - one.failures for one in figures]
    failed = [one.failures for one in figures]
    data: list[dict[str, Any]] = [
        _bar("Delivered", days, delivered, charting.SESSIONS),
        _bar("Failed", days, failed, charting.FAILURES),
        {
            "type": "scatter",
            "name": "Failure rate",
            "x": days,
            "y": rates,
            "yaxis": "y2",
            "mode": "lines",
            "line": {"color": charting.FAILURES, "width": 2},
            "fill": "tozeroy",
            "fillcolor": "rgba(213,94,0,0.12)",
            "hovertemplate": f"%{{y:.2f}}{PER_CENT}<extra>Failure rate</extra>",
            "showlegend": False,
        },
    ]
    top_rate = max((rate for rate in rates if rate), default=0.0)
    more: dict[str, Any] = {
        "barmode": "stack",
        "xaxis": charting.day_axis(anchor="y2"),
        "yaxis": charting.axis(
            domain=[0.36, 0.94], title={"text": "Sessions"}, tickformat="~s", nticks=5
        ),
        # A quiet fleet must not look like an alarm: the axis reaches at least 1 %.
        "yaxis2": charting.axis(
            domain=[0, 0.26],
            title={"text": "Failure rate"},
            ticksuffix=PER_CENT,
            nticks=4,
            range=[0, max(1.0, top_rate * 1.15)],
        ),
    }
    if marks:
        data.append(_mark_trace(marks))
        more["yaxis3"] = {
            "domain": [0.95, 1],
            "visible": False,
            "range": [0, 1],
            "fixedrange": True,
        }
        more["shapes"] = [_mark_line(day) for day in sorted({mark.day for mark in marks})]
    day_href = reports_href(day="DAY", **(query or {}))
    return Chart(
        id=chart_id,
        title=title,
        figure={"data": data, "layout": charting.layout(height, **more)},
        columns=("Day", "Sessions", "Failed", "Failure rate", "Our changes"),
        words=frozenset({"Our changes"}),
        rows=_rows(figures, marks, day_href),
        height=height,
        day_href=day_href,
    )


def reports_href(**query: str) -> str:
    """Give the address of the reports that these filters leave."""
    return f"{reverse('reports:list')}?{urlencode(query)}"


def fleet_reports_href(**query: str) -> str:
    """Give the address of the reports on watched domains that these filters leave."""
    return reports_href(about="watched", **query)


def _bar(name: str, days: list[str], values: list[int], colour: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": days,
        "y": values,
        "marker": {"color": colour},
        "hovertemplate": "%{y:,}<extra>" + name + "</extra>",
    }


def _mark_trace(marks: Sequence[Mark]) -> dict[str, Any]:
    by_day: dict[date, list[str]] = {}
    for mark in marks:
        by_day.setdefault(mark.day, []).append(mark.words)
    days = sorted(by_day)
    return {
        "type": "scatter",
        "name": "Our changes",
        "mode": "markers",
        "x": [day.isoformat() for day in days],
        "y": [0.5] * len(days),
        "yaxis": "y3",
        "text": [_mark_words(by_day[day]) for day in days],
        "marker": {"symbol": "diamond", "size": 10, "color": charting.CHANGE},
        "hovertemplate": "%{text}<extra></extra>",
    }


def _mark_words(words: list[str]) -> str:
    shown = words[:MAX_MARK_WORDS]
    if len(words) > len(shown):
        shown.append(f"and {len(words) - len(shown)} more")
    # Plotly reads a subset of HTML in hover texts: what domains publish must not become markup.
    return "<br>".join(word.replace("&", "&amp;").replace("<", "&lt;") for word in shown)


def _mark_line(day: date) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": day.isoformat(),
        "x1": day.isoformat(),
        "y0": 0,
        "y1": 0.97,
        "line": {"color": charting.CHANGE, "width": 1, "dash": "dot"},
        "layer": "below",
    }


def _rows(
    figures: Sequence[DayFigures], marks: Sequence[Mark], day_href: str
) -> list[tuple[Cell, ...]]:
    changes: dict[date, list[str]] = {}
    for mark in marks:
        changes.setdefault(mark.day, []).append(mark.words)
    return [
        (
            Cell(
                text=day_words(one.day),
                value=one.day,
                href=day_address(day_href, one.day),
            ),
            Cell(text=number(one.sessions), value=one.sessions),
            Cell(text=number(one.failures), value=one.failures),
            Cell(text=failure_rate(one.failures, one.sessions)),
            Cell(text="; ".join(changes.get(one.day, []))),
        )
        for one in reversed(figures)
    ]
