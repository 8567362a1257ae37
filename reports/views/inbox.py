"""What could not be read, and reports for domains that are not in the inventory."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import access
from accounts.requests import person
from accounts.roles import Role
from mailtls.names import parse_domain
from mailtls.report.notes import HELD_BACK, IN_FUTURE
from reports import intake_queries
from reports.charts import reports_href
from reports.filters import UNMANAGED
from reports.held_back import may_count_from
from reports.models import Outcome, Receipt
from reports.services.retry import retry
from webui.addresses import read_numbers
from webui.exports import Sheet, asked_file
from webui.findings import word
from webui.wording import plural

PER_PAGE = 50
MOST_RAW_BYTES = 20_000
OTHERS_DAYS = 30


def inbox(request: HttpRequest) -> HttpResponse:
    """List what could not be read, newest first."""
    if not _may_read(request):
        raise PermissionDenied("The inbox needs the role analyst in a team.")
    if file := asked_file(request, _rejected_sheet(request)):
        return file
    page = Paginator(_rejected(request), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(receipt, _reason(receipt), _waits_until(receipt)) for receipt in page.object_list]
    context = {
        "rows": rows,
        "page": page,
        "others": _others(request),
        "others_days": OTHERS_DAYS,
        "may_see_strays": access.sees_everything(request.user),
        "may_read": True,
    }
    return render(request, "reports/inbox.html", context)


def receipt_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one thing that could not be read, with its first bytes."""
    receipt = get_object_or_404(_rejected(request).select_related("raw"), pk=pk)
    content = receipt.raw.content if receipt.raw else b""
    text = content[:MOST_RAW_BYTES].decode("utf-8", errors="replace")
    is_text = text[:400].isprintable() or text.count("\ufffd") < len(text) / 20
    context = {
        "receipt": receipt,
        "reason": _reason(receipt),
        "waits_until": _waits_until(receipt),
        "size": len(content),
        "shown": text if is_text else content[:512].hex(" ", 2),
        "is_cut": len(content) > (MOST_RAW_BYTES if is_text else 512),
        "has_raw": receipt.raw_id is not None,
    }
    return render(request, "reports/receipt.html", context)


def receipt_raw(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the bytes as they arrived, as a file that no browser opens."""
    receipt = get_object_or_404(_rejected(request).select_related("raw"), pk=pk, raw__isnull=False)
    assert receipt.raw is not None
    response = HttpResponse(receipt.raw.content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="received-{receipt.pk}.bin"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
def retry_receipts(request: HttpRequest) -> HttpResponse:
    """Read one, or all, again. What was held back counts only when it is chosen by itself."""
    chosen = _rejected(request)
    if "pk" in request.POST:
        chosen = chosen.filter(pk__in=read_numbers(request.POST.getlist("pk")))
    else:
        chosen = chosen.exclude(code__in=(HELD_BACK, IN_FUTURE))
    count = retry(chosen, person(request))
    if count:
        words = f"{plural(count, 'document')} will be read again within a minute."
        messages.success(request, words)
    else:
        words = "Nothing to read again: what is held back counts only when it is chosen by itself."
        messages.info(request, words)
    return redirect("inbox:list")


def unmanaged(request: HttpRequest) -> HttpResponse:
    """List the domains that reports name and the inventory lacks."""
    _require_sight_of_strays(request)
    found = intake_queries.unmanaged_domains()
    if file := asked_file(request, _strays_sheet(found)):
        return file
    rows = [
        (
            one,
            parse_domain(one.name).value is not None,
            reports_href(about=UNMANAGED, domain=one.name),
        )
        for one in found
    ]
    may_add = access.may(request.user, Role.MANAGER, None)
    context = {
        "rows": rows,
        "may_add": may_add,
        "may_see_strays": True,
        "may_read": _may_read(request),
    }
    return render(request, "reports/unmanaged.html", context)


def _may_read(request: HttpRequest) -> bool:
    return access.may_anywhere(request.user, Role.ANALYST)


def _require_sight_of_strays(request: HttpRequest) -> None:
    if not access.sees_everything(request.user):
        raise PermissionDenied("Domains without a team are for people with a role everywhere.")


def _rejected(request: HttpRequest) -> QuerySet[Receipt]:
    return _arrived(request, Outcome.REJECTED).select_related("intake")


def _others(request: HttpRequest) -> dict[str, Any]:
    """Count what was no report: who sends a test to the address looks here for it."""
    since = timezone.now() - timedelta(days=OTHERS_DAYS)
    rows = _arrived(request, Outcome.NOT_A_REPORT).filter(received_at__gte=since)
    return rows.order_by().aggregate(count=Count("pk"), last_at=Max("received_at"))


def _arrived(request: HttpRequest, outcome: Outcome) -> QuerySet[Receipt]:
    """Give what ended so at the intakes of the person's teams; mail has none."""
    rows = intake_queries.receipts_with(outcome)
    allowed = Q(intake__team__in=access.teams_for(request.user, Role.ANALYST))
    if access.may(request.user, Role.ANALYST, None):
        allowed |= Q(intake=None) | Q(intake__team=None)
    return rows.filter(allowed)


def _rejected_sheet(request: HttpRequest) -> Sheet:
    return Sheet(
        name="rejected",
        file_name="inbox",
        header=("Arrived", "Reason", "Code", "Channel", "From", "File"),
        rows=lambda: (
            (
                one.received_at,
                _reason(one).title,
                one.code,
                one.get_channel_display(),
                one.sender,
                one.file_name,
            )
            for one in _rejected(request)
        ),
    )


def _strays_sheet(found: list[intake_queries.UnmanagedDomain]) -> Sheet:
    return Sheet(
        name="unmanaged",
        file_name="domains-not-in-the-inventory",
        header=(
            "Domain",
            "Reports",
            "Reporters",
            "Sessions",
            "Failed",
            "First day",
            "Last day",
        ),
        rows=lambda: (
            (
                one.display_name,
                one.reports,
                one.reporters,
                one.sessions,
                one.failures,
                one.first_day,
                one.last_day,
            )
            for one in found
        ),
    )


def _waits_until(receipt: Receipt) -> datetime | None:
    """Give from when on a person may let it count, None where that is now."""
    at = may_count_from(receipt)
    return at if at > timezone.now() else None


def _reason(receipt: Receipt) -> Any:
    return word({"code": receipt.code, "severity": "error", "params": receipt.params})
