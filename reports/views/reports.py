"""What reporters sent: the list, one report, its JSON, and uploading one."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.access import may_anywhere, sees_everything, visible_to
from accounts.models import User, ViewedPage
from accounts.roles import Role
from accounts.saved_views import ViewedListPage
from mailtls.names import parse_domain
from reports import signs
from reports.filter_chips import chips_of
from reports.filters import ReportFilter
from reports.forms import UploadForm
from reports.models import Channel, FailureDetail, PolicyKind, PolicyResult, Report, Trust
from reports.report_rows import MOST_IN_FILES, ReportRows
from reports.services.accept import Provenance, accept
from reports.tables import ReportTable
from webui.exports import Sheet, asked_file
from webui.findings import WordedFinding, word_all

MOST_DETAILS = 100
MOST_DIGITS = 8  # of the number of a page
MOST_JSON_CHARS = 200_000


class ReportList(ViewedListPage):
    """All reports on domains that a person may see."""

    viewed_page = ViewedPage.REPORTS
    fixed_columns = ("reporter",)

    table_class = ReportTable
    filterset_class = ReportFilter
    template_name = "reports/list.html"
    results_template_name = "reports/_results.html"
    export_name = "reports"
    thing, things = "report", "reports"

    def get_queryset(self) -> QuerySet[Report]:
        """Give nothing: the filters name what may be seen, and ReportRows reads it."""
        return Report.objects.none()

    def get_table_data(self) -> ReportRows | QuerySet[Report]:
        """Give the reports, the page that is asked for to be read together with the count."""
        rows: ReportRows | QuerySet[Report] = super().get_table_data()
        if not isinstance(rows, ReportRows):  # none, as the address asks for what there is not
            return rows
        page = self.request.GET.get("page", "")
        number = int(page) if page.isdecimal() and len(page) < MOST_DIGITS else 1
        return rows.beginning_at((max(1, number) - 1) * self.table_pagination["per_page"])

    def get_table_kwargs(self) -> dict[str, Any]:
        """Tell the table which figures of the reports are meant."""
        asked: ReportFilter = self.filterset
        return super().get_table_kwargs() | {
            "of_results": asked.of_results if asked.is_valid() else Q(),
            "cause": asked.cause_key if asked.is_valid() else None,
            "is_of_type": bool(asked.form.cleaned_data.get("policy")),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the list is narrowed to, and what its reports add up to."""
        context = super().get_context_data(**kwargs)
        asked: ReportFilter = self.filterset
        if asked.is_valid():
            context["totals"], context["cause"] = asked.totals, asked.cause_key
            context["gone_before"] = asked.gone_before
            context["chips"] = chips_of(
                self.request.GET, asked.form.cleaned_data, self.request.user
            )
        rows = context["table"].data.data
        context["is_cut"] = isinstance(rows, ReportRows) and rows.is_cut
        context["most_in_files"] = MOST_IN_FILES
        context["empty_template"] = "reports/_list_empty.html"
        context["may_upload"] = may_anywhere(self.request.user, Role.ANALYST)
        return context


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownResult:
    """One policy of a report as the page shows it."""

    result: PolicyResult
    policy: str
    failed: int
    sessions: int
    details: list[FailureDetail]
    all_details: list[FailureDetail]
    left_out: int
    # Whether its domain could be in the inventory and is not.
    is_addable: bool


def report_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one report: policies, counts, failure details, warnings, trust, receipts, JSON."""
    report = _visible_report(request, pk)
    results = [_show(result) for result in _visible_results(request, report)]
    if file := asked_file(request, _details_sheet(report, results)):
        return file
    counted = [one for one in results if one.result.is_counted]
    context = {
        "report": report,
        "results": results,
        "failed": sum(one.failed for one in counted),
        "sessions": sum(one.sessions for one in counted),
        "trust": signs.TRUST[Trust(report.trust)],
        "warnings": _worded(report.warnings),
        "deliveries": list(report.deliveries.select_related("receipt__uploaded_by").order_by("pk")),
        "is_whole": _sees_all_of(request, report, len(results)),
        "may_add": may_anywhere(request.user, Role.MANAGER),
    }
    if context["is_whole"]:
        context["json_text"], context["json_cut"] = _pretty(report.json_text)
    return render(request, "reports/report.html", context)


def report_json(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the document as the reporter wrote it, to those who may see all domains in it."""
    report = _visible_report(request, pk)
    if not report.is_whole_for(request.user):
        raise PermissionDenied("The report names domains of other teams.")
    response = HttpResponse(report.json_text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="report-{report.pk}.json"'
    return response


def upload(request: HttpRequest) -> HttpResponse:
    """Take a report from a person."""
    if not may_anywhere(request.user, Role.ANALYST):
        raise PermissionDenied("Uploading reports needs the role analyst in a team.")
    assert isinstance(request.user, User)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        source = Provenance(
            channel=Channel.UPLOAD,
            uploaded_by=request.user,
            sender=request.user.email,
            file_name=file.name,
        )
        accept(file.read(), source)
        messages.success(request, f"{file.name} is stored. It is read within a minute.")
        return redirect("reports:list")
    return render(request, "reports/upload.html", {"form": form})


def _visible_report(request: HttpRequest, pk: int) -> Report:
    return get_object_or_404(Report.objects.visible_to(request.user), pk=pk)


def _visible_results(request: HttpRequest, report: Report) -> QuerySet[PolicyResult]:
    details = Prefetch("details", queryset=FailureDetail.objects.order_by("position"))
    rows = visible_to(request.user, report.results.all(), "domain__team")
    return rows.select_related("domain").prefetch_related(details).order_by("position")


def _sees_all_of(request: HttpRequest, report: Report, seen: int) -> bool:
    """Say whether no result of the report was left out for this person."""
    return sees_everything(request.user) or seen == report.results.count()


def _show(result: PolicyResult) -> ShownResult:
    details = list(result.details.all())
    failed = result.failed_sessions
    return ShownResult(
        result=result,
        policy=signs.POLICY[PolicyKind(result.policy_type)],
        failed=failed,
        sessions=failed + (result.successes or 0),
        details=details[:MOST_DETAILS],
        all_details=details,
        left_out=max(0, len(details) - MOST_DETAILS),
        is_addable=not result.domain and parse_domain(result.policy_domain).value is not None,
    )


def _details_sheet(report: Report, results: list[ShownResult]) -> Sheet:
    return Sheet(
        name="details",
        file_name=f"report-{report.pk}-details",
        header=(
            "Domain",
            "Policy",
            "Result type",
            "Failed sessions",
            "Receiving MX",
            "Receiving IP",
            "Sending MTA",
            "Reason given",
            "More",
        ),
        rows=lambda: (
            (
                one.result.display_domain,
                one.policy,
                detail.result_type or detail.result_type_raw,
                detail.failed_sessions,
                detail.receiving_mx_hostname,
                detail.receiving_ip,
                detail.sending_mta_ip,
                detail.failure_reason_code,
                detail.additional_information,
            )
            for one in results
            for detail in one.all_details
        ),
    )


def _worded(stored: list[Any]) -> list[WordedFinding]:
    return word_all(
        {"code": code, "severity": "warning", "params": params} for code, params in stored
    )


def _pretty(document: bytes) -> tuple[str, bool]:
    """Give the JSON indented, or as it came where it is none, and whether it was cut."""
    text = document.decode("utf-8", errors="replace")
    # What reporters send is not always JSON to the letter; it is then shown as it came.
    with suppress(ValueError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return text[:MOST_JSON_CHARS], len(text) > MOST_JSON_CHARS
