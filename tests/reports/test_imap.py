"""Mailboxes: stored before marked, each mail once, one bad mailbox holds up no other."""

from __future__ import annotations

import base64
import io
import json
import re
import socket
import ssl
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from imapclient.exceptions import IMAPClientError

from accounts.models import AuditEntry, Team, User
from reports.channels import imap
from reports.models import Channel, Mailbox, Outcome, Receipt, UnfiledMail
from reports.services.edit_mailboxes import create_mailbox, delete_mailbox
from reports.services.process import process
from tests.mailtls.samples import mail, text, zipped
from tests.reports.imap_server import ImapServer, running_server

pytestmark = pytest.mark.django_db

MAIL = mail(zipped(text()))


@pytest.fixture
def server() -> Iterator[ImapServer]:
    with running_server() as server:
        server.mails = {3: MAIL, 5: b"Subject: hello\r\n\r\nhi\r\n"}
        yield server


def add(server: ImapServer, **changes: Any) -> Mailbox:
    fields = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "me"}
    mailbox = Mailbox(**{"name": "box", **fields, **changes})
    return create_mailbox(mailbox, {"password": "secret"})


def test_new_mail_is_stored_and_marked(server):
    mailbox = add(server)

    assert imap.poll_mailboxes() == 2
    first, second = Receipt.objects.order_by("pk")
    assert (first.raw.content, first.channel) == (MAIL, Channel.IMAP)
    assert (first.sender, first.recipient) == ("tlsrpt@sender.example", "box/3")
    assert server.seen == {3, 5}
    mailbox.refresh_from_db()
    assert (mailbox.last_uid, mailbox.uid_validity, mailbox.last_error) == (5, 7, "")
    process()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, second.outcome) == (Outcome.ACCEPTED, Outcome.NOT_A_REPORT)


def test_each_mail_is_fetched_once(server):
    add(server)
    imap.poll_mailboxes()

    assert imap.poll_mailboxes() == 0
    server.mails[9] = mail(zipped(text(report_id="9")))
    assert imap.poll_mailboxes() == 1
    assert server.fetched == [3, 5, 9]


def test_a_folder_that_was_numbered_anew_is_read_again_and_counts_nothing_twice(server):
    add(server)
    imap.poll_mailboxes()
    server.uid_validity = 8

    assert imap.poll_mailboxes() == 2
    process()
    outcomes = Receipt.objects.filter(recipient="box/3").order_by("pk")
    assert [receipt.outcome for receipt in outcomes] == [Outcome.ACCEPTED, Outcome.DUPLICATE]


def test_mail_is_filed_by_what_it_was(server):
    server.mails[8] = mail(b"{")
    add(server, done_folder="Done", failed_folder="Failed")
    imap.poll_mailboxes()
    imap.poll_mailboxes()
    assert server.moved == {}

    process()
    imap.poll_mailboxes()

    assert server.moved == {3: "Done", 5: "Done", 8: "Failed"}
    assert not UnfiledMail.objects.exists()


def test_mail_stays_where_no_folder_is_named(server):
    server.mails[8] = mail(b"{")
    add(server, failed_folder="Failed")

    imap.poll_mailboxes()
    process()
    imap.poll_mailboxes()

    assert server.moved == {8: "Failed"}
    assert not UnfiledMail.objects.exists()


def test_mail_that_cannot_be_moved_holds_up_nothing_and_is_tried_again(server):
    server.refuses_moves = True
    add(server, done_folder="Done")
    imap.poll_mailboxes()
    process()
    server.mails[9] = mail(zipped(text(report_id="9")))

    imap.poll_mailboxes()

    mailbox = Mailbox.objects.get()
    assert mailbox.last_uid == 9
    assert "Done" in mailbox.last_error
    server.refuses_moves = False
    assert imap.poll_mailboxes() == 0
    mailbox.refresh_from_db()
    assert (server.moved, mailbox.last_error) == ({3: "Done", 5: "Done"}, "")


def test_nothing_is_moved_by_numbers_of_a_folder_that_was_numbered_anew(server):
    add(server, done_folder="Done")
    imap.poll_mailboxes()
    process()
    server.uid_validity = 8

    imap.poll_mailboxes()

    assert server.moved == {}
    assert set(UnfiledMail.objects.values_list("uid_validity", flat=True)) == {8}


def test_what_was_not_stored_is_neither_marked_nor_skipped(server, monkeypatch):
    add(server)
    accept = imap.accept

    def fail_second(data: bytes, source: object) -> None:
        if data != MAIL:
            raise DatabaseError("away")
        accept(data, source)

    monkeypatch.setattr(imap, "accept", fail_second)
    with pytest.raises(DatabaseError):
        imap.poll_mailboxes()
    assert (server.seen, Mailbox.objects.get().last_uid) == ({3}, 3)

    monkeypatch.setattr(imap, "accept", accept)
    Mailbox.objects.update(claimed_at=None)
    assert imap.poll_mailboxes() == 1


def test_mail_over_the_limit_stays_where_it_is_and_is_named(server, settings):
    settings.INTAKE_MAX_MEGABYTES = 0
    add(server, failed_folder="Failed")

    assert imap.poll_mailboxes() == 0
    assert (server.fetched, server.seen, Mailbox.objects.get().last_uid) == ([], set(), 5)
    receipt = Receipt.objects.earliest("pk")
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "mail.too-large")
    assert receipt.params == {"bytes": len(MAIL), "limit": 0}
    assert (receipt.raw, receipt.recipient) == (None, "box/3")
    assert receipt.sender == "tlsrpt@sender.example"
    imap.poll_mailboxes()
    assert server.moved == {3: "Failed", 5: "Failed"}


def test_a_mailbox_with_years_of_mail_goes_on_in_the_next_poll(server, monkeypatch):
    server.mails |= dict.fromkeys(range(10, 80), b"Subject: x\r\n\r\n")
    add(server)
    monkeypatch.setattr(imap, "_AT_ONCE", 30)
    clock = iter([0.0, 100.0, 200.0] * 2)
    monkeypatch.setattr(imap, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    assert (imap.poll_mailboxes(), imap.poll_mailboxes()) == (30, 30)


def test_a_mailbox_that_fails_says_why_and_holds_up_no_other(server):
    broken = add(server, name="a", port=1)
    add(server, name="b")

    assert imap.poll_mailboxes() == 2
    broken.refresh_from_db()
    assert "127.0.0.1, port 1: nobody takes connections there" in broken.last_error
    assert broken.failing_since is not None
    Mailbox.objects.filter(pk=broken.pk).update(port=server.port)
    imap.poll_mailboxes()
    broken.refresh_from_db()
    assert (broken.last_error, broken.failing_since) == ("", None)


def test_a_mailbox_that_is_being_read_or_switched_off_is_left_alone(server):
    mailbox = add(server, is_active=False)
    assert imap.poll_mailboxes() == 0

    Mailbox.objects.update(is_active=True, claimed_at="2100-01-01T00:00:00Z")
    assert imap.poll_mailboxes() == 0
    assert mailbox.last_uid == 0


def test_a_secret_of_another_key_is_named(server, settings):
    add(server)
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key-another-key"

    imap.poll_mailboxes()

    assert "SECRET_KEY" in Mailbox.objects.get().last_error


def test_oauth_logs_in_with_a_fresh_token(server, monkeypatch):
    asked: list[dict[str, str]] = []

    class Answer:
        def raise_for_status(self) -> None: ...

        def json(self) -> dict[str, str]:
            return {"access_token": "tok"}

    monkeypatch.setattr(
        imap.httpx2,
        "post",
        lambda url, data, timeout: asked.append({"url": url, **data}) or Answer(),
    )
    secret = {"token_url": "https://t.example", "client_id": "i", "client_secret": "s"}
    fields = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "me"}
    create_mailbox(Mailbox(name="box", **fields), {**secret, "refresh_token": "r"})

    assert imap.poll_mailboxes() == 2
    assert asked[0]["grant_type"] == "refresh_token"
    assert base64.b64decode(server.log_ins[0]) == b"user=me\x01auth=Bearer tok\x01\x01"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "no such server"),
        (ConnectionRefusedError(111, "Connection refused"), "nobody takes connections there"),
        (TimeoutError("timed out"), "no answer"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "no TLS there"),
        (IMAPClientError("b'[AUTHENTICATIONFAILED] Sorry'"), "993: [AUTHENTICATIONFAILED] Sorry"),
    ],
    ids=["no-name", "refused", "no-answer", "no-tls", "log-in"],
)
def test_why_a_mailbox_cannot_be_read_is_said_in_words(error, words):
    def connect(mailbox):
        raise error

    with pytest.raises(imap.MailboxFailedError, match=re.escape(words)) as told:
        imap.check_connection(Mailbox(host="imap.example", port=993), connect=connect)

    assert "Errno" not in str(told.value)


def test_a_stranger_adds_and_removes_no_mailbox(server):
    charlie = User.objects.create_user("charlie@example.com")
    team = Team.objects.create(name="Mail")
    mailbox = add(server, team=team)

    with pytest.raises(PermissionDenied):
        create_mailbox(Mailbox(name="x", team=team), {"password": "p"}, user=charlie)
    with pytest.raises(PermissionDenied):
        delete_mailbox(mailbox, charlie)
    assert "secret" not in str(AuditEntry.objects.get().after)
    assert b"secret" not in bytes(mailbox.secret)


def test_the_command_tries_the_mailbox_before_it_stays(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    arguments = ["box", "--host", "127.0.0.1", "--user", "me", "--security", "none"]
    arguments += ["--port", str(server.port), "--password-file", str(secret)]

    with pytest.raises(CommandError, match="Not added"):
        call_command("createmailbox", *arguments)
    assert not Mailbox.objects.exists()
    secret.write_text("secret\n")
    out = io.StringIO()
    call_command("createmailbox", *arguments, stdout=out)
    assert out.getvalue() == "added box: 2 mails in INBOX\n"


@pytest.mark.parametrize(
    "content", ["", "[]", json.dumps({"client_id": "i"})], ids=["empty", "list", "incomplete"]
)
def test_a_wrong_secret_file_is_named(content, tmp_path):
    file = tmp_path / "oauth.json"
    file.write_text(content)

    with pytest.raises(CommandError) as caught:
        call_command("createmailbox", "b", "--host", "h", "--user", "u", "--oauth-file", str(file))
    assert caught.value.returncode == 2
