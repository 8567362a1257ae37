"""Carries questions to a name server: many at once over UDP, or one over TCP."""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import struct
from typing import Any

from prober.dns_wire import BadAnswerError, Message, pack_query, unpack_answer

logger = logging.getLogger(__name__)

# A default receive buffer on Linux holds some 270 small questions; what comes on top is lost, and
# only a time-out later. At 30 ms a question this many are 8,000 a second.
_IN_FLIGHT = 240
# By then the name server has read the question, or never will: silence must not block the others.
_HOLD_S = 0.5
_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024


class Window:
    """Keeps the questions to one name server at a number that it can take in.

    A sweep has thousands at hand at once. Waiting here costs no time-out.
    """

    def __init__(self, in_flight: int = _IN_FLIGHT) -> None:
        self._places = asyncio.Semaphore(in_flight)

    async def ask(self, channel: Channel, question: bytes, timeout_s: float) -> Message | None:
        """Ask over a channel when there is room; None when no answer came in time."""
        await self._places.acquire()
        is_held = True

        def let_go() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._places.release()

        timer = asyncio.get_running_loop().call_later(_HOLD_S, let_go)
        try:
            return await channel.ask(question, timeout_s)
        finally:
            timer.cancel()
            let_go()


class Channel(asyncio.DatagramProtocol):
    """One connected UDP socket with many questions in flight."""

    def __init__(self) -> None:
        self._pending: dict[int, tuple[bytes, asyncio.Future[Message | None]]] = {}
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        sock = transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)

    async def ask(self, question: bytes, timeout_s: float) -> Message | None:
        """Give the answer, or None when none came in time."""
        assert self._transport is not None
        loop = asyncio.get_running_loop()
        query_id = secrets.randbits(16)
        while query_id in self._pending:
            query_id = secrets.randbits(16)
        future: asyncio.Future[Message | None] = loop.create_future()
        self._pending[query_id] = (question, future)
        timer = loop.call_later(timeout_s, _give_up, future)
        try:
            self._transport.sendto(pack_query(query_id, question))
            return await future
        finally:
            timer.cancel()
            del self._pending[query_id]

    def datagram_received(self, data: bytes, _addr: Any) -> None:
        if len(data) < 2:
            return
        query_id = int.from_bytes(data[:2], "big")
        pending = self._pending.get(query_id)
        if pending is None:
            return
        question, future = pending
        try:
            message = unpack_answer(data, query_id, question)
        except BadAnswerError as error:
            # Not ours, or forged, or damaged on the way: the right answer may still come.
            logger.debug("dropped a datagram: %s", error)
            return
        if not future.done():
            future.set_result(message)

    def error_received(self, exc: Exception) -> None:
        # ICMP says that nobody listens; whoever is waiting need not wait on.
        logger.debug("name server unreachable: %s", exc)
        for _, future in self._pending.values():
            _give_up(future)

    def close(self) -> None:
        """Close the socket; questions in flight end without an answer."""
        for _, future in self._pending.values():
            _give_up(future)
        if self._transport is not None:
            self._transport.close()


def _give_up(future: asyncio.Future[Message | None]) -> None:
    if not future.done():
        future.set_result(None)


async def ask_over_tcp(
    server: tuple[str, int], question: bytes, timeout_s: float
) -> Message | None:
    """Ask again where UDP was too small for the answer (RFC 7766)."""
    query_id = secrets.randbits(16)
    query = pack_query(query_id, question)
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(*server)
            try:
                writer.write(struct.pack("!H", len(query)) + query)
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                return unpack_answer(await reader.readexactly(length), query_id, question)
            finally:
                writer.close()
    except (OSError, TimeoutError, asyncio.IncompleteReadError, BadAnswerError) as error:
        logger.debug("no answer over TCP from %s: %s", server, error)
        return None
