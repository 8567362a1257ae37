"""What do I do first, and what is all this? A checklist that ticks itself, and a guide."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.access import may_anywhere, visible_to
from accounts.roles import Role
from alerts.models import Destination, Notification
from domains.destinations import our_destinations
from domains.queries import coverage
from mailtls.catalogue.result_types import RESULT_TYPES
from reports import intake_queries
from reports.fleet import Fleet
from webui.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do; done by itself when the portal sees it."""

    title: str
    text: str
    is_done: bool
    state: str
    # Empty where this person may not do it.
    href: str
    action: str


def start(request: HttpRequest) -> HttpResponse:
    """Show the checklist and the guide."""
    steps = read_steps(request)
    context = {
        "steps": steps,
        "done": sum(step.is_done for step in steps),
        "result_types": RESULT_TYPES,
    }
    return render(request, "pages/start.html", context)


def read_steps(request: HttpRequest) -> list[Step]:
    """Give the steps with what the portal sees of each."""
    fleet = Fleet(request.user)
    now = coverage(fleet.domains)
    ours = our_destinations()
    freshness = intake_queries.data_freshness(fleet)
    destinations = visible_to(request.user, Destination.objects.filter(is_active=True))
    told = Notification.objects.filter(delivered_at__isnull=False).exists()
    may_manage = may_anywhere(request.user, Role.MANAGER)
    mail = now.total - now.no_mail
    listing = reverse("domains:list")
    return [
        Step(
            title="Add your domains",
            text="All of them, also the parked ones: attackers like those best.",
            is_done=now.total > 0,
            state=plural(now.total, "domain"),
            href=reverse("domains:import") if may_manage else "",
            action="Add domains",
        ),
        Step(
            title="Say where reports go",
            text="A mailbox that this portal reads, its own mail receiver, or an HTTPS intake.",
            is_done=bool(ours),
            state=ours[0] if ours else "no address yet",
            href=reverse("settings:intakes") if may_manage else "",
            action="Intakes",
        ),
        Step(
            title="Publish the TLSRPT records",
            text="The DNS kit writes the exact lines for all domains that lack one.",
            is_done=mail > 0 and now.tlsrpt_valid_with_mail >= mail,
            state=f"{now.tlsrpt_valid_with_mail} of {plural(mail, 'domain')} with mail",
            href=f"{reverse('tools:dns_kit')}?tlsrpt=missing",
            action="DNS kit",
        ),
        Step(
            title="Wait for the first report",
            text="It covers a UTC day and comes some hours after that day ends: expect it the day "
            "after tomorrow, not today.",
            is_done=freshness.newest_day is not None,
            state="arrived" if freshness.newest_day else "none yet",
            href=reverse("reports:list"),
            action="Reports",
        ),
        Step(
            title="Let alerts reach someone",
            text="An incident that nobody reads about helps nobody. Send a test.",
            is_done=destinations.exists() and told,
            state=plural(destinations.count(), "destination"),
            href=reverse("settings:destinations"),
            action="Destinations",
        ),
        Step(
            title="Put MTA-STS into testing",
            text="Senders then report what enforce would refuse, and deliver all the same.",
            is_done=now.sts_testing + now.sts_enforce > 0,
            state=f"{now.sts_testing} testing",
            href=f"{listing}?sts=missing",
            action="Domains without MTA-STS",
        ),
        Step(
            title="Enforce",
            text="Domain by domain, after four clean weeks each. The board shows which are ready.",
            is_done=now.sts_enforce > 0,
            state=f"{now.sts_enforce} enforce",
            href=reverse("rollout"),
            action="Roll-out",
        ),
    ]
