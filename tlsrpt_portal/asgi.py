"""The application that granian serves: Django in threads, behind a reader that waits for bodies.

A thread is busy with a request only once all of it is there. Otherwise a handful of clients that
send a byte now and then keep every thread, and reporters and people wait with them.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tlsrpt_portal.settings")

from django.core.wsgi import get_wsgi_application

_django = get_wsgi_application()

# Models can be imported once Django is set up.
from mailtls.limits import MIB  # noqa: E402
from reports.channels.bodies import (  # noqa: E402
    BodyReader,
    Message,
    Receive,
    RefusedError,
    Send,
    answer_refused,
)
from reports.channels.https import PREFIX  # noqa: E402
from reports.channels.https_asgi import AsgiIntake  # noqa: E402
from tlsrpt_portal.settle import settle  # noqa: E402

_THREADS = 4
# Of people's uploads and imports; reports have a setting of their own.
_BODY_BYTES = 64 * MIB


@dataclass(slots=True)
class BufferedApplication:
    """Serves a WSGI application over ASGI, each request in a thread once its body is complete."""

    wsgi: Callable[..., Iterable[bytes]]
    bodies: BodyReader = field(default_factory=BodyReader)
    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_THREADS, "request")
    )
    _intake: AsgiIntake = field(init=False)

    def __post_init__(self) -> None:
        self._intake = AsgiIntake(self.bodies)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._intake(scope, receive, send)
        elif scope["type"] == "http":
            try:
                async with self.bodies.read(receive, _BODY_BYTES) as body:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(self._threads, self._run, scope, body, send, loop)
            except RefusedError as refused:
                await answer_refused(send, refused)

    def _run(
        self, scope: Message, body: bytes, send: Send, loop: asyncio.AbstractEventLoop
    ) -> None:
        """Run the WSGI application in this thread, passing on what it says as it comes."""
        start: Message = {}

        def start_response(
            status: str, headers: list[tuple[str, str]], _error: object = None
        ) -> None:
            start.update(
                type="http.response.start",
                status=int(status.split(" ", 1)[0]),
                headers=[
                    (name.lower().encode("latin-1"), value.encode("latin-1"))
                    for name, value in headers
                ],
            )

        def pass_on(message: Message) -> None:
            asyncio.run_coroutine_threadsafe(_send(send, message), loop).result()

        response = self.wsgi(_environ(scope, body), start_response)
        try:
            chunks = iter(response)
            first = next(chunks, b"")
            second = next(chunks, None)
            if second is None:
                pass_on({"messages": (start, {"type": "http.response.body", "body": first})})
                return
            pass_on(start)
            for chunk in (first, second):
                pass_on({"type": "http.response.body", "body": chunk, "more_body": True})
            for chunk in chunks:
                pass_on({"type": "http.response.body", "body": chunk, "more_body": True})
            pass_on({"type": "http.response.body", "body": b""})
        finally:
            close = getattr(response, "close", None)
            if close is not None:
                close()


async def _send(send: Send, message: Message) -> None:
    for one in message.get("messages", (message,)):
        await send(one)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            settle()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _environ(scope: Message, body: bytes) -> dict[str, Any]:
    """Give the WSGI environment of an ASGI request (PEP 3333)."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": scope["path"].encode("utf-8").decode("latin-1"),
        "QUERY_STRING": scope.get("query_string", b"").decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").upper(), raw_value.decode("latin-1")
        # X_Forwarded_For must not pass for X-Forwarded-For, which a proxy has checked.
        if "_" in name:
            continue
        key = f"HTTP_{name.replace('-', '_')}"
        if name in ("CONTENT-TYPE", "CONTENT-LENGTH"):
            key = key.removeprefix("HTTP_")
        separator = "; " if name == "COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
    # Also where the body came in chunks and nobody announced its length.
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


application = BufferedApplication(_django)
