"""Empties the outbox: claims a message, sends it, marks it; retries what may pass later."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from alerts.channels.apprise import send_apprise
from alerts.channels.email import send_email
from alerts.errors import DeliveryFailed
from alerts.messages import Message, incident_message
from alerts.models import Destination, DestinationKind, Notification
from alerts.sealing import CannotUnseal, unseal

logger = logging.getLogger(__name__)

# A worker that died while sending: its messages are free again after this time.
CLAIM_ENDS_AFTER = timedelta(minutes=5)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 10, 30, 60, 180, 360, 720))
BATCH = 200


@dataclass(kw_only=True)
class Outcome:
    """What became of the messages that were due."""

    delivered: int = 0
    postponed: int = 0
    failed: int = 0


def deliver_due() -> Outcome:
    """Send what is due, oldest first, and give what became of it."""
    outcome = Outcome()
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_ENDS_AFTER)
    due = Notification.objects.filter(
        free, delivered_at=None, failed_at=None, next_attempt_at__lte=now
    )
    for pk in list(due.order_by("created_at", "pk").values_list("pk", flat=True)[:BATCH]):
        # Whoever changes the row has the message; everybody else goes on to the next.
        mine = Notification.objects.filter(free, pk=pk, delivered_at=None).update(
            claimed_at=timezone.now()
        )
        if mine:
            _deliver(pk, outcome)
    return outcome


def send(destination: Destination, message: Message) -> None:
    """Send one message to a destination, or raise DeliveryFailed."""
    try:
        address = unseal(destination.sealed_address)
    except CannotUnseal as error:
        raise DeliveryFailed(str(error), is_permanent=True) from error
    if destination.kind == DestinationKind.EMAIL:
        send_email(address, message)
    else:
        send_apprise(address, message)


def _deliver(pk: int, outcome: Outcome) -> None:
    row = Notification.objects.select_related("incident", "event", "destination").get(pk=pk)
    try:
        if row.destination is not None:
            recipient = f"destination-{row.destination.pk}"
            send(row.destination, incident_message(row.incident, row.event, recipient))
        else:
            send_email(row.email, incident_message(row.incident, row.event, f"owner-{row.pk}"))
    except DeliveryFailed as error:
        _note_failure(row, error, outcome)
        return
    row.delivered_at = timezone.now()
    row.error = ""
    row.save(update_fields=["delivered_at", "error"])
    outcome.delivered += 1


def _note_failure(row: Notification, error: DeliveryFailed, outcome: Outcome) -> None:
    row.attempts += 1
    row.error = str(error)[:300]
    row.claimed_at = None
    if error.is_permanent or row.attempts > len(BACKOFF):
        row.failed_at = timezone.now()
        outcome.failed += 1
    else:
        wait = BACKOFF[row.attempts - 1]
        if error.retry_after_s is not None:
            wait = max(wait, timedelta(seconds=error.retry_after_s))
        row.next_attempt_at = timezone.now() + wait
        outcome.postponed += 1
    row.save(update_fields=["attempts", "error", "claimed_at", "failed_at", "next_attempt_at"])
    logger.warning("message %s was not delivered (attempt %s): %s", row.pk, row.attempts, error)
