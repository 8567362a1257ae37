"""The state of the portal itself. For administrators."""

from __future__ import annotations

from django.conf import settings
from django.core.checks import run_checks as run_system_checks
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import access, sealing
from alerts.models import Destination, Notification
from alerts.sealing import opens
from domains.models import Domain
from reports import intake_queries
from reports.models import Mailbox
from reports.services.edit_mailboxes import SECRET_PURPOSE
from tlsrpt_portal import env, health
from webui.wording import plural

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

_MOST_NAMED = 5  # of the secrets that cannot be read


def system(request: HttpRequest) -> HttpResponse:
    """Show whether every part works, what waits, and the settings that matter."""
    access.require_administrator(request.user)
    domains = Domain.objects.active().aggregate(
        all=Count("pk"),
        unchecked=Count("pk", filter=Q(tlsrpt="")),
        unseen=Count("pk", filter=Q(unknown_since__isnull=False)),
    )
    checked = domains["all"] - domains["unchecked"]
    parts = {"checks": _sight(domains["unseen"], checked), "secrets": _secrets()}
    context = {
        "parts": health.run_checks() | parts,
        "warnings": run_system_checks(),
        "freshness": intake_queries.data_freshness(),
        "never_checked": domains["unchecked"],
        "unseen": domains["unseen"],
        "unsent": Notification.objects.filter(delivered_at=None, failed_at=None).count(),
        "failed": Notification.objects.exclude(failed_at=None).count(),
        "values": [(env.BY_NAME[name], _as_set(name)) for name in SHOWN_SETTINGS],
    }
    return render(request, "settings/system.html", context)


def _sight(unseen: int, checked: int) -> tuple[bool, str]:
    """Say whether checks see the world: where most domains fail at once, it is not the domains."""
    if not checked:
        return True, "no domain has been checked yet"
    if unseen * 2 <= checked:
        return True, f"{plural(checked - unseen, 'domain')} seen in full"
    return False, (
        f"{unseen:,} of {plural(checked, 'domain')} could not be seen in full: look at the "
        "resolver (DNS_NAMESERVERS) and at what the firewall lets out"
    )


def _secrets() -> tuple[bool, str]:
    """Say whether SECRET_KEY opens what was sealed with it: beside a restored database it may be
    another, and nothing else tells before a message or a mailbox is due."""
    mailboxes = Mailbox.objects.values_list("name", "secret")
    destinations = Destination.objects.values_list("name", "sealed_address")
    found = [(f"mailbox {name}", sealing.opens(it, SECRET_PURPOSE)) for name, it in mailboxes]
    found += [(f"destination {name}", opens(it)) for name, it in destinations]
    closed = [name for name, is_open in found if not is_open]
    if not closed:
        return (
            True,
            f"{plural(len(found), 'stored secret')} can be read" if found else "none stored",
        )
    return False, (
        f"{len(closed):,} of {plural(len(found), 'stored secret')} cannot be read: set the "
        f"SECRET_KEY that was in force, or enter them anew ({', '.join(closed[:_MOST_NAMED])}"
        f"{', …' if len(closed) > _MOST_NAMED else ''})"
    )


def _as_set(name: str) -> str:
    """Give a setting as one would write it; empty where it is not set."""
    value = getattr(settings, name)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(value)
    return "" if value is None else str(value)
