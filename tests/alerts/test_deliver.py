import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from alerts.errors import DeliveryFailed
from alerts.models import (
    Destination,
    DestinationKind,
    Incident,
    Notification,
    Rule,
    RuleKind,
    Severity,
)
from alerts.sealing import CannotUnseal, seal, unseal
from alerts.services import deliver, outbox
from alerts.services.destinations import save_destination, send_test
from alerts.services.evaluate import evaluate
from alerts.services.notify import owners_of
from domains.models import Domain
from tests.alerts.figures import TODAY, add_day

pytestmark = pytest.mark.django_db

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


@pytest.fixture
def root():
    return User.objects.create_superuser("root@corp.example")


@pytest.fixture
def destination(root):
    return save_destination(
        root,
        name="Mail team",
        kind=DestinationKind.EMAIL,
        address="team@corp.example",
        team=None,
        minimum_severity=Severity.MEDIUM,
    )


@pytest.fixture
def incident(destination):
    add_day("a.example", 1, 1000, 400)
    evaluate(NOW)
    return Incident.objects.get()


def test_the_mail_says_what_since_when_how_much_and_what_to_do(incident):
    outcome = deliver.deliver_due()

    (sent,) = mail.outbox
    assert outcome.delivered == 1
    assert sent.subject == "[high] Certificate expired at a.example"
    for words in (
        "400 of 1,000 sessions",
        "on 19 Nov 2026 (UTC)",
        "Google Inc.",
        "mx1.hoster.test",
        "Renew",
        incident.get_absolute_url(),
    ):
        assert words in sent.body
    assert sent.alternatives[0].mimetype == "text/html"


def test_a_message_names_ten_domains_and_counts_the_rest(destination):
    for n in range(34):
        add_day(f"d{n:02d}.example", 1, 1000, 400)
    evaluate(NOW)

    deliver.deliver_due()

    (sent,) = mail.outbox
    assert "13,600 of 34,000 sessions failed at 34 domains, on 19 Nov 2026 (UTC)." in sent.body
    assert sum(f"d{n:02d}.example" in sent.body for n in range(34)) == 10
    assert "and 24 more" in sent.body
    assert "and 24 more" in sent.alternatives[0].content


def test_a_message_is_sent_once(incident):
    deliver.deliver_due()

    deliver.deliver_due()

    assert len(mail.outbox) == 1


def test_the_owner_of_a_domain_is_told_too(destination):
    add_day("a.example", 1, 1000, 400)
    Domain.objects.update(owner="owner@a.example")

    evaluate(NOW)
    deliver.deliver_due()

    assert sorted(sent.to[0] for sent in mail.outbox) == ["owner@a.example", "team@corp.example"]


def test_the_worst_hit_owners_are_told_and_the_same_ones_hear_that_it_is_over(
    monkeypatch, destination
):
    monkeypatch.setattr("alerts.services.notify.MAX_OWNERS", 2)
    for name, failed in (("a", 300), ("b", 900), ("c", 600)):
        add_day(f"{name}.example", 1, 1000, failed)
        Domain.objects.filter(name=f"{name}.example").update(owner=f"owner@{name}.example")

    evaluate(NOW)
    incident = Incident.objects.get()
    first = set(incident.notifications.exclude(email="").values_list("email", flat=True))
    incident.incident_domains.filter(domain__name="a.example").update(failed_sessions=5000)

    assert first == {"owner@b.example", "owner@c.example"}
    assert owners_of(incident) == ["owner@b.example", "owner@c.example", "owner@a.example"]


def test_people_hear_that_it_is_over(incident):
    deliver.deliver_due()
    for back in (0, -1):
        add_day("a.example", back, 1000)

    evaluate(NOW + timedelta(days=2))
    deliver.deliver_due()

    assert mail.outbox[1].subject == "Resolved: Certificate expired at a.example"
    assert mail.outbox[1].extra_headers["References"] == mail.outbox[0].extra_headers["References"]


def test_a_destination_hears_only_of_what_is_severe_enough(root, destination):
    Destination.objects.update(minimum_severity=Severity.CRITICAL)
    add_day("a.example", 1, 1000, 400)

    evaluate(NOW)

    assert not Notification.objects.exists()


def test_a_passing_error_is_tried_again_later(incident, monkeypatch):
    def refuse(address, message):
        raise DeliveryFailed("The mail server could not be reached.", is_permanent=False)

    monkeypatch.setattr(deliver, "send_email", refuse)
    outcome = deliver.deliver_due()

    row = Notification.objects.get()
    assert outcome.postponed == 1
    assert (row.attempts, row.delivered_at, row.failed_at) == (1, None, None)
    assert row.next_attempt_at > timezone.now()

    monkeypatch.undo()
    Notification.objects.update(next_attempt_at=timezone.now())
    assert deliver.deliver_due().delivered == 1


def test_a_permanent_error_is_given_up_and_kept(incident, monkeypatch):
    def refuse(address, message):
        raise DeliveryFailed("550 no such user", is_permanent=True)

    monkeypatch.setattr(deliver, "send_email", refuse)

    assert deliver.deliver_due().failed == 1
    row = Notification.objects.get()
    assert (row.error, row.failed_at is None) == ("550 no such user", False)


def test_what_a_dead_worker_had_claimed_is_sent_after_a_while(incident):
    Notification.objects.update(claimed_at=timezone.now())
    assert deliver.deliver_due().delivered == 0

    Notification.objects.update(
        claimed_at=timezone.now() - outbox.CLAIM_ENDS_AFTER - timedelta(seconds=1)
    )

    assert deliver.deliver_due().delivered == 1


def test_a_refused_recipient_is_permanent_and_a_lost_server_is_not(incident, monkeypatch):
    from alerts.channels.email import send_email
    from alerts.messages import test_message as message

    def refused(self, *args, **kwargs):
        raise smtplib.SMTPRecipientsRefused({"x@corp.example": (550, b"no such user")})

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refused)
    with pytest.raises(DeliveryFailed) as permanent:
        send_email("x@corp.example", message())

    def lost(self, *args, **kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", lost)
    with pytest.raises(DeliveryFailed) as passing:
        send_email("x@corp.example", message())

    assert permanent.value.is_permanent
    assert not passing.value.is_permanent


def test_addresses_are_sealed_in_the_database(destination):
    stored = bytes(Destination.objects.get().sealed_address)

    assert b"team@corp.example" not in stored
    assert unseal(stored) == "team@corp.example"


def test_another_secret_key_cannot_unseal(settings):
    sealed = seal("team@corp.example")
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key-another"

    with pytest.raises(CannotUnseal):
        unseal(sealed)


def test_a_message_waits_until_the_key_is_right_again(incident, settings):
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key-another"

    lost = deliver.deliver_due()
    settings.SECRET_KEY = key
    Notification.objects.update(next_attempt_at=timezone.now())
    found = deliver.deliver_due()

    assert (lost.postponed, lost.failed) == (1, 0)
    assert found.delivered == 1
    assert [sent.to for sent in mail.outbox] == [["team@corp.example"]]


def test_a_test_message_is_sent_at_once(root, destination):
    send_test(root, destination)

    assert mail.outbox[0].subject == "Test from TLS-RPT Portal"


def test_each_test_is_a_message_of_its_own(root, destination):
    send_test(root, destination)
    send_test(root, destination)

    first, second = (sent.extra_headers["Message-ID"] for sent in mail.outbox)
    assert first != second


def test_every_portal_starts_with_a_rule_of_each_kind_and_the_threshold_off():
    active = Rule.objects.filter(is_active=True).values_list("kind", flat=True)

    assert set(active) == set(RuleKind) - {RuleKind.FAILURE_RATE}
