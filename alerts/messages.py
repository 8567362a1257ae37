"""The words of a message: what, since when, how much, who says so, why, what to do, whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from alerts.lifecycle import Event
from alerts.models import Incident, IncidentEvent, Severity
from alerts.readers import EVERYTHING, Reader, see, see_all
from alerts.words import words_of
from webui.wording import plural

PREFIX = {
    Event.RETURN: "Back: ",
    Event.REOPEN: "Open again: ",
    Event.EXPIRE: "Open again: ",
    Event.RESOLVE: "Resolved: ",
    Event.WORSEN: "Worse: ",
    Event.ESCALATE: "Nobody has it: ",
    Event.REMIND: "Acceptance ends: ",
}
SHOWN_DOMAINS = 10
# Events whose own words say more than the figures do.
_NEWS = frozenset(
    {
        Event.WORSEN,
        Event.JOIN,
        Event.RETURN,
        Event.REOPEN,
        Event.ESCALATE,
        Event.REMIND,
        Event.RESOLVE,
    }
)
PAYLOAD_DOMAINS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message for one recipient; `key` is unique for it, `thread` shared by its incident.

    `is_repetition`: an earlier attempt may have arrived, nobody knows.
    """

    subject: str
    text: str
    html: str
    key: str
    thread: str
    payload: dict[str, Any] = field(default_factory=dict)
    is_repetition: bool = False


def incident_message(
    incident: Incident, event: IncidentEvent, recipient_key: str, reader: Reader = EVERYTHING
) -> Message:
    """Build the message that tells somebody of an incident's event: of the domains of theirs."""
    touched = reader.touched(incident).select_related("domain__team")
    seen = see(reader, incident)
    parts = incident.parts.active().select_related("rule")
    words, *part_words = seen.words([words_of(one) for one in (incident, *parts)])
    (text,) = seen.texts([event])
    figures = reader.figures(incident)
    url = _url(incident)
    key = f"incident-{incident.pk}-event-{event.pk}-{recipient_key}"
    rows = list(touched[:PAYLOAD_DOMAINS])
    domain_count = touched.count()
    context = {
        "incident": incident,
        "title": seen.title,
        "failed_sessions": figures.failed_sessions,
        "sessions": figures.sessions,
        "failing_days": figures.days,
        "is_seen_otherwise": incident.since_on != figures.first_on,
        "receiving_mx": seen.receiving_mx,
        "event": event,
        "is_over": event.event == Event.RESOLVE,
        "domains": rows[:SHOWN_DOMAINS],
        "touched": _touched(domain_count, incident, is_whole=seen.is_whole),
        "more_count": max(0, domain_count - SHOWN_DOMAINS),
        "news": text if Event(event.event) in _NEWS else "",
        "parts": part_words,
        "owners": sorted({str(row.domain.team) for row in rows if row.domain.team}),
        "words": words,
        "url": url,
    }
    prefix = PREFIX.get(Event(event.event), "")
    severity = "" if context["is_over"] else f"[{incident.severity}] "
    return Message(
        subject=f"{prefix}{severity}{seen.title}",
        text=render_to_string("alerts/messages/incident.txt", context).strip() + "\n",
        html=render_to_string("alerts/messages/incident.html", context),
        key=key,
        thread=f"incident-{incident.pk}",
        payload={
            "version": 1,
            "id": key,
            "event": event.event,
            "at": event.at.isoformat(),
            "text": text,
            "incident": {
                "id": incident.pk,
                "url": url,
                "title": seen.title,
                "severity": incident.severity,
                "state": incident.state,
                "rule": incident.rule.kind,
                "cause": incident.cause_key if seen.is_whole else None,
                "code": incident.evidence.get("code") or None,
                "result_type": incident.result_type or None,
                "since_on": incident.since_on.isoformat(),
                "last_seen_on": incident.last_seen_on.isoformat(),
                "due_at": incident.asked_by.isoformat() if incident.asked_by else None,
                "failed_sessions": figures.failed_sessions,
                "sessions": figures.sessions,
                "failed_first_on": figures.first_on.isoformat() if figures.first_on else None,
                "failed_last_on": figures.last_on.isoformat() if figures.last_on else None,
                "reporters": incident.reporters,
                "receiving_mx": seen.receiving_mx,
                "domain_count": domain_count,
                "domains": [row.domain.name for row in rows],
                "teams": context["owners"],
                "meaning": words.meaning,
                "action": words.action,
            },
        },
    )


def digest_message(
    told: Sequence[tuple[Incident, IncidentEvent]], key: str, reader: Reader = EVERYTHING
) -> Message:
    """Build one message of many events: the figures first, then a line for each incident."""
    newest: dict[int, tuple[Incident, IncidentEvent]] = {}
    for incident, event in told:
        newest[incident.pk] = (incident, event)
    rows = sorted(newest.values(), key=lambda one: (Severity(one[0].severity).rank, -one[0].pk))
    active = [incident for incident, _ in rows if incident.is_active]
    titles = [seen.title for seen in see_all(reader, [incident for incident, _ in rows])]
    context = {
        "rows": [
            {"incident": incident, "title": title, "event": event, "url": _url(incident)}
            for title, (incident, event) in zip(titles, rows, strict=True)
        ],
        "open_count": len(active),
        "over_count": len(rows) - len(active),
        "worst": active[0].get_severity_display() if active else "",
        "url": f"{settings.SITE_URL}{reverse('alerts:incidents')}",
    }
    plural = "s" if len(rows) != 1 else ""
    return Message(
        subject=f"TLS incidents: {len(active)} open, {len(rows) - len(active)} over",
        text=render_to_string("alerts/messages/digest.txt", context).strip() + "\n",
        html=render_to_string("alerts/messages/digest.html", context),
        key=key,
        thread=key,
        payload={
            "version": 1,
            "id": key,
            "event": "digest",
            "text": f"{len(rows)} incident{plural}",
            "incidents": [
                {
                    "id": incident.pk,
                    "url": _url(incident),
                    "title": title,
                    "severity": incident.severity,
                    "state": incident.state,
                }
                for title, (incident, _) in zip(titles, rows, strict=True)
            ],
        },
    )


def test_message() -> Message:
    """Build the message of "send a test"."""
    text = (
        "This is a test from TLS-RPT Portal. Incidents will arrive here the same way.\n\n"
        f"{settings.SITE_URL}\n"
    )
    # Mail servers and receivers of webhooks drop what bears the id of a message they had.
    key = f"test-{uuid4()}"
    return Message(
        subject="Test from TLS-RPT Portal",
        text=text,
        html=f"<p>{text.strip()}</p>",
        key=key,
        thread=key,
        payload={"version": 1, "id": key, "event": "test", "text": text.strip()},
    )


def _touched(count: int, incident: Incident, *, is_whole: bool) -> str:
    """Give how many domains it touches, and of how many where others are not the reader's."""
    all_count = count if is_whole else incident.incident_domains.count()
    return (
        plural(count, "domain")
        if count == all_count
        else f"{count:,} of {plural(all_count, 'domain')}"
    )


def _url(incident: Incident) -> str:
    return f"{settings.SITE_URL}{incident.get_absolute_url()}"
