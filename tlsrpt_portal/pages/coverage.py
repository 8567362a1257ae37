"""Who lacks what, on any day, and is it getting better? A page to read and to file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from accounts.access import may_anywhere
from accounts.roles import Role
from domains.exception_queries import excepted_by_team, exceptions_by_domain
from domains.filters import NO_TEAM
from domains.history import DayCounts, DayState, counts_by_day, counts_by_team, states_on
from domains.lacks import Lack
from domains.models import CoverageException, Domain
from tlsrpt_portal.pages.coverage_scope import Scope, read_scope
from tlsrpt_portal.pages.span import read_span
from webui import charting
from webui.charting import Cell, Chart, day_address
from webui.exports import Sheet, asked_file
from webui.wording import PER_CENT, number, share
from webui.wording import day as day_words

COLUMNS = (
    ("tlsrpt", "valid", "TLS-RPT"),
    ("tlsrpt", "missing", "No TLS-RPT"),
    ("tlsrpt", "invalid", "Broken TLS-RPT"),
    ("sts", "enforce", "Enforce"),
    ("sts", "testing", "Testing"),
    ("sts", "missing", "No MTA-STS"),
    ("sts", "invalid", "Broken MTA-STS"),
    ("dane", "valid", "DANE"),
    ("dane", "missing", "No DANE"),
)
# Which exceptions the list behind an excepted number shows.
EXCEPTED_FROM = {
    ("tlsrpt", "missing"): Lack.TLSRPT,
    ("sts", "testing"): Lack.ENFORCE,
    ("sts", "missing"): Lack.MTA_STS,
    ("dane", "missing"): Lack.DANE,
}


HEADER = (
    "Day",
    "Domain",
    "Team",
    "Owner",
    "TLS-RPT",
    "MTA-STS",
    "DANE",
    "Excepted from",
    "Until",
    "Reason",
    "Approved by",
    # What other systems match by; last, so that earlier columns stay where they were.
    "ASCII name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """One cell of the matrix, with the lists of exactly these domains."""

    title: str
    count: int
    share: str
    href: str
    excepted: int
    excepted_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRow:
    """One team, or all."""

    name: str
    total: int
    href: str
    counts: list[Count]


def coverage_page(request: HttpRequest) -> HttpResponse:
    """Show teams by states on a day, and the history; or give the day's states as a file."""
    scope = read_scope(request)
    domains, on, today = scope.domains, scope.on, scope.today
    counts = counts_by_team(domains, on)
    excepted = excepted_by_team(domains, on)
    span = read_span(request)
    teams = {team.pk: team.name for team in scope.teams}
    history = counts_by_day(domains, today - timedelta(days=span.days), today)
    chart = history_chart(history, scope.team, span.days)
    rows = _rows(counts, excepted, teams, _list_of(scope))
    if file := asked_file(request, _domains_sheet(scope), _teams_sheet(on, rows), chart.sheet):
        return file
    context = {
        "scope": scope,
        "is_today": scope.is_today,
        "columns": [title for _, _, title in COLUMNS],
        "rows": rows,
        "total": sum(held.total for _, held in counts),
        "span": span,
        "chart": chart,
        "has_history": any(one.total for one in history),
        "may_manage": may_anywhere(request.user, Role.MANAGER),
        "made_at": timezone.now(),
    }
    return render(request, "pages/coverage.html", context)


def _rows(
    counts: list[tuple[int | None, DayCounts]],
    excepted: dict[int | None, Counter[tuple[str, str]]],
    teams: dict[int, str],
    listing: str,
) -> list[TeamRow]:
    ordered = sorted(counts, key=lambda one: (one[0] is None, teams.get(one[0] or 0, "").lower()))
    rows = [
        _row(
            teams.get(pk or 0, "No team"),
            held,
            excepted.get(pk, Counter()),
            str(pk or NO_TEAM),
            listing,
        )
        for pk, held in ordered
    ]
    if len(rows) > 1:
        total = DayCounts(
            day=counts[0][1].day,
            total=sum(held.total for _, held in counts),
            tlsrpt=sum((held.tlsrpt for _, held in counts), Counter()),
            sts=sum((held.sts for _, held in counts), Counter()),
            dane=sum((held.dane for _, held in counts), Counter()),
        )
        all_excepted = sum(excepted.values(), Counter())
        rows.append(_row("All", total, all_excepted, "", listing))
    return rows


def _list_of(scope: Scope) -> str:
    """Give the list behind the numbers: of today the inventory, with all one can do there."""
    if scope.is_today:
        return f"{reverse('domains:list')}?"
    return f"{day_address(_list_of_day(), scope.on)}&"


def _list_of_day() -> str:
    """Give the address of a list in which DAY stands for the day."""
    return f"{reverse('coverage:domains')}?on=DAY"


def _row(
    name: str, held: DayCounts, excepted: Counter[tuple[str, str]], team: str, listing: str
) -> TeamRow:
    def href(**query: str) -> str:
        return listing + urlencode({"team": team, **query} if team else query)

    by_aspect = {"tlsrpt": held.tlsrpt, "sts": held.sts, "dane": held.dane}
    return TeamRow(
        name=name,
        total=held.total,
        href=href(),
        counts=[
            Count(
                title=title,
                count=by_aspect[aspect][value],
                share=share(by_aspect[aspect][value], held.total),
                href=href(**{aspect: value}),
                excepted=excepted[aspect, value],
                excepted_href=href(
                    **{aspect: value, "exception": EXCEPTED_FROM.get((aspect, value), "")}
                ),
            )
            for aspect, value, title in COLUMNS
        ],
    )


def history_chart(history: Sequence[DayCounts], team: str, days_shown: int) -> Chart:
    """Draw the share of domains with TLS-RPT and with MTA-STS by day.

    `team` stays in its links, and the number of days shown in those to another day.
    """
    narrowed = f"&team={team}" if team else ""
    kept = f"{narrowed}&days={days_shown}"

    list_of_day = _list_of_day()

    def cell(one: DayCounts, count: int, state: str) -> Cell:
        href = f"{day_address(list_of_day, one.day)}{state}{narrowed}"
        return Cell(text=number(count), value=count, href=href)

    days = [one.day.isoformat() for one in history]

    def percent(counts: list[int]) -> list[float | None]:
        return [
            round(100 * count / one.total, 2) if one.total else None
            for count, one in zip(counts, history, strict=True)
        ]

    def line(name: str, counts: list[int], colour: str, dash: str) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": days,
            "y": percent(counts),
            "line": {"color": colour, "width": 2, "dash": dash, "shape": "hv"},
            "hovertemplate": f"%{{y:.0f}}{PER_CENT}<extra>" + name + "</extra>",
        }

    # Each line has a dash of its own: the colours alone do not tell them apart for everybody.
    data = [
        line("TLS-RPT", [one.tlsrpt["valid"] for one in history], charting.SESSIONS, "solid"),
        line("MTA-STS enforce", [one.sts["enforce"] for one in history], charting.OK, "solid"),
        line("MTA-STS testing", [one.sts["testing"] for one in history], charting.TESTING, "dot"),
        line("DANE", [one.dane["valid"] for one in history], charting.PALETTE[3], "dash"),
    ]
    more = {
        "xaxis": charting.day_axis(),
        "yaxis": charting.axis(range=[0, 100], ticksuffix=PER_CENT, nticks=6),
    }
    return Chart(
        id="coverage-chart",
        title="Coverage by day",
        figure={"data": data, "layout": charting.layout(300, **more)},
        columns=("Day", "Domains", "TLS-RPT", "Enforce", "Testing", "DANE"),
        rows=[
            (
                Cell(
                    text=day_words(one.day),
                    value=one.day,
                    href=f"?on={one.day.isoformat()}{kept}",
                ),
                cell(one, one.total, ""),
                cell(one, one.tlsrpt["valid"], "&tlsrpt=valid"),
                cell(one, one.sts["enforce"], "&sts=enforce"),
                cell(one, one.sts["testing"], "&sts=testing"),
                cell(one, one.dane["valid"], "&dane=valid"),
            )
            for one in reversed(history)
        ],
        height=300,
        day_href=f"?on=DAY{kept}",
    )


def _domains_sheet(scope: Scope) -> Sheet:
    """Give the states of each domain on the day, with its exceptions: what is filed."""
    return Sheet(
        name="domains",
        file_name=f"coverage-{scope.on.isoformat()}",
        header=HEADER,
        rows=lambda: sorted(_domain_cells(scope.on, states_on(scope.domains, scope.on))),
    )


def _domain_cells(on: date, states: Sequence[DayState]) -> Iterator[tuple[str, ...]]:
    domains = Domain.objects.select_related("team").in_bulk([one.domain_id for one in states])
    held = exceptions_by_domain(on)
    for one in states:
        domain = domains[one.domain_id]
        yield (
            on.isoformat(),
            domain.display_name,
            str(domain.team or ""),
            domain.owner,
            one.tlsrpt,
            one.sts,
            one.dane,
            *_exception_cells(held.get(one.domain_id, {})),
            domain.name,
        )


def _teams_sheet(on: date, rows: Sequence[TeamRow]) -> Sheet:
    """Give the matrix, with a column for what is excepted beside each that may be."""
    header = ["Day", "Team", "Domains"]
    for aspect, value, title in COLUMNS:
        header += [title, f"{title}, excepted"] if (aspect, value) in EXCEPTED_FROM else [title]
    return Sheet(
        name="teams",
        file_name=f"coverage-teams-{on.isoformat()}",
        header=header,
        rows=lambda: ([on.isoformat(), row.name, row.total, *_counts(row)] for row in rows),
    )


def _counts(row: TeamRow) -> Iterator[int]:
    for (aspect, value, _), cell in zip(COLUMNS, row.counts, strict=True):
        yield cell.count
        if (aspect, value) in EXCEPTED_FROM:
            yield cell.excepted


def _exception_cells(held: dict[Lack, CoverageException]) -> tuple[str, ...]:
    """Give what a domain is excepted from, until when, why, and who approved it."""
    ordered = [held[lack] for lack in Lack if lack in held]
    return (
        "; ".join(Lack(one.lack).label for one in ordered),
        "; ".join(one.expires_on.isoformat() for one in ordered),
        "; ".join(dict.fromkeys(one.reason for one in ordered)),
        "; ".join(dict.fromkeys(one.approver_name for one in ordered)),
    )
