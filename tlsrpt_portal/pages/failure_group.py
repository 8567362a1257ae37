"""One cause of failures: what it means, what to do, whom it touches, and who says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from domains.models import Domain
from mailtls.catalogue.result_types import describe_result_type, explain_reason
from reports import cause_queries
from reports.cause_queries import CauseKey, Part, Parts, Reason
from reports.models import FailureDetail
from reports.signs import cause_name
from tlsrpt_portal.pages.failure_scope import Asked, read_asked, scope_words
from webui import charting
from webui.charting import Cell, Chart, day_address
from webui.exports import Sheet, asked_file
from webui.wording import day as day_words
from webui.wording import number

MOST_ROWS = 100
MOST_EVIDENCE = 25
MOST_REASONS = 10
# What is told of a domain: its part of the cause, or a number.
Told = TypeVar("Told")
# So many details are worth a file; a cause of years may have millions.
MOST_EVIDENCE_IN_FILES = 10_000


def failure_group(request: HttpRequest) -> HttpResponse:
    """Show one cause."""
    asked = read_asked(request)
    span, domains = asked.span, asked.domains
    if "cause" not in request.GET:
        raise Http404
    cause = CauseKey(
        result_type=asked.cause[:64],
        receiving_mx=request.GET.get("mx"),
        reporter=request.GET.get("reporter", "")[:200],
    )
    days = cause_queries.failed_by_day(domains, cause, span.since, span.until)
    parts = cause_queries.parts_of(domains, cause, span.since, span.until)
    told = {"cause": cause.result_type, **cause.in_address}
    chart = _chart(days, asked.day_href(**told))
    found = cause_queries.evidence(domains, cause, span.since, span.until)
    reasons = cause_queries.reasons_of(found)
    given = None
    if (reason := request.GET.get("reason")) is not None:
        found = found.filter(failure_reason_code=reason)
        given = next((one for one in reasons if one.code == reason), None)
    if file := asked_file(request, *_sheets(parts, reasons, found, given), chart.sheet):
        return file
    context = {
        "span": span,
        "cause": cause,
        "name": cause_name(cause.result_type),
        "words": describe_result_type(cause.result_type),
        "failed": sum(count for _, count in days),
        "chart": chart,
        "domains": [
            (domain, part, asked.reports_href(domain=domain.name, **told))
            for domain, part in _with_domains(parts.by_domain[:MOST_ROWS])
        ],
        "domain_count": len(parts.by_domain),
        "reporters": [_reporter_links(asked, cause, part) for part in parts.by_reporter],
        "mxs": [
            (part, asked.group_href(replace(cause, receiving_mx=part.key)))
            for part in parts.by_receiving_mx
        ]
        if cause.receiving_mx is None
        else [],
        "reasons": [
            (one, explain_reason(one.code) or "", asked.group_href(cause, reason=one.code))
            for one in reasons[:MOST_REASONS]
        ],
        "newest_details": cause_queries.NEWEST_DETAILS,
        "reason": reason,
        "given": given,
        "given_domains": list(_named(given.by_domain[:MOST_ROWS])) if given else [],
        "group_href": asked.group_href(cause),
        "all_reporters_href": asked.group_href(replace(cause, reporter="")),
        "list_href": asked.list_href(),
        "narrowed_to": scope_words(asked.scope),
        "evidence": [
            (detail, explain_reason(detail.failure_reason_code) or "")
            for detail in sorted(found[:MOST_EVIDENCE], key=_newest_first)
        ],
        "reports_href": asked.reports_href(**told),
    }
    return render(request, "failures/group.html", context)


def _reporter_links(asked: Asked, cause: CauseKey, part: Part) -> tuple[Part, str, str]:
    """Give a reporter's part, its reports, and this page as it alone tells of it.

    No address narrows to those who give no name.
    """
    if not part.key:
        return part, "", ""
    alone = replace(cause, reporter=part.key)
    reports = asked.reports_href(cause=cause.result_type, **alone.in_address)
    return part, reports, asked.group_href(alone)


def _with_domains(parts: Sequence[Part]) -> Iterator[tuple[Domain, Part]]:
    return _named([(part.key, part) for part in parts])


def _named(rows: Sequence[tuple[int, Told]]) -> Iterator[tuple[Domain, Told]]:
    """Give what is told of each domain together with it; one query."""
    domains = Domain.objects.select_related("team").in_bulk([key for key, _ in rows])
    return ((domains[key], told) for key, told in rows if key in domains)


def _sheets(
    parts: Parts,
    reasons: Sequence[Reason],
    found: QuerySet[FailureDetail],
    given: Reason | None,
) -> list[Sheet]:
    of_reason = _sheets_of_reason(given) if given else []
    return [
        Sheet(
            name="domains",
            file_name="failures-domains",
            header=("Domain", "Team", "Failed sessions", "First day", "Last day"),
            rows=lambda: (
                (
                    domain.name,
                    domain.team or "",
                    part.failed_sessions,
                    part.first_day,
                    part.last_day,
                )
                for domain, part in _with_domains(parts.by_domain)
            ),
        ),
        Sheet(
            name="reporters",
            file_name="failures-reporters",
            header=("Reporter", "Failed sessions", "Domains", "First day", "Last day"),
            rows=lambda: map(_part_cells, parts.by_reporter),
        ),
        Sheet(
            name="mx",
            file_name="failures-receiving-mx",
            header=("Receiving MX", "Failed sessions", "Domains", "First day", "Last day"),
            rows=lambda: map(_part_cells, parts.by_receiving_mx),
        ),
        Sheet(
            name="reasons",
            file_name="failures-reasons",
            header=("Reason given", "Meaning", "Failed sessions", "Domains", "Reporters"),
            rows=lambda: (
                (
                    one.code,
                    explain_reason(one.code) or "",
                    one.failed_sessions,
                    len(one.by_domain),
                    len(one.by_reporter),
                )
                for one in reasons
            ),
        ),
        Sheet(
            name="evidence",
            file_name="failures-evidence",
            header=(
                "Report",
                "Reporter",
                "Day",
                "Domain",
                "Failed sessions",
                "Sending MTA",
                "Receiving MX",
                "Reason given",
            ),
            rows=lambda: map(_detail_cells, found[:MOST_EVIDENCE_IN_FILES]),
        ),
        *of_reason,
    ]


def _sheets_of_reason(given: Reason) -> list[Sheet]:
    return [
        Sheet(
            name="reason-domains",
            file_name="failures-reason-domains",
            header=("Domain", "Team", "Failed sessions"),
            rows=lambda: (
                (domain.name, domain.team or "", failed)
                for domain, failed in _named(given.by_domain)
            ),
        ),
        Sheet(
            name="reason-reporters",
            file_name="failures-reason-reporters",
            header=("Reporter", "Failed sessions"),
            rows=lambda: given.by_reporter,
        ),
    ]


def _part_cells(part: Part) -> tuple[object, ...]:
    return part.key, part.failed_sessions, part.domains, part.first_day, part.last_day


def _detail_cells(detail: FailureDetail) -> tuple[object, ...]:
    return (
        detail.result.report.report_id,
        detail.result.reporter,
        detail.result.day,
        detail.result.domain.name if detail.result.domain else detail.result.policy_domain,
        detail.failed_sessions,
        detail.sending_mta_ip,
        detail.receiving_mx_hostname,
        detail.failure_reason_code,
    )


def _newest_first(detail: FailureDetail) -> tuple[int, int]:
    return -detail.result.day.toordinal(), -detail.pk


def _chart(days: list[tuple[date, int]], day_href: str) -> Chart:
    bar = {
        "type": "bar",
        "name": "Failed sessions",
        "x": [day.isoformat() for day, _ in days],
        "y": [count for _, count in days],
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
                    text=day_words(day),
                    value=day,
                    href=day_address(day_href, day),
                ),
                Cell(text=number(count), value=count),
            )
            for day, count in reversed(days)
        ],
        height=240,
        day_href=day_href,
    )
