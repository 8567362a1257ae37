"""The words of a message: what, since when, how much, who says so, why, what to do, whose it is."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from alerts.lifecycle import Event
from alerts.models import Incident, IncidentEvent
from mailtls.catalogue.result_types import describe_result_type

PREFIX = {Event.OPEN: "", Event.RETURN: "Back: ", Event.RESOLVE: "Resolved: "}
SHOWN_DOMAINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message for one recipient; `key` is unique for it, `thread` shared by its incident."""

    subject: str
    text: str
    html: str
    key: str
    thread: str


def incident_message(incident: Incident, event: IncidentEvent, recipient_key: str) -> Message:
    """Build the message that tells of an incident's event."""
    touched = incident.incident_domains.select_related("domain__team")
    context = {
        "incident": incident,
        "event": event,
        "is_over": event.event == Event.RESOLVE,
        "rate": incident.failed_sessions / incident.sessions if incident.sessions else 0,
        "domains": touched[:SHOWN_DOMAINS],
        "domain_count": touched.count(),
        "owners": sorted({str(row.domain.team) for row in touched if row.domain.team}),
        "words": describe_result_type(incident.result_type),
        "url": f"{settings.SITE_URL}{incident.get_absolute_url()}",
    }
    prefix = PREFIX.get(Event(event.event), "")
    severity = "" if context["is_over"] else f"[{incident.severity}] "
    return Message(
        subject=f"{prefix}{severity}{incident.title}",
        text=render_to_string("alerts/messages/incident.txt", context).strip() + "\n",
        html=render_to_string("alerts/messages/incident.html", context),
        key=f"incident-{incident.pk}-event-{event.pk}-{recipient_key}",
        thread=f"incident-{incident.pk}",
    )


def test_message() -> Message:
    """Build the message of "send a test"."""
    text = (
        "This is a test from TLS-RPT Portal. Incidents will arrive here the same way.\n\n"
        f"{settings.SITE_URL}\n"
    )
    return Message(
        subject="Test from TLS-RPT Portal",
        text=text,
        html=f"<p>{text.strip()}</p>",
        key="test",
        thread="test",
    )
