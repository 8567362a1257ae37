"""Tells others when nobody has taken an incident on."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from alerts.lifecycle import Event, State
from alerts.models import Destination, Incident, IncidentEvent, Notification
from alerts.services.incidents import step
from alerts.services.notify import put_in_outbox, reaches

_OPENING = (Event.OPEN, Event.RETURN, Event.REOPEN, Event.EXPIRE)


def escalate(now: datetime) -> int:
    """Put a message to each destination that waits for what nobody takes on; give how many."""
    told = 0
    waiting = Destination.objects.filter(is_active=True, escalate_after_minutes__isnull=False)
    for destination in waiting.select_related("tag", "team"):
        assert destination.escalate_after_minutes is not None
        before = now - timedelta(minutes=destination.escalate_after_minutes)
        openings = IncidentEvent.objects.filter(incident=OuterRef("pk"), event__in=_OPENING)
        opened = (
            Incident.objects.whole()
            .filter(state=State.OPEN)
            .annotate(last_opened_at=Subquery(openings.order_by("-at").values("at")[:1]))
        )
        told_since = Notification.objects.filter(
            destination=destination,
            incident=OuterRef("pk"),
            event__event=Event.ESCALATE,
            event__at__gte=OuterRef("last_opened_at"),
        )
        for incident in opened.filter(~Exists(told_since), last_opened_at__lte=before):
            if reaches(destination, incident):
                told += _tell(incident, destination, now)
    return told


def _tell(incident: Incident, destination: Destination, now: datetime) -> int:
    with transaction.atomic():
        held = Incident.objects.select_for_update().get(pk=incident.pk)
        if State(held.state) is not State.OPEN:
            return 0
        text = f"Nobody has taken it on after {destination.escalate_after_minutes} minutes."
        event = step(held, Event.ESCALATE, text, at=now, tell=False)
        put_in_outbox(held, event, [destination])
    return 1
