"""The API of reports and the figures made from them."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Literal

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router, Schema
from ninja.errors import HttpError
from ninja.pagination import paginate

from accounts import access
from accounts.api import person
from domains.models import Domain, DomainQuerySet
from mailtls.names import fold_name
from reports import queries
from reports.cause_queries import causes_by_operator, causes_by_receiving_mx, domain_counts
from reports.models import PolicyResult, Report
from webui.api_shapes import Pages

router = Router(tags=["reports"])

DEFAULT_DAYS = 30
MAX_DAYS = 1830


class DayOut(Schema):
    """Sessions of one UTC day, by the counting rule."""

    day: date
    sessions: int
    failures: int
    failure_rate: float | None = None


class CauseOut(Schema):
    """Failed sessions of one result type at one receiving MX, or at one operator of MX hosts.

    The other of the two is null; an empty one is where reporters name no host.
    """

    result_type: str
    receiving_mx: str | None
    operator: str | None
    failed_sessions: int
    domains: int
    reporters: int
    first_day: date
    last_day: date


class CausesOut(Schema):
    """A page of causes, and how many there are."""

    items: list[CauseOut]
    count: int


class ReportOut(Schema):
    """A report without its results."""

    id: int
    organization_name: str
    submitter: str
    report_id: str
    start_at: datetime
    end_at: datetime
    received_at: datetime
    trust: str
    warnings: list[Any]


class DetailOut(Schema):
    """One cause of failed sessions, as reported."""

    result_type: str
    failed_sessions: int | None = None
    sending_mta_ip: str
    receiving_mx_hostname: str
    receiving_ip: str
    failure_reason_code: str


class ResultOut(Schema):
    """What a report says of one policy."""

    policy_type: str
    policy_domain: str
    successes: int | None = None
    failures: int | None = None
    is_counted: bool
    details: list[DetailOut]


class ReportDetail(ReportOut):
    """A report with the results for domains this person may see."""

    results: list[ResultOut]

    @staticmethod
    def resolve_results(row: Report, context: dict[str, Any]) -> list[PolicyResult]:
        """Give the results, those of other people's domains left out."""
        user = person(context["request"])
        results = PolicyResult.objects.filter(report=row).prefetch_related("details")
        if not access.sees_everything(user):
            results = results.filter(domain__in=Domain.objects.visible_to(user))
        return list(results)


class Span(Schema):
    """Days from `since` to `until`, both included; the last 30 complete days if left out. An empty
    team: the domains of no team."""

    since: date | None = None
    until: date | None = None
    domain: str | None = None
    team: str | None = None


@router.get("/figures", response=list[DayOut])
def figures(request: HttpRequest, span: Query[Span]) -> list[queries.DayFigures]:
    """Give sessions and failures of each day, for one domain, a team or all."""
    since, until = _days(span)
    return queries.daily_figures(_domains(request, span), since, until)


@router.get("/failures", response=CausesOut)
def failures(
    request: HttpRequest,
    span: Query[Span],
    page: Query[Pages.Input],
    by: Literal["mx", "operator"] = "mx",
) -> dict[str, Any]:
    """Give failed sessions by result type and receiving MX or operator, most first."""
    since, until = _days(span)
    domains = _domains(request, span)
    read = causes_by_operator if by == "operator" else causes_by_receiving_mx
    found = read(domains, since, until, page.offset + page.limit)
    shown = found.shown[page.offset :]
    counts = domain_counts(domains, shown, since, until)
    items = [asdict(one) | {"domains": count} for one, count in zip(shown, counts, strict=True)]
    return {"items": items, "count": found.count}


@router.get("/reports", response=list[ReportOut])
@paginate(Pages)
def list_reports(request: HttpRequest, span: Query[Span], reporter: str = "") -> QuerySet[Report]:
    """Give the reports with results for domains this person may see, newest first."""
    since, until = _days(span)
    rows = Report.objects.visible_to(person(request)).filter(day__range=(since, until))
    if span.domain or span.team is not None:
        results = PolicyResult.objects.filter(domain__in=_domains(request, span))
        rows = rows.filter(pk__in=results.values("report"))
    return rows.filter(reporter=reporter) if reporter else rows


@router.get("/reports/{pk}", response=ReportDetail)
def get_report(request: HttpRequest, pk: int) -> Report:
    """Give one report with its results."""
    return get_object_or_404(Report.objects.visible_to(person(request)), pk=pk)


@router.get(
    "/reports/{pk}/raw",
    openapi_extra={
        "responses": {200: {"content": {"application/tlsrpt+json": {"schema": {"type": "object"}}}}}
    },
)
def get_raw_report(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the JSON text as it was received, to those who may see all domains in it."""
    user = person(request)
    report = get_object_or_404(Report.objects.visible_to(user), pk=pk)
    if not report.is_whole_for(user):
        raise PermissionDenied("The report names domains of other teams.")
    return HttpResponse(report.json_text, content_type="application/tlsrpt+json")


def _days(span: Span) -> tuple[date, date]:
    since, until = queries.last_complete_days(DEFAULT_DAYS)
    since, until = span.since or since, span.until or until
    if not 0 <= (until - since).days <= MAX_DAYS:
        raise HttpError(422, f"`since` {since} to `until` {until} must be 0 to {MAX_DAYS} days.")
    return since, until


def _domains(request: HttpRequest, span: Span) -> DomainQuerySet:
    rows = Domain.objects.visible_to(person(request))
    # As on the pages: what is not watched counts only where it is asked for by its name.
    rows = rows.filter(name=fold_name(span.domain)) if span.domain else rows.active()
    return rows if span.team is None else rows.of_team_named(span.team)
