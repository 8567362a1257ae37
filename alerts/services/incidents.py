"""Moves incidents through their life; every step leaves a line in the timeline and tells people."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts import audit
from accounts.models import User
from alerts.lifecycle import Event, State, next_state
from alerts.models import Incident, IncidentEvent
from alerts.services.notify import notify

# What people are told; the rest stands in the timeline alone.
TOLD = frozenset(
    {
        Event.OPEN,
        Event.RETURN,
        Event.REOPEN,
        Event.EXPIRE,
        Event.RESOLVE,
        Event.WORSEN,
        Event.REMIND,
    }
)

# In the audit log, where the label of the event does not read as a deed.
_DEEDS = {
    Event.ACCEPT_RISK: "accepted the risk of an incident",
    Event.COMMENT: "commented on an incident",
    Event.REOPEN: "reopened incident",
}


def step(
    incident: Incident,
    event: Event,
    text: str = "",
    for_some: str = "",
    *,
    user: User | None = None,
    at: datetime | None = None,
    tell: bool = True,
) -> IncidentEvent:
    """Apply one event inside the caller's transaction; raises NotPossible.

    The caller saves the other fields it changed; `state` is saved here. What a person does with a
    part is logged with its whole. A text that tells of the
    sessions of all teams comes with one that does not, `for_some`.
    """
    before = State(incident.state)
    if event is not Event.OPEN:
        incident.state = next_state(before, event)
        incident.save(update_fields=["state"])
    line = IncidentEvent.objects.create(
        incident=incident,
        at=at or timezone.now(),
        event=event,
        text=text,
        text_for_some=for_some,
        actor=user,
        actor_name=user.email if user else audit.current_actor().name,
    )
    if user is not None and incident.part_of_id is None:
        audit.record(
            _DEEDS.get(event, f"{event.label.lower()} incident"),
            incident,
            before={"state": before.value},
            after={"state": incident.state, "text": text},
        )
    if tell and event in TOLD and incident.part_of_id is None:
        notify(incident, line)
    return line
