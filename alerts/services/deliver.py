"""Sends what waits in the outbox.

Messages of one recipient leave one after the other, those of different recipients side by side, so
one that hangs holds up its own only. Threads send; the calling thread alone asks the database.

Each message leaves at least once. A worker that is killed between the receiver's answer and the
mark leaves a claim that ends, and the message leaves a second time with the same Message-ID or
Idempotency-Key, by which the receiver can drop it: no sender can do better over SMTP or HTTP.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from queue import Empty, SimpleQueue

from alerts.channels.apprise import send_apprise
from alerts.channels.email import send_email
from alerts.channels.webhook import send_webhook
from alerts.errors import DeliveryFailed
from alerts.messages import Message, digest_message, incident_message
from alerts.models import Destination, DestinationKind
from alerts.readers import reader_of_message
from alerts.sealing import CannotUnseal, unseal
from alerts.services.outbox import (
    BACKOFF,
    Claim,
    Lane,
    Outcome,
    claim_next,
    due_lanes,
    note_delivered,
    note_failure,
)

logger = logging.getLogger(__name__)

# So many recipients are served side by side.
LANES = 8
# A send that takes longer counts as failed. The time-outs of the channels are for a single read,
# and a receiver may drip.
SEND_ENDS_AFTER_S = 60.0
# No new message is begun after so long: the next tick goes on.
PASS_ENDS_AFTER_S = 300.0


def deliver_due() -> Outcome:
    """Send what is due, in order for each recipient; give what became of it."""
    held = _Pass()
    held.run()
    return held.outcome


def send(destination: Destination, message: Message) -> None:
    """Send one message to a destination, or raise DeliveryFailed."""
    try:
        address = unseal(destination.sealed_address)
        secret = unseal(destination.sealed_secret) if destination.sealed_secret else ""
    except CannotUnseal as error:
        # After a restore the right key may be set in a while: what waits need not be lost.
        raise DeliveryFailed(str(error), is_permanent=False) from error
    if destination.kind == DestinationKind.EMAIL:
        send_email(address, message)
    elif destination.kind == DestinationKind.WEBHOOK:
        send_webhook(address, secret, message)
    else:
        send_apprise(address, message)


class _Pass:
    """One pass over the recipients for whom something is due."""

    def __init__(self) -> None:
        self.outcome = Outcome()
        self._begun = 0
        self._stops_at_s = time.monotonic() + PASS_ENDS_AFTER_S
        # By number: what is being sent, and when it has taken too long.
        self._sending: dict[int, tuple[Claim, float]] = {}
        self._ended: SimpleQueue[tuple[int, BaseException | None]] = SimpleQueue()

    def run(self) -> None:
        """Keep the lanes busy until nothing is due."""
        lanes = iter(due_lanes())
        while True:
            while len(self._sending) < LANES and (lane := next(lanes, None)) is not None:
                self._begin(lane)
            if not self._sending:
                return
            for claim, error in self._wait():
                if error is None:
                    note_delivered(claim, self.outcome)
                else:
                    note_failure(claim, _as_failure(error, claim), self.outcome)
                self._begin(claim.lane)

    def _begin(self, lane: Lane) -> None:
        """Begin to send the next message of a lane, if one may leave."""
        while time.monotonic() < self._stops_at_s:
            claim = claim_next(lane)
            if claim is None:
                return
            try:
                send_it = _prepare(claim)
            except DeliveryFailed as error:
                note_failure(claim, error, self.outcome)
                continue
            self._begun += 1
            self._sending[self._begun] = claim, time.monotonic() + SEND_ENDS_AFTER_S
            # A daemon: a send that never ends does not keep the process from stopping.
            threading.Thread(target=self._send, args=(self._begun, send_it), daemon=True).start()
            return

    def _send(self, number: int, send_it: Callable[[], None]) -> None:
        try:
            send_it()
        except BaseException as error:  # noqa: BLE001 the calling thread notes it, or raises it
            self._ended.put((number, error))
        else:
            self._ended.put((number, None))

    def _wait(self) -> Iterator[tuple[Claim, BaseException | None]]:
        """Wait until a send ends, and take it off; those that take too long count as failed."""
        first_s = min(ends_at_s for _, ends_at_s in self._sending.values())
        try:
            number, error = self._ended.get(timeout=max(0.0, first_s - time.monotonic()))
        except Empty:
            now_s = time.monotonic()
            for late in [n for n, (_, ends_at_s) in self._sending.items() if ends_at_s <= now_s]:
                words = "The receiver did not answer in time."
                yield self._sending.pop(late)[0], DeliveryFailed(words, is_permanent=False)
        else:
            if number in self._sending:  # else it ended after it had been given up
                yield self._sending.pop(number)[0], error


def _prepare(claim: Claim) -> Callable[[], None]:
    """Give the call that sends; it asks the database for nothing."""
    row = claim.rows[0]
    destination = row.destination
    if row.attempts > len(BACKOFF):
        raise DeliveryFailed("Every worker that sent it stopped.", is_permanent=True)
    reader = reader_of_message(row)
    if destination is None:
        mail = incident_message(row.incident, row.event, f"owner-{row.pk}", reader)
        return lambda: send_email(row.email, mail)
    if not destination.is_active:
        raise DeliveryFailed("The destination is switched off.", is_permanent=True)
    if claim.lane.is_digest:
        told = [(one.incident, one.event) for one in claim.rows]
        message = digest_message(told, f"digest-{row.pk}", reader)
    else:
        key = f"destination-{destination.pk}"
        message = incident_message(row.incident, row.event, key, reader)
    message = replace(message, is_repetition=claim.is_repetition)
    return lambda: send(destination, message)


def _as_failure(error: BaseException, claim: Claim) -> DeliveryFailed:
    """Give what went wrong as a failure; what only ends the process is raised."""
    if isinstance(error, DeliveryFailed):
        return error
    if not isinstance(error, Exception):
        raise error
    # The error's text may hold the address, and the address a token.
    name, place = type(error).__name__, traceback.extract_tb(error.__traceback__)[-1]
    pk = claim.rows[0].pk
    logger.error("message %s: %s at %s:%s", pk, name, place.filename, place.lineno)
    return DeliveryFailed(f"Unexpected: {name}.", is_permanent=False)
