"""One cause of failures: what it means, what to do, whom it touches, and who says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from mailtls.catalogue.result_types import describe_result_type, explain_reason
from reports import cause_queries
from reports import evidence as details
from reports.cause_key import CauseKey
from reports.cause_parts import Part
from reports.cause_queries import CauseDay
from reports.evidence import Newest
from reports.models import FailureDetail
from reports.queries import first_kept_day
from reports.signs import cause_name
from tlsrpt_portal.pages.failure_files import named, sheets_of, with_domains
from tlsrpt_portal.pages.failure_parts import (
    MOST_ROWS,
    at_place,
    place_of,
    place_words,
    read_parts,
)
from tlsrpt_portal.pages.failure_scope import Asked, read_asked, scope_words
from webui import charting
from webui.charting import Cell, Chart, day_address
from webui.exports import asked_file, asked_format
from webui.wording import day as day_words
from webui.wording import number

MOST_EVIDENCE = 25

MOST_REASONS = 10


def failure_group(request: HttpRequest) -> HttpResponse:
    """Show one cause."""
    asked = read_asked(request)
    span, domains = asked.span, asked.domains
    if "cause" not in request.GET:
        raise Http404
    cause = CauseKey(
        result_type=asked.cause[:64],
        operator=request.GET.get("operator"),
        receiving_mx=request.GET.get("mx"),
        reporter=request.GET.get("reporter", "")[:200],
    )
    days = cause_queries.failed_by_day(domains, cause, span.since, span.until)
    # A file has all of them.
    most = None if asked_format(request) else MOST_ROWS
    parts = read_parts(domains, cause, span, most)
    told = {"cause": cause.result_type, **cause.in_address}
    chart = _chart(days, asked.day_href(**told))
    found = details.evidence(domains, cause, span.since, span.until, parts.by_domain)
    newest = details.newest_details(domains, cause, days)
    reasons = details.reasons_of(newest.details)
    given = None
    if (reason := request.GET.get("reason")) is not None:
        found = found.filter(failure_reason_code=reason)
        given = next((one for one in reasons if one.code == reason), None)
    if file := asked_file(request, *sheets_of(cause, parts, reasons, found, given), chart.sheet):
        return file
    context = {
        "span": span,
        "cause": cause,
        "name": cause_name(cause.result_type),
        "words": describe_result_type(cause.result_type),
        "failed": sum(day.failed_sessions for day in days),
        "chart": chart,
        "domains": [
            (domain, part, asked.reports_href(domain=domain.name, **told))
            for domain, part in with_domains(parts.by_domain.shown)
        ],
        "domain_count": parts.by_domain.count,
        "reporters": [_reporter_links(asked, cause, part) for part in parts.by_reporter],
        "is_by_operator": cause.operator is None,
        "places": [
            (place_words(cause, part.key), part, asked.group_href(at_place(cause, part.key)))
            for part in parts.by_place.shown[:MOST_ROWS]
        ],
        "place_count": parts.by_place.count,
        "place": place_of(cause),
        "reasons": [
            (one, explain_reason(one.code) or "", asked.group_href(cause, reason=one.code))
            for one in reasons[:MOST_REASONS]
        ],
        "newest_details": details.NEWEST_DETAILS,
        "reason": reason,
        "given": given,
        "given_domains": list(named(given.by_domain[:MOST_ROWS])) if given else [],
        "group_href": asked.group_href(cause),
        "all_reporters_href": asked.group_href(replace(cause, reporter="")),
        "list_href": asked.list_href(),
        "narrowed_to": scope_words(asked.scope, request.user),
        "evidence": [
            (detail, explain_reason(detail.failure_reason_code) or "")
            for detail in _evidence(found, newest, reason)
        ],
        "reports_href": asked.reports_href(**told),
        "gone_before": first if span.since < (first := first_kept_day()) else None,
    }
    return render(request, "failures/group.html", context)


def _evidence(
    found: QuerySet[FailureDetail], newest: Newest, reason: str | None
) -> list[FailureDetail]:
    """Give the newest details that matched, by day; what is known of them already is not asked
    of the database again."""
    matching = [one.pk for one in newest.details if reason in (None, one.reason_code)]
    if len(matching) >= MOST_EVIDENCE or newest.are_all:
        found = details.details_with_reports().filter(pk__in=matching[:MOST_EVIDENCE])
    return sorted(found[:MOST_EVIDENCE], key=_newest_first)


def _reporter_links(asked: Asked, cause: CauseKey, part: Part) -> tuple[Part, str, str]:
    """Give a reporter's part, its reports, and this page as it alone tells of it.

    No address narrows to those who give no name.
    """
    if not part.key:
        return part, "", ""
    alone = replace(cause, reporter=part.key)
    reports = asked.reports_href(cause=cause.result_type, **alone.in_address)
    return part, reports, asked.group_href(alone)


def _newest_first(detail: FailureDetail) -> tuple[int, int]:
    return -detail.result.day.toordinal(), -detail.pk


def _chart(days: Sequence[CauseDay], day_href: str) -> Chart:
    bar = {
        "type": "bar",
        "name": "Failed sessions",
        "x": [one.day.isoformat() for one in days],
        "y": [one.failed_sessions for one in days],
        "marker": {"color": charting.FAILURES},
        "hovertemplate": "%{y:,} failed<extra></extra>",
    }
    more = {
        "xaxis": charting.day_axis(),
        "yaxis": charting.axis(title={"text": "Failed sessions"}, tickformat="~s"),
        "showlegend": False,
    }
    return Chart(
        id="group-chart",
        title="Failed sessions by day",
        figure={"data": [bar], "layout": charting.layout(240, **more)},
        columns=("Day", "Failed sessions"),
        rows=[
            (
                Cell(
                    text=day_words(one.day),
                    value=one.day,
                    href=day_address(day_href, one.day),
                ),
                Cell(text=number(one.failed_sessions), value=one.failed_sessions),
            )
            for one in reversed(days)
        ],
        height=240,
        day_href=day_href,
    )
