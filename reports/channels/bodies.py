"""Request bodies over ASGI: waited for without a thread, and never more than a stated amount."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mailtls.limits import MIB

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Of all bodies that are being received at the same time.
_BUFFERED_BYTES = 512 * MIB
_WITHIN_S = 30.0


class RefusedError(Exception):
    """The body is not read on; status and text say why."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(slots=True)
class BodyReader:
    """Reads bodies; all that are read by one reader share its memory."""

    _buffered: int = 0

    @asynccontextmanager
    async def read(self, receive: Receive, limit: int) -> AsyncIterator[bytes]:
        """Give the whole body while it is held; raises `RefusedError`."""
        pieces: list[bytes] = []
        try:
            try:
                async with asyncio.timeout(_WITHIN_S):
                    await self._read(receive, limit, pieces)
            except TimeoutError:
                text = f"The request did not come within {_WITHIN_S:.0f} s."
                raise RefusedError(408, text) from None
            yield b"".join(pieces)
        finally:
            self._buffered -= sum(len(piece) for piece in pieces)

    async def _read(self, receive: Receive, limit: int, pieces: list[bytes]) -> None:
        size = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise RefusedError(400, "The client hung up.")
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise RefusedError(413, f"A request may have {limit // MIB} MB at most.")
            if self._buffered + len(piece) > _BUFFERED_BYTES:
                raise RefusedError(503, "Too much is being received. Please send it again.")
            if piece:
                self._buffered += len(piece)
                pieces.append(piece)
            if not message.get("more_body", False):
                return


async def answer(send: Send, status: int, text: str, *, retry_after_s: int = 0) -> None:
    """Send a short plain text."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if retry_after_s:
        headers.append((b"retry-after", str(retry_after_s).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})


async def answer_refused(send: Send, refused: RefusedError) -> None:
    """Send why a body was not read."""
    retry_after_s = 60 if refused.status == 503 else 0
    await answer(send, refused.status, refused.text, retry_after_s=retry_after_s)
