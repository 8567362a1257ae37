"""One cause of failures: what it means, what to do, whom it touches, and who says so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from domains.models import Domain
from mailtls.catalogue.result_types import describe_result_type, explain_reason
from reports import cause_queries
from reports.cause_queries import CauseKey, NewestDetail, Part, Parts, Reason
from reports.fleet import Scope
from reports.models import FailureDetail
from reports.signs import cause_name
from tlsrpt_portal.pages.failure_scope import Asked, operator_words, read_asked, scope_words
from tlsrpt_portal.pages.span import Span
from webui import charting
from webui.charting import Cell, Chart, day_address
from webui.exports import Sheet, asked_file, asked_format
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
        operator=request.GET.get("operator"),
        receiving_mx=request.GET.get("mx"),
        reporter=request.GET.get("reporter", "")[:200],
    )
    days = cause_queries.failed_by_day(domains, cause, span.since, span.until)
    # A file has all of them.
    most = None if asked_format(request) else MOST_ROWS
    parts = _read_parts(domains, cause, span, most)
    told = {"cause": cause.result_type, **cause.in_address}
    chart = _chart(days, asked.day_href(**told))
    found = cause_queries.evidence(domains, cause, span.since, span.until, parts.by_domain)
    newest = cause_queries.newest_details(found)
    reasons = cause_queries.reasons_of(newest)
    given = None
    if (reason := request.GET.get("reason")) is not None:
        found = found.filter(failure_reason_code=reason)
        given = next((one for one in reasons if one.code == reason), None)
    if file := asked_file(request, *_sheets(cause, parts, reasons, found, given), chart.sheet):
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
            for domain, part in _with_domains(parts.by_domain.shown)
        ],
        "domain_count": parts.by_domain.count,
        "reporters": [_reporter_links(asked, cause, part) for part in parts.by_reporter],
        "is_by_operator": cause.operator is None,
        "places": [
            (_place_words(cause, part.key), part, asked.group_href(_at(cause, part.key)))
            for part in parts.by_place.shown[:MOST_ROWS]
        ],
        "place_count": parts.by_place.count,
        "place": _place(cause),
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
            for detail in _evidence(found, newest, reason)
        ],
        "reports_href": asked.reports_href(**told),
    }
    return render(request, "failures/group.html", context)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A cause taken apart; `by_place` by operator, of a cause at one operator by its hosts."""

    by_domain: Parts
    by_reporter: list[Part]
    by_place: Parts


def _read_parts(domains: Scope, cause: CauseKey, span: Span, most: int | None) -> _Taken:
    asked = domains, cause, span.since, span.until
    told = cause_queries.told_of(*asked)
    if cause.receiving_mx is not None:
        by_place = Parts(shown=[], count=0)
    elif cause.operator is not None:
        by_place = cause_queries.parts_by_host(*asked, most)
    else:
        operators = cause_queries.parts_by_operator(told, *asked)
        by_place = Parts(shown=operators, count=len(operators))
    return _Taken(
        by_domain=cause_queries.parts_by_domain(*asked, most),
        by_reporter=cause_queries.parts_by_reporter(told),
        by_place=by_place,
    )


def _at(cause: CauseKey, place: str) -> CauseKey:
    """Give the part of a cause at one operator or, where it is at one already, at one host."""
    if cause.operator is None:
        return replace(cause, operator=place)
    return replace(cause, receiving_mx=place)


def _place(cause: CauseKey) -> str:
    """Give in words where a cause is; empty for anywhere."""
    if cause.receiving_mx is not None:
        return cause.receiving_mx or "no MX named"
    return "" if cause.operator is None else operator_words(cause.operator)


def _place_words(cause: CauseKey, place: str) -> str:
    if cause.operator is None:
        return operator_words(place)
    return place or "not named"


def _evidence(
    found: QuerySet[FailureDetail], newest: Sequence[NewestDetail], reason: str | None
) -> list[FailureDetail]:
    """Give the newest details that matched, by day; what is known of them already is not asked
    of the database again."""
    if reason is None:
        keys = [one.pk for one in newest[:MOST_EVIDENCE]]
        found = cause_queries.details_with_reports().filter(pk__in=keys)
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


def _with_domains(parts: Sequence[Part]) -> Iterator[tuple[Domain, Part]]:
    return _named([(part.key, part) for part in parts])


def _named(rows: Sequence[tuple[int, Told]]) -> Iterator[tuple[Domain, Told]]:
    """Give what is told of each domain together with it; one query."""
    domains = Domain.objects.select_related("team").in_bulk([key for key, _ in rows])
    return ((domains[key], told) for key, told in rows if key in domains)


def _sheets(
    cause: CauseKey,
    parts: _Taken,
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
                for domain, part in _with_domains(parts.by_domain.shown)
            ),
        ),
        Sheet(
            name="reporters",
            file_name="failures-reporters",
            header=("Reporter", "Failed sessions", "First day", "Last day"),
            rows=lambda: (
                (part.key, part.failed_sessions, part.first_day, part.last_day)
                for part in parts.by_reporter
            ),
        ),
        Sheet(
            name="mx",
            file_name="failures-receiving-mx",
            header=(
                "MX operator" if cause.operator is None else "Receiving MX",
                "Failed sessions",
                "Domains",
                "First day",
                "Last day",
            ),
            rows=lambda: map(_part_cells, parts.by_place.shown),
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
