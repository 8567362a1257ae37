"""The HTTPS intake as granian serves it: the same answers, and no thread waits for a reporter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections

from reports.channels import bodies, https_asgi
from reports.channels.bodies import BodyReader
from reports.channels.https_asgi import AsgiIntake
from reports.models import Intake, Receipt
from tests.mailtls.samples import text, zipped

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def intake() -> Intake:
    return Intake.objects.create(name="main")


@pytest.fixture
async def app() -> AsyncIterator[AsgiIntake]:
    """Give the application; its thread leaves the database before the test's is flushed."""
    app = AsgiIntake(BodyReader())
    yield app
    app._database.submit(connections.close_all).result()
    app._database.shutdown()


class Client:
    """One request: what is sent when, and what came back."""

    def __init__(self, app: AsgiIntake, path: str, *, method: str = "POST") -> None:
        self.sent: list[dict[str, Any]] = []
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": "http", "method": method, "path": path, "http_version": "1.1",
            "headers": [(b"x-forwarded-for", b"203.0.113.9, 198.51.100.7")],
            "client": ("192.0.2.1", 1234),
        }  # fmt: skip
        self.task = asyncio.create_task(app(scope, self.queue.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def say(self, body: bytes, *, more: bool = False) -> None:
        self.queue.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self.queue.put_nowait({"type": "http.disconnect"})

    async def status(self) -> int:
        await asyncio.wait_for(self.task, 10)
        return int(self.sent[0]["status"])


async def post(app: AsgiIntake, path: str, body: bytes) -> Client:
    client = Client(app, path)
    client.say(body)
    await client.task
    return client


@sync_to_async
def receipts() -> list[Receipt]:
    try:
        return list(Receipt.objects.select_related("raw", "intake").order_by("pk"))
    finally:
        connections.close_all()


async def test_a_report_is_committed_before_its_201(app, intake):
    client = await post(app, intake.path, zipped(text()))

    assert await client.status() == 201
    [receipt] = await receipts()
    assert receipt.raw.content == zipped(text())
    assert (receipt.intake, receipt.sender) == (intake, "192.0.2.1")


async def test_reports_that_arrive_together_share_commits(app, intake, monkeypatch):
    batches: list[int] = []
    commit = https_asgi.commit_together
    monkeypatch.setattr(
        https_asgi,
        "commit_together",
        lambda arrivals: batches.append(len(arrivals)) or commit(arrivals),
    )

    clients = await asyncio.gather(*[post(app, intake.path, b"%d" % n) for n in range(100)])

    assert {await client.status() for client in clients} == {201}
    assert sum(batches) == len(await receipts()) == 100
    assert len(batches) < 20


async def test_those_who_drip_keep_nobody_waiting(app, intake):
    dripping = [Client(app, intake.path) for _ in range(500)]
    for client in dripping:
        client.say(b"x", more=True)

    assert await (await post(app, intake.path, text())).status() == 201
    for client in dripping:
        client.hang_up()
        assert await client.status() == 400


async def test_a_body_that_does_not_come_is_given_up(app, intake, monkeypatch):
    monkeypatch.setattr(bodies, "_WITHIN_S", 0.05)
    client = Client(app, intake.path)
    client.say(b"x", more=True)

    assert await client.status() == 408
    assert app.bodies._buffered == 0


async def test_a_body_stops_at_the_limit(app, intake, settings):
    settings.INTAKE_MAX_MEGABYTES = 1
    client = Client(app, intake.path)
    client.say(b"x" * 1024 * 1024, more=True)
    client.say(b"x", more=True)

    assert await client.status() == 413
    assert await (await post(app, intake.path, b"x" * 1024 * 1024)).status() == 201
    assert app.bodies._buffered == 0


async def test_all_bodies_together_have_a_limit_too(app, intake, monkeypatch):
    monkeypatch.setattr(bodies, "_BUFFERED_BYTES", 100)
    holding = Client(app, intake.path)
    holding.say(b"x" * 90, more=True)
    await asyncio.sleep(0.05)

    refused = await post(app, intake.path, b"x" * 20)
    assert await refused.status() == 503
    assert (b"retry-after", b"60") in refused.sent[0]["headers"]
    holding.hang_up()
    await holding.status()
    assert await (await post(app, intake.path, b"x" * 20)).status() == 201


@pytest.mark.parametrize("path", ["/tlsrpt/", "/tlsrpt/nobody", "/tlsrpt/a/b"])
async def test_an_unknown_key_is_not_found(app, path):
    assert await (await post(app, path, text())).status() == 404


async def test_the_rate_has_a_limit(app, intake, settings):
    settings.INTAKE_PER_MINUTE = 2

    statuses = [await (await post(app, intake.path, text())).status() for _ in range(3)]

    assert statuses == [201, 201, 429]


async def test_people_who_look_are_told_what_this_is(app):
    assert await Client(app, "/tlsrpt/x", method="GET").status() == 200


async def test_the_proxys_word_counts_where_it_is_trusted(app, intake, settings):
    settings.TRUSTED_PROXY = True

    await post(app, intake.path, text())

    assert (await receipts())[0].sender == "198.51.100.7"


async def test_a_database_that_is_away_is_said_so_and_forgotten(app, intake, monkeypatch):
    commit = https_asgi.commit_together
    monkeypatch.setattr(
        https_asgi, "commit_together", lambda arrivals: [(None, DatabaseError("away"))]
    )
    assert await (await post(app, intake.path, text())).status() == 503

    monkeypatch.setattr(https_asgi, "commit_together", commit)
    assert await (await post(app, intake.path, text())).status() == 201
