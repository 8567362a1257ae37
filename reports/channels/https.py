"""`POST /tlsrpt/<key>`: reports over HTTPS (RFC 8460 section 5.4).

A middleware in front of all others: no session, no CSRF, no redirect, no log-in. Postfix's
reporter takes every answer for delivered, so refusing costs the report; what is stored before
the answer is read later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.client_address import client_address
from mailtls.limits import MIB
from reports.channels.outages import log_not_stored
from reports.intake_queries import find_intake
from reports.models import Channel, Receipt
from reports.services.accept import Provenance
from reports.services.accept_together import accept_together

PREFIX = "/tlsrpt/"
GREETING = "This address takes TLS reports by POST (RFC 8460 section 5.4)."
_CHUNK_BYTES = 64 * 1024
# RFC 8460 leaves it open; senders give up after about ten seconds.
_READ_WITHIN_S = 10.0
_RATE_SPAN = timedelta(seconds=60)
_ASK_AGAIN_AFTER_S = 1.0


class _TooLargeError(Exception):
    """More than the limit was sent, or announced."""


class _TooSlowError(Exception):
    """The body did not come in time."""


class IntakeMiddleware:
    """Answers what is posted to an intake and passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._doors = Doors()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass on."""
        if not request.path_info.startswith(PREFIX):
            return self._get_response(request)
        if request.method != "POST":
            return _answer(200, GREETING)
        try:
            return self._take_in(request, request.path_info.removeprefix(PREFIX).rstrip("/"))
        except _TooLargeError:
            limit = settings.INTAKE_MAX_MEGABYTES
            return _answer(413, f"Reports may have {limit} MB at most as sent.")
        except _TooSlowError:
            return _answer(408, f"The report did not come within {_READ_WITHIN_S:.0f} s.")
        except DatabaseError as error:
            log_not_stored("a posted report", error)
            return _answer(503, "Not stored. Please send it again.", retry_after_s=60)

    def _take_in(self, request: HttpRequest, key: str) -> HttpResponse:
        door = self._doors.get(key)
        if door is None:
            return _answer(404, "There is no such intake.")
        if door.is_over_rate():
            return _answer(429, "Too many reports a minute.", retry_after_s=30)
        body = _read_body(request, settings.INTAKE_MAX_MEGABYTES * MIB)
        accept_together(
            body,
            Provenance(
                channel=Channel.HTTPS, intake_id=door.intake_id, sender=client_address(request)
            ),
        )
        return _answer(201, "Stored.")


@dataclass(slots=True)
class Door:
    """An intake as the database had it a moment ago, and the reports of its last minute."""

    intake_id: int
    asked_at: float
    recent: int

    def is_over_rate(self) -> bool:
        """Count one more report and say whether it is too many."""
        self.recent += 1
        return self.recent > settings.INTAKE_PER_MINUTE


class Doors:
    """The intakes by key, asked of the database once a second while they are used.

    So a revoked key is refused after a second, and what other processes took in counts for the
    rate; between two questions only our own is added.
    """

    def __init__(self) -> None:
        self._known: dict[str, Door] = {}

    def get_known(self, key: str) -> Door | None:
        """Find the intake with this key if the database was asked a moment ago."""
        door = self._known.get(key)
        if door is not None and time.monotonic() - door.asked_at < _ASK_AGAIN_AFTER_S:
            return door
        return None

    def get(self, key: str) -> Door | None:
        """Find the intake with this key."""
        if (door := self.get_known(key)) is not None:
            return door
        intake_id = find_intake(key)
        if intake_id is None:
            self._known.pop(key, None)
            return None
        since = timezone.now() - _RATE_SPAN
        recent = Receipt.objects.filter(intake=intake_id, received_at__gt=since).count()
        door = self._known[key] = Door(intake_id, time.monotonic(), recent)
        return door


def _read_body(request: HttpRequest, limit: int) -> bytes:
    """Read the body, never more than one byte over the limit."""
    expected = _announced_bytes(request)
    if expected is not None and expected > limit:
        raise _TooLargeError
    stream = request.META["wsgi.input"]
    deadline = time.monotonic() + _READ_WITHIN_S
    pieces: list[bytes] = []
    size = 0
    while expected is None or size < expected:
        most = limit + 1 - size if expected is None else expected - size
        piece = stream.read(min(_CHUNK_BYTES, most))
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            raise _TooLargeError
        if time.monotonic() > deadline:
            raise _TooSlowError
    return b"".join(pieces)


def _announced_bytes(request: HttpRequest) -> int | None:
    """Give the announced size; None where the stream ends where the body does."""
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced.isdecimal():
        return int(announced)
    is_framed = "HTTP_TRANSFER_ENCODING" in request.META
    return None if is_framed or request.META.get("SERVER_PROTOCOL") == "HTTP/2" else 0


def _answer(status: int, text: str, *, retry_after_s: int = 0) -> HttpResponse:
    response = HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
    if retry_after_s:
        response["Retry-After"] = str(retry_after_s)
    return response
