"""The mail receiver: SMTP and LMTP for the portal's own addresses (RFC 8460 section 5.3).

Mail is answered with 250 once it is committed, and with a temporary failure while the database
is away, so the sending server keeps it. Plain text is fine: reports must arrive while TLS is
broken (RFC 8460 section 3).
"""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from mailtls.limits import MIB
from reports import intake_queries
from reports.channels.outages import log_not_stored
from reports.models import Channel
from reports.services.accept import Provenance
from reports.services.accept_together import accept_together
from reports.services.process import mail_bytes

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_CONNECTIONS = 2_000
# What bounds memory: so many mails are read at once, the others wait for their turn.
_MAX_READING = 64
_MAX_RECIPIENTS = 20
_DATABASE_THREADS = 4
# Since the last command; a mail that drips longer than this is given up.
_TIMEOUT_S = 60.0

_TRY_LATER = "451 4.3.0 The report could not be stored, please try again later"


@dataclass
class MailDoor:
    """Decides about recipients and stores mail; what touches the database runs in threads.

    Without slots: aiosmtpd looks at all members of its handler, and Python 3.11.2, which Debian 12
    has, fails at those of a dataclass with slots.
    """

    address: str
    is_lmtp: bool = False
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_DATABASE_THREADS, "mail")
    )
    _intakes: dict[str, int] = field(default_factory=dict)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take mail for the one address and for the keys of intakes."""
        if len(envelope.rcpt_tos) >= _MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        try:
            is_known = await self._run(partial(self._find_recipient, address.lower()))
        except DatabaseError:
            logger.exception("a recipient could not be looked up")
            return _TRY_LATER
        if not is_known:
            return "550 5.1.1 There is no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's names
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Store a mail, once for each recipient; answer when it is committed."""
        peer = session.peer[0] if isinstance(session.peer, tuple) else ""
        content = envelope.original_content or b""
        try:
            for recipient in envelope.rcpt_tos:
                provenance = Provenance(
                    channel=Channel.SMTP,
                    intake_id=self._intakes.get(_local_part(recipient)),
                    sender=envelope.mail_from or str(peer),
                    recipient=recipient,
                )
                await self._run(partial(accept_together, content, provenance))
        except DatabaseError as error:
            log_not_stored("a mail", error)
            answer = _TRY_LATER
        else:
            answer = "250 2.0.0 Stored"
        # LMTP wants one answer for each recipient (RFC 2033 section 4.2).
        return "\r\n".join([answer] * (len(envelope.rcpt_tos) if self.is_lmtp else 1))

    def close(self) -> None:
        """End the threads once they are done, and their database connections with them."""
        everyone = threading.Barrier(_DATABASE_THREADS)

        def leave() -> None:
            everyone.wait()  # so that each thread takes one of these
            connections.close_all()

        for _ in range(_DATABASE_THREADS):
            self._threads.submit(leave)
        self._threads.shutdown()

    def _find_recipient(self, address: str) -> bool:
        local, _, domain = address.rpartition("@")
        our_local, _, our_domain = self.address.rpartition("@")
        if our_domain and domain != our_domain:
            return False
        if our_local and local == our_local:
            return True
        intake_id = intake_queries.find_intake(local)
        if intake_id is None:
            return False
        self._intakes[local] = intake_id
        return True

    async def _run(self, work: Callable[[], T]) -> T:
        def in_thread() -> T:
            close_old_connections()
            try:
                return work()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, in_thread)


def _local_part(address: str) -> str:
    return address.lower().rpartition("@")[0]


class _Receiver(SMTP):
    """aiosmtpd's server with a bound on memory whatever is sent, and lines of any length."""

    # Bytes read ahead. Reports may stand on one long line, so longer lines are put together.
    line_length_limit = 64 * 1024

    def __init__(
        self,
        *args: Any,
        reading: asyncio.Semaphore,
        connected: set[asyncio.Protocol],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._reading = reading
        self._connected = connected

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count this connection."""
        self._connected.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count it no more."""
        self._connected.discard(self)
        super().connection_lost(error)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's names
        """Read a mail, not more of it than the limit, and let the door answer."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        async with self._reading:
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            content = await self._read_mail()
            if content is None:
                answer = f"552 5.3.4 A mail may have {self.data_size_limit} bytes at most"
            else:
                assert self.envelope is not None
                self.envelope.content = self.envelope.original_content = content
                answer = await self._call_handler_hook("DATA")
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        await self.push(answer)

    async def _read_mail(self) -> bytes | None:
        """Give the mail with its dots unstuffed (RFC 5321 section 4.5.2), None over the limit."""
        limit = self.data_size_limit or 0
        pieces: list[bytes] = []
        size = 0
        is_at_line_start = True
        while True:
            try:
                piece = await self._reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                piece = await self._reader.read(error.consumed)
            if is_at_line_start and piece == b".\r\n":
                break
            size += len(piece)
            if size > limit:
                pieces.clear()
            else:
                is_stuffed = is_at_line_start and piece.startswith(b".")
                pieces.append(piece[1:] if is_stuffed else piece)
            is_at_line_start = piece.endswith(b"\r\n")
        return None if size > limit else b"".join(pieces)


class _LmtpReceiver(_Receiver, LMTP):
    """The same for a mail server on this machine."""


class _Busy(asyncio.Protocol):
    """Asks to come later, at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say so and hang up."""
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(b"421 4.3.2 Too many connections, please try again later\r\n")
        transport.close()


async def serve_mail(
    host: str,
    port: int,
    *,
    is_lmtp: bool = False,
    tls_context: ssl.SSLContext | None = None,
    started: Callable[[int], None] | None = None,
) -> None:
    """Receive mail until SIGTERM, SIGINT or cancellation. `started` is told the port."""
    loop = asyncio.get_running_loop()
    door = MailDoor(address=settings.MAIL_ADDRESS.lower(), is_lmtp=is_lmtp)
    reading = asyncio.Semaphore(_MAX_READING)
    kind = _LmtpReceiver if is_lmtp else _Receiver
    connected: set[asyncio.Protocol] = set()

    def connect() -> asyncio.Protocol:
        if len(connected) >= _MAX_CONNECTIONS:
            return _Busy()
        return kind(
            door,
            reading=reading,
            connected=connected,
            data_size_limit=mail_bytes(settings.INTAKE_MAX_MEGABYTES * MIB),
            enable_SMTPUTF8=True,
            hostname=door.address.rpartition("@")[2] or "localhost",
            ident="TLS-RPT Portal",
            tls_context=tls_context,
            timeout=_TIMEOUT_S,
            loop=loop,
        )

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(connect, host, port)
    try:
        if started is not None:
            started(server.sockets[0].getsockname()[1])
        await stop.wait()
    finally:
        server.close()
        # What has no 250 yet is sent again by whoever sends it.
        door.close()
