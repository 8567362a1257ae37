"""Django in threads behind a reader that waits for bodies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tlsrpt_portal import asgi
from tlsrpt_portal.asgi import BufferedApplication


class Site:
    """A WSGI application that remembers what it was asked."""

    def __init__(self, *chunks: bytes, status: str = "200 OK") -> None:
        self.chunks = chunks
        self.status = status
        self.environ: dict[str, Any] = {}
        self.body = b""
        self.is_closed = False

    def __call__(self, environ, start_response):
        self.environ, self.body = environ, environ["wsgi.input"].read()
        start_response(self.status, [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def close(self) -> None:
        self.is_closed = True


async def ask(site: Site, *bodies: bytes, **changes: Any) -> list[dict[str, Any]]:
    scope = {
        "type": "http", "method": "POST", "path": "/ä", "query_string": b"a=b", "scheme": "https",
        "http_version": "1.1", "headers": [], "client": ("192.0.2.1", 5), "server": ("h", 80),
        **changes,
    }  # fmt: skip
    messages = [
        {"type": "http.request", "body": body, "more_body": number < len(bodies)}
        for number, body in enumerate(bodies, start=1)
    ]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await BufferedApplication(site)(scope, receive, send)
    return sent


async def test_a_request_goes_through_and_the_answer_comes_back():
    site = Site(b"hello", status="201 Created")

    start, body = await ask(site, b"one ", b"two")

    assert site.body == b"one two"
    assert (site.environ["PATH_INFO"], site.environ["QUERY_STRING"]) == ("/Ã¤", "a=b")
    assert (site.environ["REMOTE_ADDR"], site.environ["wsgi.url_scheme"]) == ("192.0.2.1", "https")
    assert site.environ["CONTENT_LENGTH"] == "7"
    assert start["status"] == 201
    assert start["headers"] == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    assert (body["body"], body.get("more_body", False)) == (b"hello", False)
    assert site.is_closed


async def test_a_stream_is_passed_on_piece_by_piece():
    sent = await ask(Site(b"a", b"b", b"c"), b"")

    assert [message.get("body") for message in sent] == [None, b"a", b"b", b"c", b""]
    assert [message.get("more_body", False) for message in sent[1:]] == [True] * 3 + [False]


async def test_an_empty_answer_is_an_answer():
    start, body = await ask(Site(status="304 Not Modified"), b"")

    assert (start["status"], body["body"]) == (304, b"")


async def test_headers_cannot_pass_for_others_and_repeated_ones_are_joined():
    site = Site(b"")
    headers = [
        (b"x_forwarded_for", b"forged"),
        (b"accept", b"a"),
        (b"accept", b"b"),
        (b"cookie", b"a=1"),
        (b"cookie", b"b=2"),
        (b"content-type", b"text/plain"),
        (b"content-length", b"999"),
    ]

    await ask(site, b"xy", headers=headers)

    assert "HTTP_X_FORWARDED_FOR" not in site.environ
    assert (site.environ["HTTP_ACCEPT"], site.environ["HTTP_COOKIE"]) == ("a,b", "a=1; b=2")
    assert (site.environ["CONTENT_TYPE"], site.environ["CONTENT_LENGTH"]) == ("text/plain", "2")


async def test_a_body_over_the_limit_never_reaches_the_site(monkeypatch):
    monkeypatch.setattr(asgi, "_BODY_BYTES", 3)
    site = Site(b"")

    start, _ = await ask(site, b"1234")

    assert start["status"] == 413
    assert site.environ == {}


async def test_an_error_of_the_site_still_closes_its_answer():
    class Broken(Site):
        def __iter__(self) -> Iterator[bytes]:
            raise RuntimeError

    site = Broken()
    with pytest.raises(RuntimeError):
        await ask(site, b"")

    assert site.is_closed


async def test_the_server_is_told_that_it_may_start_and_stop():
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for step in ("startup", "shutdown"):
        queue.put_nowait({"type": f"lifespan.{step}"})
    sent: list[str] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message["type"])

    await BufferedApplication(Site())({"type": "lifespan"}, queue.get, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
