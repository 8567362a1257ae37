import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from alerts.channels import webhook as channel
from alerts.channels.webhook import read_retry_after
from alerts.models import Destination, DestinationKind, Incident, Notification, Severity
from alerts.services import deliver
from alerts.services.destinations import save_destination
from alerts.services.evaluate import evaluate
from tests.alerts.endpoints import smtp, webhook
from tests.alerts.figures import TODAY, add_day

pytestmark = pytest.mark.django_db

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


def destination(kind, address, **more):
    root, _ = User.objects.get_or_create(email="root@corp.example", is_superuser=True)
    return save_destination(
        root,
        name=f"Team {Destination.objects.count()}",
        kind=kind,
        address=address,
        team=None,
        minimum_severity=Severity.LOW,
        **more,
    )


def fail(*names):
    for name in names or ("a.example",):
        add_day(name, 1, 1000, 400, mx=f"mx1.{name}")
    evaluate(NOW)


def due_again():
    Notification.objects.filter(delivered_at=None).update(next_attempt_at=timezone.now())


def test_a_webhook_is_signed_and_says_what_the_mail_says():
    with webhook() as server:
        destination(DestinationKind.WEBHOOK, server.url, secret="s3cret")
        fail()

        assert deliver.deliver_due().delivered == 1

    ((_, headers, body),) = server.received
    stamp, signature = headers["X-TLSRPT-Signature"].split(",")
    signed = hmac.new(b"s3cret", f"{stamp[2:]}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == f"v1={signed}"
    told = json.loads(body)
    assert headers["Idempotency-Key"] == told["id"]
    assert told["incident"]["failed_sessions"] == 400
    assert told["incident"]["domains"] == ["a.example"]


def test_too_many_requests_are_tried_again_when_asked_for():
    with webhook((429, {"Retry-After": "7200"})) as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()
        deliver.deliver_due()

        row = Notification.objects.get()
        wait = row.next_attempt_at - timezone.now()
        assert timedelta(minutes=119) < wait <= timedelta(minutes=120)
        due_again()
        assert deliver.deliver_due().delivered == 1

    first, second = (headers["Idempotency-Key"] for _, headers, _ in server.received)
    assert first == second


def test_a_receiver_that_fails_and_hangs_and_comes_back_gets_it_once(monkeypatch):
    monkeypatch.setattr(channel, "TIMEOUT_S", 0.3)
    with webhook((500, {}), "hang", (503, {})) as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()
        outcomes = []
        for _ in range(5):
            outcomes.append(deliver.deliver_due())
            due_again()

    assert [one.delivered for one in outcomes] == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("status", [301, 400, 401, 404, 410])
def test_what_trying_again_cannot_help_becomes_a_dead_letter(status):
    with webhook((status, {"Location": "http://127.0.0.1:9/"})) as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()

        assert deliver.deliver_due().failed == 1

    row = Notification.objects.get()
    assert row.error == f"The webhook answered {status}."
    assert row.failed_at is not None


def test_messages_to_one_destination_keep_their_order():
    with webhook((500, {})) as server, webhook() as other:
        destination(DestinationKind.WEBHOOK, server.url)
        destination(DestinationKind.WEBHOOK, other.url)
        fail("a.example", "b.example", "c.example")
        deliver.deliver_due()
        assert (len(server.received), len(other.received)) == (1, 3)
        due_again()

        deliver.deliver_due()

    keys = [headers["Idempotency-Key"] for _, headers, _ in server.received]
    assert keys[0] == keys[1]
    assert keys[1:] == sorted(keys[1:], key=lambda key: int(key.split("-")[1]))


def test_a_worker_killed_between_send_and_mark_repeats_with_the_same_key(monkeypatch):
    class Killed(BaseException):
        pass

    with webhook() as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()
        real = deliver.send

        def send_and_die(*args):
            real(*args)
            raise Killed

        monkeypatch.setattr(deliver, "send", send_and_die)
        with pytest.raises(Killed):
            deliver.deliver_due()
        monkeypatch.undo()
        assert deliver.deliver_due().delivered == 0  # the claim still holds
        past = timezone.now() - deliver.CLAIM_ENDS_AFTER - timedelta(seconds=1)
        Notification.objects.update(claimed_at=past)

        assert deliver.deliver_due().delivered == 1

    first, second = (headers["Idempotency-Key"] for _, headers, _ in server.received)
    assert first == second


def test_mail_is_tried_again_and_keeps_its_message_id(settings):
    with smtp() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        mailbox.refuse = ["451 later, please"]
        destination(DestinationKind.EMAIL, "team@corp.example")
        fail()

        assert deliver.deliver_due().postponed == 1
        due_again()
        assert deliver.deliver_due().delivered == 1

    (mail,) = mailbox.mails
    row = Notification.objects.get()
    key = f"incident-{row.incident_id}-event-{row.event_id}-destination-{row.destination_id}"
    assert f"Message-ID: <{key}@" in mail


def test_no_log_and_no_error_names_the_address(caplog):
    caplog.set_level(logging.DEBUG)
    with webhook((500, {})) as server:
        destination(DestinationKind.WEBHOOK, server.url, secret="s3cret")
        fail()
        deliver.deliver_due()
        gone = server.url
    due_again()
    deliver.deliver_due()

    told = caplog.text + "".join(Notification.objects.values_list("error", flat=True))
    assert "geheim" in gone
    assert "geheim" not in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        ("Sun, 22 Nov 2026 10:02:00 GMT", 120),
        ("Sun, 22 Nov 2026 09:00:00 GMT", 0),
        ("99999999999", 24 * 3600),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, seconds):
    assert read_retry_after(value, datetime(2026, 11, 22, 10, tzinfo=UTC)) == seconds


def test_sendtest_sends_or_says_why_not(capsys):
    with webhook((200, {}), (404, {})) as server:
        found = destination(DestinationKind.WEBHOOK, server.url)
        call_command("sendtest", found.name)
        assert json.loads(server.received[0][2])["event"] == "test"

        with pytest.raises(CommandError, match="answered 404"):
            call_command("sendtest", found.name)
    with pytest.raises(CommandError, match="No destination is called"):
        call_command("sendtest", "nobody")
    assert Incident.objects.count() == 0
