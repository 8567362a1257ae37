from datetime import UTC, datetime, time, timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.models import User
from alerts.lifecycle import Event, State
from alerts.models import DestinationKind, Digest, Incident, Notification, Severity
from alerts.services import deliver, handle
from alerts.services.destinations import save_destination
from alerts.services.escalate import escalate
from alerts.services.evaluate import evaluate
from alerts.services.incidents import step
from alerts.services.notify import end_of_quiet, leaves_at
from domains.models import Domain, Tag
from tests.alerts.figures import TODAY, add_day

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


@pytest.fixture
def root(db):
    return User.objects.create_superuser("root@corp.example")


def make(root, name="Team", **more):
    values = {
        "name": name,
        "kind": DestinationKind.EMAIL,
        "address": f"{name.lower()}@corp.example",
        "team": None,
        "minimum_severity": Severity.LOW,
    }
    return save_destination(root, **values | more)


def at(hour, minute=0, day=20):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "now", "leaves"),
    [
        pytest.param(time(22), time(7), at(23), at(7, day=21), id="before midnight"),
        pytest.param(time(22), time(7), at(3), at(7), id="after midnight"),
        pytest.param(time(22), time(7), at(7), at(7), id="the end is not quiet"),
        pytest.param(time(12), time(13), at(12, 30), at(13), id="within a day"),
        pytest.param(time(12), time(13), at(14), at(14), id="outside"),
        pytest.param(None, None, at(3), at(3), id="none"),
    ],
)
def test_quiet_hours_delay_and_drop_nothing(start, end, now, leaves):
    assert end_of_quiet(start, end, now) == leaves


def test_critical_messages_do_not_wait(root):
    quiet = make(root, quiet_from=time(0), quiet_until=time(23, 59))

    assert leaves_at(quiet, Severity.CRITICAL, at(3)) == at(3)
    assert leaves_at(quiet, Severity.HIGH, at(3)) == at(23, 59)


def test_a_critical_message_takes_along_what_waits_about_the_same_incident(root):
    day = timezone.now()
    make(
        root,
        quiet_from=(day - timedelta(hours=1)).time(),
        quiet_until=(day + timedelta(hours=2)).time(),
    )
    add_day("a.example", 1, 1000, 400, mx="mx1.a.example")
    add_day("b.example", 1, 1000, 400, mx="mx1.b.example")
    evaluate(NOW)
    assert deliver.deliver_due().delivered == 0
    incident = Incident.objects.get(title__endswith="a.example")

    incident.severity = Severity.CRITICAL
    incident.save()
    step(incident, Event.WORSEN, "All of it fails now.")

    assert deliver.deliver_due().delivered == 2
    assert [sent.subject.split(":")[0] for sent in mail.outbox] == [
        "[critical] Certificate expired at a.example",
        "Worse",
    ]
    assert Notification.objects.filter(delivered_at=None).count() == 1


@pytest.mark.parametrize(
    ("digest", "now", "leaves"),
    [
        (Digest.DAILY, at(6), at(7)),
        (Digest.DAILY, at(8), at(7, day=21)),
        (Digest.WEEKLY, at(8), at(7, day=23)),  # the 20th is a Friday
        (Digest.WEEKLY, at(6, day=23), at(7, day=23)),
    ],
)
def test_a_digest_leaves_in_the_morning(root, digest, now, leaves):
    assert leaves_at(make(root, digest=digest), Severity.CRITICAL, now) == leaves


def test_a_digest_is_one_message_of_all_that_waits(root):
    make(root, digest=Digest.DAILY)
    for name in ("a.example", "b.example", "c.example"):
        add_day(name, 1, 1000, 400, mx=f"mx1.{name}")
    evaluate(NOW)
    assert deliver.deliver_due().delivered == 0

    Notification.objects.update(next_attempt_at=timezone.now())
    assert deliver.deliver_due().delivered == 3

    (sent,) = mail.outbox
    assert sent.subject == "TLS incidents: 3 open, 0 over"
    assert all(name in sent.body for name in ("a.example", "b.example", "c.example"))
    assert f"All incidents: {settings.SITE_URL}/incidents/\n" in sent.body


def test_a_tag_narrows_what_a_destination_hears(root):
    tag = Tag.objects.create(name="payments")
    make(root, tag=tag)
    add_day("a.example", 1, 1000, 400, mx="mx1.a.example")
    paying = add_day("b.example", 1, 1000, 400, mx="mx1.b.example")
    Domain.objects.get(pk=paying.pk).tags.add(tag)

    evaluate(NOW)

    assert Notification.objects.get().incident.title.endswith("b.example")


def test_nobody_taking_it_on_is_told_once_and_taking_it_on_ends_that(root):
    boss = make(root, name="Boss", escalate_after_minutes=30)
    add_day("a.example", 1, 1000, 400)
    evaluate(NOW)
    assert not Notification.objects.exists()

    assert escalate(NOW + timedelta(minutes=29)) == 0
    assert escalate(NOW + timedelta(minutes=31)) == 1
    assert escalate(NOW + timedelta(minutes=60)) == 0

    told = Notification.objects.get()
    assert told.destination == boss
    deliver.deliver_due()
    assert mail.outbox[0].subject.startswith("Nobody has it: [")


def test_what_somebody_has_is_not_escalated(root):
    make(root, name="Boss", escalate_after_minutes=30)
    add_day("a.example", 1, 1000, 400)
    evaluate(NOW)
    handle.acknowledge(Incident.objects.get(), root)

    assert escalate(NOW + timedelta(hours=5)) == 0
    assert Incident.objects.get().state == State.ACKNOWLEDGED


def test_half_a_quiet_time_is_refused(root):
    with pytest.raises(ValidationError, match="beginning and an end"):
        make(root, quiet_from=time(22))


def test_quiet_hours_that_end_as_they_begin_are_refused(root):
    with pytest.raises(ValidationError, match="another time than they begin"):
        make(root, quiet_from=time(22), quiet_until=time(22))


def test_a_signed_webhook_has_a_secret(root):
    webhook = {"kind": DestinationKind.WEBHOOK, "address": "https://hooks.corp.example/tls"}
    with pytest.raises(ValidationError, match="needs a secret"):
        make(root, **webhook)
    chat = make(root)
    with pytest.raises(ValidationError, match="needs a secret"):
        make(root, destination=chat, **webhook)

    row = make(root, name="Signed", secret="s3cret", **webhook)

    kept = make(root, name="Renamed", destination=row, **webhook | {"address": ""})
    assert bytes(kept.sealed_secret)


def test_severity_sets_when_it_is_due(root):
    add_day("a.example", 1, 1000, 400, result_type="tlsa-invalid")

    evaluate(NOW)

    incident = Incident.objects.get()
    assert incident.severity == Severity.CRITICAL
    assert incident.due_at == NOW + timedelta(hours=4)
