"""Writes into the outbox who is to be told of an event; `deliver` sends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from alerts.models import Destination, Digest, Incident, IncidentEvent, Notification, Severity
from domains.models import Domain
from webui.background import nudge

SEVERITY_ORDER = [severity.value for severity in Severity]  # worst first
MAX_OWNERS = 50
DIGEST_AT = time(7)  # UTC


def notify(incident: Incident, event: IncidentEvent) -> list[Notification]:
    """Put a message to each destination and owner concerned into the outbox."""
    destinations = Destination.objects.filter(is_active=True, escalate_after_minutes=None)
    destinations = destinations.filter(_concerned(incident)).distinct()
    told = put_in_outbox(incident, event, destinations)
    owners = owners_of(incident)[:MAX_OWNERS]
    rows = [Notification(incident=incident, event=event, email=one) for one in owners]
    told += Notification.objects.bulk_create(rows, ignore_conflicts=True)
    if told:
        nudge("alerts.tasks.deliver")
    return told


def owners_of(incident: Incident) -> list[str]:
    """Give the owners of the touched domains: who was told of it before first, because they want to
    hear that it is over, then those of the most failed sessions. The first MAX_OWNERS are told."""
    found = list(_by_owner(incident).annotate(failed=Sum("failed_sessions")))
    told = set(incident.notifications.exclude(email="").values_list("email", flat=True))
    ranked = sorted(found, key=lambda row: (row[0] not in told, -row[1], row[0]))
    return [owner for owner, _ in ranked]


def count_owners(incident: Incident) -> int:
    """Count the owners of the touched domains."""
    return _by_owner(incident).distinct().count()


def _by_owner(incident: Incident) -> QuerySet[Any, Any]:
    rows = incident.incident_domains.exclude(domain__owner="").order_by()
    return rows.values_list("domain__owner")


def put_in_outbox(
    incident: Incident,
    event: IncidentEvent,
    destinations: Iterable[Destination],
) -> list[Notification]:
    """Put one message for each destination into the outbox, for when it may leave."""
    now = timezone.now()
    rows = [
        Notification(
            incident=incident,
            event=event,
            destination=destination,
            is_digest=bool(destination.digest),
            next_attempt_at=leaves_at(destination, Severity(incident.severity), now),
        )
        for destination in destinations
    ]
    told = Notification.objects.bulk_create(rows, ignore_conflicts=True)
    _let_earlier_ones_leave(rows, now)
    return told


def _let_earlier_ones_leave(rows: Iterable[Notification], now: datetime) -> None:
    """What is told in quiet hours takes along what waits about the same incident, in order."""
    at_once = [row for row in rows if row.next_attempt_at <= now]
    Notification.objects.filter(
        incident__in={row.incident_id for row in at_once},
        destination__in=[row.destination_id for row in at_once],
        is_digest=False,
        attempts=0,
        delivered_at=None,
        failed_at=None,
        next_attempt_at__gt=now,
    ).update(next_attempt_at=now)


def reaches(destination: Destination, incident: Incident) -> bool:
    """Say whether a destination hears of an incident."""
    return Destination.objects.filter(_concerned(incident), pk=destination.pk).exists()


def leaves_at(destination: Destination, severity: Severity, now: datetime) -> datetime:
    """Give when a message may leave: with the next digest, after quiet hours, or now."""
    if destination.digest:
        return _next_digest(Digest(destination.digest), now)
    if severity is Severity.CRITICAL:
        return now
    return end_of_quiet(destination.quiet_from, destination.quiet_until, now)


def end_of_quiet(start: time | None, end: time | None, now: datetime) -> datetime:
    """Give the end of the quiet hours `now` lies in, or `now` itself. They may span midnight."""
    if start is None or end is None or start == end:
        return now
    clock = now.astimezone(UTC).time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not is_quiet:
        return now
    day = now.astimezone(UTC).date()
    if start > end and clock >= start:
        day += timedelta(days=1)
    return datetime.combine(day, end, UTC)


def _next_digest(digest: Digest, now: datetime) -> datetime:
    day = now.astimezone(UTC).date()
    if now.astimezone(UTC).time() >= DIGEST_AT:
        day += timedelta(days=1)
    if digest is Digest.WEEKLY:
        day += timedelta(days=-day.weekday() % 7)
    return datetime.combine(day, DIGEST_AT, UTC)


def _concerned(incident: Incident) -> Q:
    """Give the destinations by team, severity and tag."""
    touched = Domain.objects.filter(incident_domains__incident=incident)
    teams = touched.exclude(team=None).values("team")
    at_least = SEVERITY_ORDER[SEVERITY_ORDER.index(incident.severity) :]
    tags = touched.exclude(tags=None).values("tags")
    return (
        (Q(team=None) | Q(team__in=teams))
        & (Q(tag=None) | Q(tag__in=tags))
        & Q(minimum_severity__in=at_least)
    )
