"""The page of one incident: cause, domains, evidence, remedy, timeline, and what to do with it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from alerts.forms import AssignForm, CommentForm, QuietForm, ResolveForm
from alerts.lifecycle import Event, State, possible_events
from alerts.models import Incident, IncidentDomain
from alerts.services.handle import may_handle
from alerts.views import visible_incident
from domains.models import Domain

MOST_DOMAINS = 200


def incident_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one incident."""
    incident = visible_incident(request, pk)
    touched = _touched(request, incident)
    context = {
        "incident": incident,
        "touched": touched[:MOST_DOMAINS],
        "touched_count": len(touched),
        "events": list(incident.events.select_related("actor")),
        "notifications": list(incident.notifications.select_related("destination")),
    }
    return render(request, "alerts/incident.html", context | _forms(request, incident))


def _touched(request: HttpRequest, incident: Incident) -> list[IncidentDomain]:
    """Give the touched domains that this person may see."""
    visible = Domain.objects.visible_to(request.user).values("pk")
    rows = incident.incident_domains.filter(domain__in=visible)
    return list(rows.select_related("domain__team").order_by("-failed_sessions"))


def _forms(request: HttpRequest, incident: Incident) -> dict[str, Any]:
    """Give the forms for what can be done now; none where this person may not."""
    assert isinstance(request.user, User)
    if not may_handle(incident, request.user):
        return {"may_handle": False}
    possible = possible_events(State(incident.state))
    return {
        "may_handle": True,
        "may_acknowledge": Event.ACKNOWLEDGE in possible,
        "comment_form": CommentForm(prefix=None),
        "assign_form": AssignForm(incident, initial={"assignee": incident.assignee}),
        "mute_form": QuietForm(auto_id="mute_%s") if Event.MUTE in possible else None,
        "accept_form": (
            QuietForm(auto_id="accept_%s", days=90, needs_reason=True)
            if Event.ACCEPT_RISK in possible
            else None
        ),
        "resolve_form": (ResolveForm(auto_id="resolve_%s") if Event.RESOLVE in possible else None),
    }
