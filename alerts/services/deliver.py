"""Empties the outbox: claims a message, sends it, marks it; retries what may pass later.

Each message leaves at least once. A worker that is killed between the send and the mark leaves a
claim that ends, and the message leaves a second time with the same Message-ID or Idempotency-Key,
by which the receiver can drop it: no sender can do better over SMTP or HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from alerts.channels.apprise import send_apprise
from alerts.channels.email import send_email
from alerts.channels.webhook import send_webhook
from alerts.errors import DeliveryFailed
from alerts.messages import Message, digest_message, incident_message
from alerts.models import Destination, DestinationKind, Notification
from alerts.sealing import CannotUnseal, unseal

logger = logging.getLogger(__name__)

# A worker that died while sending: its messages are free again after this time. No send takes
# as long: each channel has a time-out of its own.
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
    """Send what is due, oldest first and in order for each recipient; give what became of it."""
    outcome = Outcome()
    now = timezone.now()
    due = Notification.objects.filter(
        _free(now), delivered_at=None, failed_at=None, next_attempt_at__lte=now
    )
    for pk in list(due.order_by("created_at", "pk").values_list("pk", flat=True)[:BATCH]):
        if _claim(pk, now):
            _deliver(pk, now, outcome)
    return outcome


def send(destination: Destination, message: Message) -> None:
    """Send one message to a destination, or raise DeliveryFailed."""
    try:
        address = unseal(destination.sealed_address)
        secret = unseal(destination.sealed_secret) if destination.sealed_secret else ""
    except CannotUnseal as error:
        raise DeliveryFailed(str(error), is_permanent=True) from error
    if destination.kind == DestinationKind.EMAIL:
        send_email(address, message)
    elif destination.kind == DestinationKind.WEBHOOK:
        send_webhook(address, secret, message)
    else:
        send_apprise(address, message)


def _free(now: datetime) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_ENDS_AFTER)


def _claim(pk: int, now: datetime) -> bool:
    """Take a message, unless somebody has it or an earlier one to the same recipient is to leave.

    Whoever changes the row has it. An earlier message counts once it could leave; one that waits
    for the end of quiet hours or for a digest holds up nothing.
    """
    same = Q(destination=OuterRef("destination")) | Q(
        destination__isnull=True, email=OuterRef("email")
    )
    earlier = Notification.objects.filter(
        same,
        Q(next_attempt_at__lte=now) | Q(attempts__gt=0),
        delivered_at=None,
        failed_at=None,
        is_digest=OuterRef("is_digest"),
        pk__lt=OuterRef("pk"),
    )
    mine = Notification.objects.filter(
        _free(now), ~Exists(earlier), pk=pk, delivered_at=None, failed_at=None
    )
    return bool(mine.update(claimed_at=timezone.now()))


def _deliver(pk: int, now: datetime, outcome: Outcome) -> None:
    row = Notification.objects.select_related("incident__rule", "event", "destination").get(pk=pk)
    if row.destination is not None and not row.destination.is_active:
        _note_failure(
            [row], DeliveryFailed("The destination is switched off.", is_permanent=True), outcome
        )
        return
    rows = [row]
    try:
        if row.destination is None:
            send_email(row.email, incident_message(row.incident, row.event, f"owner-{row.pk}"))
        elif row.is_digest:
            rows = _claim_digest(row, now)
            told = [(one.incident, one.event) for one in rows]
            send(row.destination, digest_message(told, f"digest-{row.pk}"))
        else:
            recipient = f"destination-{row.destination.pk}"
            send(row.destination, incident_message(row.incident, row.event, recipient))
    except DeliveryFailed as error:
        _note_failure(rows, error, outcome)
        return
    Notification.objects.filter(pk__in=[one.pk for one in rows]).update(
        delivered_at=timezone.now(), error=""
    )
    outcome.delivered += len(rows)


def _claim_digest(first: Notification, now: datetime) -> list[Notification]:
    """Take all messages that leave with this one."""
    waiting = Notification.objects.filter(
        _free(now),
        destination=first.destination,
        is_digest=True,
        delivered_at=None,
        failed_at=None,
        next_attempt_at__lte=now,
    )
    pks = [first.pk]
    for pk in waiting.exclude(pk=first.pk).order_by("pk").values_list("pk", flat=True):
        taken = Notification.objects.filter(_free(now), pk=pk, delivered_at=None)
        if taken.update(claimed_at=timezone.now()):
            pks.append(pk)
    rows = Notification.objects.filter(pk__in=pks).order_by("pk")
    return list(rows.select_related("incident__rule", "event", "destination"))


def _note_failure(rows: Sequence[Notification], error: DeliveryFailed, outcome: Outcome) -> None:
    for row in rows:
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
