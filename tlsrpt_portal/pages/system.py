"""The state of the portal itself. For administrators."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import run_checks as run_system_checks
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import access
from alerts.models import Notification
from domains.models import Domain
from reports import intake_queries
from tlsrpt_portal import env, health

SHOWN_SETTINGS = (
    "SITE_URL",
    "MAIL_ADDRESS",
    "MAIL_LISTEN",
    "CHECK_INTERVAL_HOURS",
    "PROBE_STARTTLS",
    "DNS_NAMESERVERS",
    "KEEP_RAW_DAYS",
    "KEEP_REPORT_DAYS",
    "KEEP_ROLLUP_DAYS",
)


def system(request: HttpRequest) -> HttpResponse:
    """Show whether every part works, what waits, and the settings that matter."""
    access.require_administrator(request.user)
    overdue = Domain.objects.active().filter(posture=None).count()
    context = {
        "parts": health.run_checks(),
        "warnings": run_system_checks(),
        "freshness": intake_queries.data_freshness(),
        "never_checked": overdue,
        "unsent": Notification.objects.filter(delivered_at=None, failed_at=None).count(),
        "failed": Notification.objects.exclude(failed_at=None).count(),
        "values": [(env.BY_NAME[name], _as_set(name)) for name in SHOWN_SETTINGS],
    }
    return render(request, "settings/system.html", context)


def _as_set(name: str) -> str:
    """Give a setting as one would write it; empty where it is not set."""
    value = getattr(settings, name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(value)
    return "" if value is None else str(value)
