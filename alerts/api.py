"""The API of incidents: list, read, handle."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema
from ninja.pagination import paginate

from accounts.api import person
from alerts.lifecycle import State
from alerts.models import Incident, IncidentQuerySet
from alerts.readers import reader_of, see_all
from alerts.services import handle
from domains.models import Domain
from webui.api_shapes import Body, Pages

router = Router(tags=["incidents"])


class IncidentOut(Schema):
    """An incident; words, hosts and sessions are those of the domains the caller may see."""

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
    # When somebody should have dealt with it, or until when nobody has to.
    due_at: datetime | None = None
    quiet_until: datetime | None = None
    assignee: str | None = None
    failed_sessions: int
    sessions: int
    # The sessions are those of the failing days between these.
    failed_first_on: date | None = None
    failed_last_on: date | None = None

    @staticmethod
    def resolve_title(row: Any) -> str:
        """Give the title without names that the caller may not read."""
        title: str = row.seen.title
        return title

    @staticmethod
    def resolve_due_at(row: Incident) -> datetime | None:
        """Give it while somebody has to deal with it."""
        return row.asked_by

    @staticmethod
    def resolve_receiving_mx(row: Any) -> list[str]:
        """Give the hosts that failed at the domains the caller may see."""
        hosts: list[str] = row.seen.receiving_mx
        return hosts

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
    def resolve_failed_first_on(row: Any) -> date | None:
        """Give that of the domains the caller may see."""
        first_on: date | None = row.seen_first_on
        return first_on

    @staticmethod
    def resolve_failed_last_on(row: Any) -> date | None:
        """Give that of the domains the caller may see."""
        last_on: date | None = row.seen_last_on
        return last_on

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
    def resolve_events(row: Any) -> list[EventOut]:
        """Give the timeline, oldest first."""
        events = list(row.events.all())
        return [
            EventOut(at=one.at, event=one.event, actor_name=one.actor_name, text=text)
            for one, text in zip(events, row.seen.texts(events), strict=True)
        ]


class Words(Body):
    """What to write into the timeline."""

    text: str = ""


class _PagesAsSeen(Pages):
    """Pages of incidents as the caller may read them."""

    def paginate_queryset(
        self, queryset: Any, pagination: Any, request: HttpRequest, **params: Any
    ) -> Any:
        """Give the rows of a page."""
        page = super().paginate_queryset(queryset, pagination, request=request, **params)
        return page | {"items": _as_seen(request, page["items"])}


@router.get("", response=list[IncidentOut])
@paginate(_PagesAsSeen)
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


@router.post("/{pk}/reopen", response=IncidentDetail)
def reopen(request: HttpRequest, pk: int, body: Words) -> Incident:
    """Take back that it is over, or end what keeps quiet about it."""
    handle.reopen(_find(request, pk), person(request), body.text)
    return _find(request, pk)


def _find(request: HttpRequest, pk: int) -> Incident:
    return _as_seen(request, [get_object_or_404(_visible(request), pk=pk)])[0]


def _as_seen(request: HttpRequest, incidents: Iterable[Incident]) -> list[Incident]:
    """Add to each incident, as `seen`, what the caller may read of it."""
    rows: list[Any] = list(incidents)
    for row, seen in zip(rows, see_all(reader_of(person(request)), rows), strict=True):
        row.seen = seen
    return rows


def _visible(request: HttpRequest) -> IncidentQuerySet:
    user = person(request)
    seen = Incident.objects.visible_to(user).with_seen_figures(user)
    return seen.select_related("assignee")
