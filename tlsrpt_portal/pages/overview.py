"""The overview: is our mail transport safe today, and what needs me?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import may_anywhere
from accounts.roles import Role
from domains.models import Domain
from domains.queries import coverage, coverage_by_team
from tlsrpt_portal.pages.attention import attention
from tlsrpt_portal.pages.coverage_strip import coverage_strips


def overview(request: HttpRequest) -> HttpResponse:
    """Show the state of the fleet, or how to begin."""
    domains = Domain.objects.visible_to(request.user)
    active = domains.active()
    now = coverage(active)
    if not now.total:
        may_manage = may_anywhere(request.user, Role.MANAGER)
        return render(request, "pages/overview_empty.html", {"may_manage": may_manage})
    context = {
        "now": now,
        "strips": coverage_strips(now),
        "attention": attention(request.user, active, now),
        "teams": coverage_by_team(active),
    }
    return render(request, "pages/overview.html", context)
