"""Writes into the outbox who is to be told of an event; `deliver` sends."""

from __future__ import annotations

from django.db.models import Q

from alerts.models import Destination, Incident, IncidentEvent, Notification, Severity
from domains.models import Domain
from webui.background import nudge

SEVERITY_ORDER = [severity.value for severity in Severity]  # worst first
MAX_OWNERS = 50


def notify(incident: Incident, event: IncidentEvent) -> list[Notification]:
    """Put a message to each destination and owner concerned into the outbox."""
    touched = Domain.objects.filter(incident_domains__incident=incident)
    teams = touched.exclude(team=None).values("team")
    at_least = SEVERITY_ORDER[SEVERITY_ORDER.index(incident.severity) :]
    destinations = Destination.objects.filter(
        Q(team=None) | Q(team__in=teams), is_active=True, minimum_severity__in=at_least
    )
    owners = touched.exclude(owner="").order_by("owner").values_list("owner", flat=True).distinct()
    rows = [
        Notification(incident=incident, event=event, destination=destination)
        for destination in destinations
    ] + [Notification(incident=incident, event=event, email=owner) for owner in owners[:MAX_OWNERS]]
    told = Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if told:
        nudge("alerts.tasks.deliver")
    return told
