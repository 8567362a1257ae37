"""The API of incidents: list, read, handle."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.pagination import paginate

from accounts.api import person
from alerts.lifecycle import State
from alerts.models import Incident, IncidentEvent, IncidentQuerySet
from alerts.services import handle
from domains.models import Domain
from webui.api_pages import Pages

router = Router(tags=["incidents"])


class IncidentOut(Schema):
    """An incident; its sessions are those of the domains the caller may see."""

    id: int
    title: str
    state: State
    severity: str
    result_type: str
    receiving_mx: list[str]
    reporters: list[str]
    since_on: date
    last_seen_on: date
    opened_at: datetime
    resolved_at: datetime | None = None
    assignee: str | None = None
    failed_sessions: int
    sessions: int

    @staticmethod
    def resolve_failed_sessions(row: Any) -> int:
        """Give those of the domains the caller may see."""
        failed: int = row.seen_failed
        return failed

    @staticmethod
    def resolve_sessions(row: Any) -> int:
        """Give those of the domains the caller may see."""
        sessions: int = row.seen_sessions
        return sessions

    @staticmethod
    def resolve_assignee(row: Incident) -> str | None:
        """Give the address of the person who has it."""
        return row.assignee.email if row.assignee else None


class EventOut(Schema):
    """A line of the timeline."""

    at: datetime
    event: str
    actor_name: str
    text: str


class IncidentDetail(IncidentOut):
    """An incident with its domains and timeline."""

    domains: list[str]
    events: list[EventOut]

    @staticmethod
    def resolve_domains(row: Incident, context: dict[str, Any]) -> list[str]:
        """Give the names of the domains the caller may see."""
        mine = Domain.objects.visible_to(person(context["request"]))
        touched = mine.filter(incident_domains__incident=row).order_by("name")
        return list(touched.values_list("name", flat=True))

    @staticmethod
    def resolve_events(row: Incident) -> list[IncidentEvent]:
        """Give the timeline, oldest first."""
        return list(row.events.all())


class Words(Schema):
    """What to write into the timeline."""

    text: str = ""


@router.get("", response=list[IncidentOut])
@paginate(Pages)
def list_incidents(request: HttpRequest, state: State | None = None) -> IncidentQuerySet:
    """Give the incidents that touch a domain this person may see, newest first."""
    rows = _visible(request)
    return rows.filter(state=state) if state else rows


@router.get("/{pk}", response=IncidentDetail)
def get_incident(request: HttpRequest, pk: int) -> Incident:
    """Give one incident with its domains and timeline."""
    return _find(request, pk)


@router.post("/{pk}/acknowledge", response=IncidentDetail)
def acknowledge(request: HttpRequest, pk: int, body: Words) -> Incident:
    """Say that this person works on it."""
    handle.acknowledge(_find(request, pk), person(request), body.text)
    return _find(request, pk)


@router.post("/{pk}/comment", response=IncidentDetail)
def comment(request: HttpRequest, pk: int, body: Words) -> Incident:
    """Add a comment."""
    handle.comment(_find(request, pk), person(request), body.text)
    return _find(request, pk)


@router.post("/{pk}/resolve", response=IncidentDetail)
def resolve(request: HttpRequest, pk: int, body: Words) -> Incident:
    """Say that it is over."""
    handle.resolve(_find(request, pk), person(request), body.text)
    return _find(request, pk)


def _find(request: HttpRequest, pk: int) -> Incident:
    return get_object_or_404(_visible(request), pk=pk)


def _visible(request: HttpRequest) -> IncidentQuerySet:
    user = person(request)
    seen = Incident.objects.visible_to(user).with_seen_figures(user)
    return seen.select_related("assignee")
