"""What was resolved a short while ago and may return as the same incident."""

from __future__ import annotations

from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery

from alerts.causes import REOPEN_WITHIN
from alerts.lifecycle import Event, State
from alerts.models import Incident, IncidentEvent
from alerts.services import clock

_RESOLVING = IncidentEvent.objects.filter(incident=OuterRef("pk"), event=Event.RESOLVE)


def is_resting(now: datetime) -> Q:
    """Give what narrows incidents to those that may still return."""
    return Q(state=State.RESOLVED, resolved_at__gte=now - REOPEN_WITHIN)


def resolved_by_people(incidents: QuerySet[Incident]) -> QuerySet[Incident]:
    """Narrow resolved incidents to those of which a person said so, not the portal."""
    person = Subquery(_RESOLVING.order_by("-at", "-pk").values("actor")[:1])
    return incidents.filter(state=State.RESOLVED).alias(resolver=person).exclude(resolver=None)


def was_resolved_by_person(incident: Incident) -> bool:
    """Say whether a person said that it was over."""
    return resolved_by_people(Incident.objects.filter(pk=incident.pk)).exists()


def wake(incident: Incident, now: datetime) -> bool:
    """Take it out of its rest, unsaved; give whether a person had put it there.

    The time to deal with it begins anew, but not where the portal never saw an end.
    """
    by_person = was_resolved_by_person(incident)
    if not by_person:
        clock.start(incident, now)
    incident.resolved_at = None
    return by_person
