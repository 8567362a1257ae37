"""Reports that anybody could have made up are held back where the operator wants it."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, User
from reports.models import Channel, Outcome, Receipt, Report, ReportReceipt, Trust
from reports.services import process as process_module
from reports.services.process import process
from reports.services.retry import retry
from tests.mailtls.samples import mail, text, zipped
from tests.reports.arrivals import take_in

pytestmark = pytest.mark.django_db

MAIL = mail(zipped(text()))
HELD_BACK = (Outcome.REJECTED, "report.held-back")


@pytest.mark.parametrize(
    ("required", "channel", "content", "counts"),
    [
        ("any", Channel.SMTP, MAIL, True),
        ("any", Channel.HTTPS, text(), True),
        ("signed-mail", Channel.SMTP, MAIL, False),
        ("signed-mail", Channel.IMAP, MAIL, False),
        ("signed-mail", Channel.HTTPS, MAIL, False),
        ("signed-mail", Channel.HTTPS, text(), True),
        ("signed-only", Channel.HTTPS, text(), False),
        ("signed-only", Channel.UPLOAD, text(), True),
        ("signed-only", Channel.COMMAND, MAIL, True),
    ],
)
def test_the_setting_says_what_counts(required, channel, content, counts, settings):
    settings.REPORT_TRUST = required

    [receipt] = take_in(content, channel=channel)

    expected = (Outcome.ACCEPTED, "") if counts else HELD_BACK
    assert (receipt.outcome, receipt.code) == expected
    assert Report.objects.exists() == counts


def test_signed_mail_counts_and_makes_copies_by_other_ways_harmless(settings, monkeypatch):
    settings.REPORT_TRUST = "signed-only"
    [before] = take_in(text())
    monkeypatch.setattr(process_module, "find_signer", lambda *_: "sender.example")

    signed, after = take_in(MAIL, channel=Channel.SMTP) + take_in(text())

    assert (before.outcome, before.code) == HELD_BACK
    assert (signed.outcome, signed.trust) == (Outcome.ACCEPTED, Trust.DKIM_MAIL)
    assert after.outcome == Outcome.DUPLICATE
    assert Report.objects.get().trust == Trust.DKIM_MAIL


def test_a_person_lets_it_count(settings):
    settings.REPORT_TRUST = "signed-only"
    admin = User.objects.create_user("admin@example.com", is_superuser=True)
    [receipt] = take_in(text())
    assert receipt.params == {"trust": "anonymous-https", "required": "signed-only"}

    assert retry(Receipt.objects.all(), admin) == 1
    process()

    receipt.refresh_from_db()
    assert (receipt.outcome, receipt.code, receipt.params) == (Outcome.ACCEPTED, "", {})
    assert ReportReceipt.objects.get().outcome == Outcome.ACCEPTED
    assert AuditEntry.objects.get().verb == "released"


def test_reading_everything_again_lets_nothing_count_that_was_held_back(settings, client):
    settings.REPORT_TRUST = "signed-only"
    client.force_login(User.objects.create_user("admin@example.com", is_superuser=True))
    held_back, junk = take_in(text(), b"junk")

    client.post("/inbox/retry/")
    process()

    assert not Report.objects.exists()
    assert AuditEntry.objects.filter(verb="retried").count() == 1
    client.post("/inbox/retry/", {"pk": held_back.pk})
    process()
    assert Report.objects.exists()
    assert Receipt.objects.get(pk=junk.pk).outcome == Outcome.REJECTED
