"""The outbox as a queue: who may send which message next, and what became of it.

A message is claimed with a conditional UPDATE and a time that proves the claim. A worker that dies
leaves a claim that ends; one that only slept finds that its claim is no longer its own.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import OperationalError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from alerts.errors import DeliveryFailed
from alerts.models import Notification

logger = logging.getLogger(__name__)

# A worker that died while sending: its messages are free again after this time. No send is waited
# for as long. A pause that is longer, and that it heard of and died before it could note, is lost:
# nothing was written of it. So is one asked for after the sender had given up the answer.
CLAIM_ENDS_AFTER = timedelta(minutes=3)
# Three days of tries, at last every hour: a receiver that comes back is not long without news.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 30, *[60] * 70))
_MARK_TRIES = 5


@dataclass(kw_only=True)
class Outcome:
    """What became of the messages that were due."""

    delivered: int = 0
    postponed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """Messages that leave in order: those of one recipient, digests apart."""

    destination: int | None
    email: str
    is_digest: bool

    def waiting(self) -> QuerySet[Notification]:
        """Give its messages that have neither left nor been given up."""
        return Notification.objects.filter(
            destination=self.destination,
            email=self.email,
            is_digest=self.is_digest,
            delivered_at=None,
            failed_at=None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Messages that are ours to send: one, or all of a digest.

    `is_repetition`: a worker died while it sent them, so they may have arrived.
    """

    lane: Lane
    rows: Sequence[Notification]
    at: datetime
    is_repetition: bool


def due_lanes() -> list[Lane]:
    """Give the recipients for whom something is due."""
    due = Notification.objects.filter(
        delivered_at=None, failed_at=None, next_attempt_at__lte=timezone.now()
    )
    found = due.order_by().values_list("destination", "email", "is_digest").distinct()
    return [Lane(*row) for row in found]


def claim_next(lane: Lane) -> Claim | None:
    """Take the next message of a lane; None where nothing may leave now or somebody has it."""
    now = timezone.now()
    # An earlier message holds up the later ones once it could leave; one that waits for the end of
    # quiet hours holds up nothing.
    earlier = lane.waiting().filter(
        Q(next_attempt_at__lte=now) | Q(attempts__gt=0), pk__lt=OuterRef("pk")
    )
    due = lane.waiting().filter(_free(now), ~Exists(earlier), next_attempt_at__lte=now)
    row = due.select_related("incident__rule", "event", "destination").order_by("pk").first()
    if row is None:
        return None
    # Whoever changes the row as it was read has it.
    as_read = lane.waiting().filter(pk=row.pk, claimed_at=row.claimed_at, attempts=row.attempts)
    is_repetition = row.claimed_at is not None
    row.attempts += is_repetition
    claimed_at = timezone.now()
    if not as_read.update(claimed_at=claimed_at, attempts=row.attempts):
        return None
    if is_repetition:
        logger.warning("message %s was being sent by a worker that stopped", row.pk)
    rows = [row, *_claim_rest(lane, row, now, claimed_at)] if lane.is_digest else [row]
    return Claim(lane=lane, rows=rows, at=claimed_at, is_repetition=is_repetition)


def note_delivered(claim: Claim, outcome: Outcome) -> None:
    """Mark what has left."""
    pks = [row.pk for row in claim.rows]
    outcome.delivered += _mark(claim, pks, delivered_at=timezone.now(), error="")


def note_failure(claim: Claim, error: DeliveryFailed, outcome: Outcome) -> None:
    """Put off what may leave later; keep the rest as dead letters, with the reason."""
    now = timezone.now()
    for row in claim.rows:
        attempts = row.attempts + 1
        values: dict[str, object] = {"attempts": attempts, "error": str(error)[:300]}
        if error.is_permanent or attempts > len(BACKOFF):
            values["failed_at"] = now
            outcome.failed += 1
        else:
            wait = BACKOFF[attempts - 1]
            if error.retry_after_s is not None:
                wait = max(wait, timedelta(seconds=error.retry_after_s))
            values["next_attempt_at"] = now + wait
            outcome.postponed += 1
        _mark(claim, [row.pk], claimed_at=None, **values)
        logger.warning("message %s was not delivered (attempt %s): %s", row.pk, attempts, error)


def _free(now: datetime) -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_ENDS_AFTER)


def _claim_rest(
    lane: Lane, first: Notification, now: datetime, claimed_at: datetime
) -> list[Notification]:
    """Take all messages that leave with the first of a digest."""
    others = lane.waiting().exclude(pk=first.pk)
    others.filter(_free(now), next_attempt_at__lte=now).update(claimed_at=claimed_at)
    mine = others.filter(claimed_at=claimed_at).order_by("pk")
    return list(mine.select_related("incident__rule", "event", "destination"))


def _mark(claim: Claim, pks: Sequence[int], **values: object) -> int:
    """Write what became of messages, if they are still ours; give of how many.

    A database that is busy for a moment must not make a message leave twice.
    """
    ours = Notification.objects.filter(pk__in=pks, claimed_at=claim.at)
    for _ in range(_MARK_TRIES - 1):
        try:
            return ours.update(**values)
        except OperationalError as error:
            logger.warning("message %s could not be marked yet: %s", pks[0], error)
            time.sleep(1)
    return ours.update(**values)
