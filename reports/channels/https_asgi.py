"""The HTTPS intake as granian serves it: no thread waits for a reporter.

The same answers as `reports.channels.https`, which serves it behind any WSGI server. Reports that
arrive while a commit is under way share the next one, whoever sent them.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from mailtls.limits import MIB
from reports.channels.bodies import (
    BodyReader,
    Message,
    Receive,
    RefusedError,
    Send,
    answer,
    answer_refused,
)
from reports.channels.https import GREETING, PREFIX, Door, Doors
from reports.channels.outages import log_not_stored
from reports.models import Channel
from reports.services.accept import Provenance, Received, pack
from reports.services.accept_together import commit_together

_MOST_AT_ONCE = 64

_Arrival = tuple[Received, Provenance]


@dataclass(slots=True)
class AsgiIntake:
    """Answers what is posted below `/tlsrpt/`."""

    bodies: BodyReader
    _doors: Doors = field(default_factory=Doors)
    # One thread: SQLite has one writer, and on PostgreSQL the batches make up for it.
    _database: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "intake"))
    _waiting: list[tuple[_Arrival, asyncio.Future[None]]] = field(default_factory=list)
    _writing: asyncio.Task[None] | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            await answer(send, 200, GREETING)
            return
        key = scope["path"].removeprefix(PREFIX).rstrip("/")
        try:
            door = await self._find_door(key)
            if door is None:
                await answer(send, 404, "There is no such intake.")
            elif door.is_over_rate():
                await answer(send, 429, "Too many reports a minute.", retry_after_s=30)
            else:
                limit = settings.INTAKE_MAX_MEGABYTES * MIB
                async with self.bodies.read(receive, limit) as body:
                    await self._store(body, door, _client(scope))
                await answer(send, 201, "Stored.")
        except RefusedError as refused:
            await answer_refused(send, refused)
        except DatabaseError as error:
            log_not_stored("a posted report", error)
            await answer(send, 503, "Not stored. Please send it again.", retry_after_s=60)

    async def _find_door(self, key: str) -> Door | None:
        door = self._doors.get_known(key)
        if door is not None:
            return door
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, self._ask, key)

    def _ask(self, key: str) -> Door | None:
        close_old_connections()
        return self._doors.get(key)

    async def _store(self, body: bytes, door: Door, client: str) -> None:
        """Return when the body is committed; raises `DatabaseError`."""
        source = Provenance(channel=Channel.HTTPS, intake_id=door.intake_id, sender=client)
        stored = asyncio.get_running_loop().create_future()
        self._waiting.append(((pack(body), source), stored))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await stored

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch = self._waiting[:_MOST_AT_ONCE]
                del self._waiting[:_MOST_AT_ONCE]
                arrivals = [arrival for arrival, _ in batch]
                errors = await loop.run_in_executor(self._database, _commit, arrivals)
                for (_, stored), error in zip(batch, errors, strict=True):
                    if stored.cancelled():
                        continue
                    if error is None:
                        stored.set_result(None)
                    else:
                        stored.set_exception(error)
        finally:
            self._writing = None


def _commit(arrivals: list[_Arrival]) -> list[DatabaseError | None]:
    close_old_connections()
    return [error for _, error in commit_together(arrivals)]


def _client(scope: Message) -> str:
    """Give the client's address; the proxy's word counts only where TRUSTED_PROXY is set."""
    if settings.TRUSTED_PROXY:
        values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        # The right-most entry is the one our own proxy added; those before it can be forged.
        forwarded = b",".join(values).decode("latin-1").rpartition(",")[2].strip()
        if forwarded:
            return forwarded
    client = scope.get("client")
    return str(client[0]) if client else ""
