"""The mail receiver, spoken to over a real socket."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connections

from mailtls.limits import MIB
from reports.channels import smtp
from reports.models import Channel, Intake, Outcome, Receipt
from reports.services.process import mail_bytes, process
from tests.mailtls.samples import mail, text, zipped

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "tlsrpt@portal.example"
SENDER = "reports@sender.example"
MAIL = mail(zipped(text()))


@pytest.fixture(autouse=True)
def _address(settings) -> None:
    settings.MAIL_ADDRESS = ADDRESS


@contextmanager
def receiver(**options) -> Iterator[int]:
    """Run the receiver in a thread; give its port."""
    ports: list[int] = []
    is_up = threading.Event()
    running: dict[str, object] = {}

    async def main() -> None:
        running["loop"] = asyncio.get_running_loop()
        running["task"] = asyncio.current_task()
        await smtp.serve_mail(
            "127.0.0.1", 0, started=lambda port: (ports.append(port), is_up.set()), **options
        )

    def run() -> None:
        try:
            asyncio.run(main())
        except asyncio.CancelledError:
            pass
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    assert is_up.wait(10)
    try:
        yield ports[0]
    finally:
        running["loop"].call_soon_threadsafe(running["task"].cancel)
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _no_signals(monkeypatch) -> None:
    """Signal handlers belong to the main thread, where the tests run."""
    monkeypatch.setattr(
        "asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler", lambda *args: None
    )


@pytest.fixture
def client() -> Iterator[Callable[[], smtplib.SMTP]]:
    """Give a function that connects to a receiver which runs for the test."""
    with receiver() as port:
        opened: list[smtplib.SMTP] = []

        def connect() -> smtplib.SMTP:
            opened.append(smtplib.SMTP("127.0.0.1", port, timeout=10))
            return opened[-1]

        yield connect
        for one in opened:
            one.close()


def test_a_mail_is_stored_before_its_250(client):
    client().sendmail(SENDER, [ADDRESS], MAIL)

    receipt = Receipt.objects.get()
    assert receipt.raw.content == MAIL
    assert (receipt.channel, receipt.sender, receipt.recipient) == (Channel.SMTP, SENDER, ADDRESS)
    process()
    receipt.refresh_from_db()
    assert receipt.outcome == Outcome.ACCEPTED


def test_an_intakes_address_leads_to_it_whatever_its_case(client):
    intake = Intake.objects.create(name="main")

    client().sendmail(SENDER, [f"{intake.key.upper()}@Portal.example"], MAIL)

    assert Receipt.objects.get().intake == intake


@pytest.mark.parametrize(
    "recipient", ["nobody@portal.example", "tlsrpt@other.example", "postmaster", "@portal.example"]
)
def test_other_recipients_are_refused(client, recipient):
    with pytest.raises(smtplib.SMTPRecipientsRefused) as caught:
        client().sendmail(SENDER, [recipient], MAIL)

    [(code, _)] = caught.value.recipients.values()
    assert code in (550, 553)
    assert not Receipt.objects.exists()


def test_a_revoked_intake_takes_no_mail(client):
    intake = Intake.objects.create(name="main", revoked_at="2026-01-01T00:00:00Z")

    with pytest.raises(smtplib.SMTPRecipientsRefused):
        client().sendmail(SENDER, [f"{intake.key}@portal.example"], MAIL)


def test_one_mail_for_two_addresses_has_two_receipts(client):
    intake = Intake.objects.create(name="main")

    client().sendmail(SENDER, [ADDRESS, f"{intake.key}@portal.example"], MAIL)

    assert Receipt.objects.values("raw").distinct().count() == 1
    assert Receipt.objects.count() == 2


def test_the_size_is_announced_and_kept(client, settings):
    settings.INTAKE_MAX_MEGABYTES = 1
    connection = client()
    connection.ehlo()

    assert connection.esmtp_features["size"] == str(mail_bytes(MIB))
    with pytest.raises(smtplib.SMTPSenderRefused) as announced:
        connection.sendmail(SENDER, [ADDRESS], MAIL + b"x" * 2 * MIB)
    assert announced.value.smtp_code == 552
    connection.mail(SENDER)
    connection.rcpt(ADDRESS)
    code, _ = connection.data(MAIL + b"x\r\n" * MIB)
    assert code == 552
    connection.sendmail(SENDER, [ADDRESS], MAIL)
    assert Receipt.objects.count() == 1


def test_long_lines_and_leading_dots_arrive_as_sent(client):
    body = b"Subject: x\r\n\r\n.dot\r\n..\r\n" + b"y" * 300_000 + b"\r\n.\r\nend\r\n"

    client().sendmail(SENDER, [ADDRESS], body)

    assert Receipt.objects.get().raw.content == body


def test_a_database_that_is_away_is_a_temporary_failure(client, monkeypatch):
    def fail(*args: object) -> None:
        raise DatabaseError("away")

    monkeypatch.setattr(smtp, "accept_together", fail)
    with pytest.raises(smtplib.SMTPDataError) as caught:
        client().sendmail(SENDER, [ADDRESS], MAIL)
    assert caught.value.smtp_code == 451

    monkeypatch.setattr(smtp.intake_queries, "find_intake", fail)
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client().sendmail(SENDER, ["key@portal.example"], MAIL)
    assert refused.value.recipients["key@portal.example"][0] == 451


def test_many_connections_do_not_keep_others_out(client, monkeypatch):
    monkeypatch.setattr(smtp, "_MAX_READING", 2)
    idle = [client() for _ in range(50)]

    client().sendmail(SENDER, [ADDRESS], MAIL)

    assert len(idle) == 50
    assert Receipt.objects.count() == 1


def test_beyond_the_limit_connections_are_asked_to_come_later(client, monkeypatch):
    monkeypatch.setattr(smtp, "_MAX_CONNECTIONS", 1)
    first = client()

    with pytest.raises(smtplib.SMTPConnectError) as caught:
        client()
    assert caught.value.smtp_code == 421
    first.sendmail(SENDER, [ADDRESS], MAIL)


def test_lmtp_answers_for_each_recipient():
    intake = Intake.objects.create(name="main")

    with receiver(is_lmtp=True) as port, smtplib.LMTP("127.0.0.1", port) as client:
        client.ehlo("mx.example")
        client.mail(SENDER)
        client.rcpt(ADDRESS)
        client.rcpt(f"{intake.key}@portal.example")
        first, _ = client.data(MAIL)
        second, _ = client.getreply()

    assert (first, second) == (250, 250)
    assert Receipt.objects.count() == 2


def test_starttls_is_offered_with_a_certificate():
    authority = trustme.CA()
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)

    with receiver(tls_context=server_context) as port, smtplib.SMTP("localhost", port) as client:
        client.starttls(context=client_context)
        client.sendmail(SENDER, [ADDRESS], MAIL)

    assert Receipt.objects.count() == 1


def test_a_connection_that_is_cut_leaves_nothing(client):
    connection = client()
    connection.ehlo()
    connection.mail(SENDER)
    connection.rcpt(ADDRESS)
    connection.putcmd("data")
    connection.getreply()
    connection.send(MAIL)
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()

    client().sendmail(SENDER, [ADDRESS], MAIL)
    assert Receipt.objects.count() == 1


@pytest.mark.parametrize("listen", ["", "25", "0.0.0.0", "localhost:smtp"])
def test_a_wrong_address_to_listen_at_is_named(listen, settings):
    settings.MAIL_LISTEN = listen

    with pytest.raises(CommandError) as caught:
        call_command("receivemail")
    assert caught.value.returncode == 2
