"""The time within which somebody should deal with an incident: it stands still while people have
laid the incident aside, and starts anew when it gets worse.

`due_at` already counts the quiet time that is agreed, so its end needs no reckoning.
"""

from __future__ import annotations

from datetime import datetime

from alerts.models import Incident
from alerts.rules.consequence import DUE_WITHIN
from alerts.rules.kinds import Severity


def start(incident: Incident, now: datetime) -> None:
    """Give it the time of its severity, unsaved: from now on, or from the end of its quiet time."""
    begins_at = max(now, incident.quiet_until or now)
    incident.due_at = begins_at + DUE_WITHIN[Severity(incident.severity)]


def stand_still(incident: Incident, until: datetime, now: datetime) -> None:
    """Let what is left, or what is overdue, be the same at a later time, unsaved."""
    stands_until = max(now, incident.quiet_until or now)
    if incident.due_at is not None:
        incident.due_at += until - stands_until
    incident.quiet_until = until


def go_on(incident: Incident, now: datetime) -> None:
    """End the quiet time, unsaved; what was agreed and is not used up is taken back."""
    if incident.due_at is not None and incident.quiet_until is not None:
        incident.due_at -= max(now, incident.quiet_until) - now
    incident.quiet_until = None
