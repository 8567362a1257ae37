"""Who reports, how regularly, and who went silent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from reports import reporter_queries
from reports.fleet import Fleet
from tlsrpt_portal.pages.none_yet import none_yet
from tlsrpt_portal.pages.span import Span, read_span
from webui.exports import Sheet, asked_file
from webui.status import Sign, Tone
from webui.wording import plural

# A reporter that sent on at least this share of the days is regular.
REGULAR_SHARE = 0.8
SILENT_AFTER_DAYS = 3
MOST_FORGOTTEN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One reporter in the span."""

    figures: reporter_queries.ReporterFigures
    cadence: str
    sign: Sign


def reporters(request: HttpRequest) -> HttpResponse:
    """Show the reporters of the span, and those that sent before it and not in it."""
    span = read_span(request)
    fleet = Fleet(request.user)
    found = reporter_queries.by_reporter(fleet, span.since, span.until)
    rows = [_row(one, span) for one in found]
    if file := asked_file(request, _sheet(rows)):
        return file
    last_days = reporter_queries.last_heard_of(fleet).items()
    forgotten = [(name, last) for name, last in last_days if last < span.since]
    context = {
        "span": span,
        "rows": rows,
        "total": sum(one.sessions for one in found),
        "forgotten": forgotten[:MOST_FORGOTTEN],
    } | (none_yet(fleet) if not rows else {})
    return render(request, "reporters/list.html", context)


def _row(one: reporter_queries.ReporterFigures, span: Span) -> Row:
    covered = (one.last_day - one.first_day).days + 1
    is_regular = one.days >= REGULAR_SHARE * covered and one.days > 2
    cadence = "every day" if is_regular else f"{one.days} of {plural(span.days, 'day')}"
    return Row(figures=one, cadence=cadence, sign=silence_sign(one.last_day, is_regular=is_regular))


def silence_sign(last_day: date, *, is_regular: bool) -> Sign:
    """Say whether a reporter is on time, late or silent; one that never was regular is neither."""
    days = (timezone.now().date() - last_day).days
    if days <= SILENT_AFTER_DAYS:
        return Sign(Tone.OK, "On time")
    if not is_regular:
        return Sign(Tone.NONE, f"{days} days ago", "clock")
    return Sign(Tone.WARN, f"Silent for {days} days", "", "It reported every day before.")


def _sheet(rows: list[Row]) -> Sheet:
    header = ("Reporter", "Domains", "Days", "Sessions", "Failed", "First day", "Last day", "State")
    return Sheet(
        name="reporters",
        file_name="reporters",
        header=header,
        rows=lambda: (
            (
                row.figures.reporter,
                row.figures.domains,
                row.figures.days,
                row.figures.sessions,
                row.figures.failures,
                row.figures.first_day,
                row.figures.last_day,
                row.sign.word,
            )
            for row in rows
        ),
    )
