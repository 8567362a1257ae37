import hashlib
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from alerts.channels import webhook as channel
from alerts.channels.answers import read_retry_after
from alerts.errors import DeliveryFailed
from alerts.models import Destination, DestinationKind, Incident, Notification, Severity
from alerts.services import deliver, outbox
from alerts.services.destinations import save_destination, send_test
from alerts.services.evaluate import evaluate
from tests.alerts.endpoints import smtp, webhook
from tests.alerts.figures import TODAY, add_day

pytestmark = [
    pytest.mark.django_db,
    # Apprise still looks for it on Python 3.11.
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


def destination(kind, address, **more):
    root, _ = User.objects.get_or_create(email="root@corp.example", is_superuser=True)
    if kind == DestinationKind.WEBHOOK:
        more = {"secret": "s3cret"} | more
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


def test_a_webhook_that_cannot_be_reached_is_told_without_its_address():
    row = destination(DestinationKind.WEBHOOK, "http://127.0.0.1:1/secret")

    with pytest.raises(DeliveryFailed, match=r"no connection\. Look at host name") as told:
        send_test(User.objects.get(), row)

    assert "127.0.0.1" not in str(told.value)


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


def test_a_receiver_that_stalls_after_its_answer_gets_it_once():
    with webhook("stall") as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()

        assert deliver.deliver_due().delivered == 1

    assert len(server.received) == 1


def test_one_that_hangs_holds_up_no_other(monkeypatch):
    monkeypatch.setattr(deliver, "SEND_ENDS_AFTER_S", 1.0)
    with webhook("hang") as server, webhook() as other:
        destination(DestinationKind.WEBHOOK, server.url)
        destination(DestinationKind.WEBHOOK, other.url)
        fail(*(f"d{n}.example" for n in range(10)))

        outcome = deliver.deliver_due()

    assert (outcome.delivered, outcome.postponed) == (10, 1)
    assert set(Notification.objects.exclude(error="").values_list("error", flat=True)) == {
        "The receiver did not answer in time."
    }


def test_a_long_queue_that_cannot_leave_starves_nobody():
    with webhook((503, {"Retry-After": "3600"})) as server, webhook() as other:
        busy = destination(DestinationKind.WEBHOOK, server.url)
        fail()
        deliver.deliver_due()
        template = Notification.objects.get()
        for _ in range(300):
            event = template.incident.events.create(event="commented", actor_name="x")
            template.incident.notifications.create(event=event, destination=busy)
        destination(DestinationKind.WEBHOOK, other.url)
        fail("late.example")

        deliver.deliver_due()

    assert len(other.received) == 1


@pytest.mark.parametrize(
    ("answer", "postponed", "failed", "error"),
    [
        ((429, {"Retry-After": "7200"}), 1, 0, "The service answered 429."),
        ((503, {}), 1, 0, "The service answered 503."),
        ((404, {}), 0, 1, "The service answered 404."),
        ((403, {}), 0, 1, "The service answered 403."),
    ],
    ids=["pause", "passing", "gone", "forbidden"],
)
def test_a_chat_is_understood_like_a_webhook(answer, postponed, failed, error, caplog):
    caplog.set_level(logging.INFO)
    with webhook(answer, (200, {}, b"ok")) as server:
        chat = f"mmost://127.0.0.1:{server.port}/geheim12345678901234567890"
        destination(DestinationKind.APPRISE, chat)
        fail()

        outcome = deliver.deliver_due()
        row = Notification.objects.get()
        assert (outcome.postponed, outcome.failed, row.error) == (postponed, failed, error)
        wait = row.next_attempt_at - timezone.now()
        assert (wait > timedelta(minutes=119)) is ("Retry-After" in answer[1])
        due_again()
        assert deliver.deliver_due().delivered == postponed

    assert "geheim" not in caplog.text


def test_a_chat_is_told_that_a_message_may_be_a_repetition():
    with webhook((200, {}, b"ok")) as server:
        chat = f"mmost://127.0.0.1:{server.port}/geheim12345678901234567890"
        destination(DestinationKind.APPRISE, chat)
        fail()
        past = timezone.now() - outbox.CLAIM_ENDS_AFTER - timedelta(seconds=1)
        Notification.objects.update(claimed_at=past)

        assert deliver.deliver_due().delivered == 1

    assert "Perhaps you have this already" in json.loads(server.received[0][2])["text"]
    assert Notification.objects.get().attempts == 1


def test_a_worker_that_slept_too_long_leaves_the_mark_of_the_other(monkeypatch):
    with webhook() as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()

        def sleep_meanwhile(*args):
            past = timezone.now() - outbox.CLAIM_ENDS_AFTER - timedelta(seconds=1)
            Notification.objects.update(claimed_at=past)
            monkeypatch.undo()
            assert deliver.deliver_due().delivered == 1
            raise DeliveryFailed("The webhook answered 500.", is_permanent=False)

        claim = outbox.claim_next(outbox.due_lanes()[0])
        with pytest.raises(DeliveryFailed) as slept:
            sleep_meanwhile()
        outbox.note_failure(claim, slept.value, outbox.Outcome())

    row = Notification.objects.get()
    assert row.delivered_at is not None
    assert row.error == ""


def test_an_unexpected_error_of_one_message_stops_no_other(monkeypatch):
    real = deliver.send

    def break_for(name):
        def send(found, message):
            if found.name == name:
                raise ZeroDivisionError
            real(found, message)

        return send

    with webhook() as server:
        broken = destination(DestinationKind.WEBHOOK, server.url)
        destination(DestinationKind.WEBHOOK, server.url)
        monkeypatch.setattr(deliver, "send", break_for(broken.name))
        fail()

        outcome = deliver.deliver_due()

    assert (outcome.delivered, outcome.postponed) == (1, 1)
    assert Notification.objects.get(delivered_at=None).error == "Unexpected: ZeroDivisionError."


def test_a_database_that_is_busy_for_a_moment_makes_no_repetition(monkeypatch):
    with webhook() as server:
        destination(DestinationKind.WEBHOOK, server.url)
        fail()
        monkeypatch.setattr(outbox.time, "sleep", lambda seconds: None)
        real, failures = QuerySet.update, [OperationalError("database is locked")] * 3

        def update(self, **values):
            if "delivered_at" in values and failures:
                raise failures.pop()
            return real(self, **values)

        monkeypatch.setattr(QuerySet, "update", update)

        assert deliver.deliver_due().delivered == 1

    assert not failures
    assert len(server.received) == 1


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
        past = timezone.now() - outbox.CLAIM_ENDS_AFTER - timedelta(seconds=1)
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


def test_a_mail_server_that_breaks_off_at_the_goodbye_has_taken_the_mail(settings):
    with smtp() as mailbox:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mailbox.port
        settings.EMAIL_TIMEOUT = 0.5
        mailbox.hangs_at_quit = True
        destination(DestinationKind.EMAIL, "team@corp.example")
        fail()

        assert deliver.deliver_due().delivered == 1

    assert len(mailbox.mails) == 1


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
        ("0.25", 1),
        ("1.0", 1),
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
