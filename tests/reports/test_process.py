"""From receipts to reports: repeatable, and once whatever happens."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from reports.models import (
    Channel,
    FailureDetail,
    Outcome,
    PolicyResult,
    Receipt,
    Report,
    ReportReceipt,
    Trust,
)
from reports.services import process as process_module
from reports.services.accept import Provenance, accept
from reports.services.process import MAX_ATTEMPTS, process
from tests.mailtls.samples import mail, policy_entry, report, text, zipped
from tests.reports.arrivals import DAY, inventory, numbered, take_in

pytestmark = pytest.mark.django_db


def test_a_report_becomes_rows():
    [domain] = inventory("recipient.example")

    [receipt] = take_in(text())

    assert (receipt.outcome, receipt.trust) == (Outcome.ACCEPTED, Trust.ANONYMOUS_HTTPS)
    stored = Report.objects.get()
    assert (stored.organization_name, stored.day) == ("Example Sender", DAY)
    assert stored.json_text == text()
    assert stored.warnings == []
    result = PolicyResult.objects.get()
    assert (result.domain, result.policy_type) == (domain, "sts")
    assert (result.successes, result.failures, result.is_counted) == (40, 2, True)
    detail = FailureDetail.objects.get()
    assert (detail.result_type, detail.failed_sessions) == ("certificate-expired", 2)
    assert detail.receiving_mx_hostname == "mx1.recipient.example"


def test_the_same_report_by_mail_and_https_is_counted_once():
    by_https, by_mail = take_in(text(), mail(zipped(text())))

    assert (by_https.outcome, by_mail.outcome) == (Outcome.ACCEPTED, Outcome.DUPLICATE)
    assert Report.objects.count() == PolicyResult.objects.count() == 1
    outcomes = ReportReceipt.objects.order_by("receipt").values_list("outcome", flat=True)
    assert list(outcomes) == [Outcome.ACCEPTED, Outcome.DUPLICATE]


def test_a_duplicate_by_a_surer_way_raises_the_trust():
    take_in(text())
    take_in(mail(zipped(text())), channel=Channel.SMTP)

    assert Report.objects.get().trust == Trust.UNSIGNED_MAIL


@pytest.mark.parametrize(
    ("channel", "content", "trust"),
    [
        (Channel.HTTPS, text(), Trust.ANONYMOUS_HTTPS),
        (Channel.COMMAND, text(), Trust.UPLOAD),
        (Channel.UPLOAD, zipped(text()), Trust.UPLOAD),
        (Channel.COMMAND, mail(text()), Trust.UNSIGNED_MAIL),
        (Channel.SMTP, b"junk", Trust.UNSIGNED_MAIL),
    ],
)
def test_trust_follows_from_channel_and_content(channel, content, trust):
    [receipt] = take_in(content, channel=channel)

    assert receipt.trust == trust


def test_a_second_part_is_added_and_a_conflicting_copy_is_flagged_and_not_counted():
    first = report()
    second_part = report(report_id="2026-03-10T00:00:00Z_idx2_recipient.example")
    conflicting = report(policies=[policy_entry(good=9999)])

    take_in(first, second_part, conflicting)

    flagged = Report.objects.exclude(conflicts_with=None).get()
    assert flagged.conflicts_with.json_text == json.dumps(first).encode()
    assert flagged.warnings == [["report.conflicting", {}]]
    counted = PolicyResult.objects.filter(is_counted=True).values_list("successes", flat=True)
    assert sorted(counted) == [40, 40]


def test_a_conflicting_copy_that_comes_later_is_flagged_as_well():
    take_in(report())
    take_in(report(policies=[policy_entry(good=9999)]))

    assert Report.objects.exclude(conflicts_with=None).count() == 1
    assert PolicyResult.objects.filter(is_counted=True).get().successes == 40


def test_two_sites_with_the_same_report_id_both_count():
    take_in(report(contact_info="tls@one.example"), report(contact_info="tls@two.example"))

    assert PolicyResult.objects.filter(is_counted=True).count() == 2


def test_sts_and_tlsa_of_one_domain_are_not_both_counted():
    take_in(report(policies=[policy_entry("sts", good=7), policy_entry("tlsa", good=7)]))

    assert PolicyResult.objects.filter(is_counted=True).count() == 1


@pytest.mark.parametrize(
    ("content", "outcome", "code"),
    [
        (b"junk", Outcome.REJECTED, "unpack.unrecognised"),
        (text(policies=None), Outcome.REJECTED, "report.policies.missing"),
        (b"<feedback/>", Outcome.NOT_A_REPORT, "unpack.not-a-report"),
    ],
)
def test_what_cannot_be_read_keeps_its_bytes_and_a_code(content, outcome, code):
    [receipt] = take_in(content)

    assert (receipt.outcome, receipt.code) == (outcome, code)
    assert receipt.raw.content == content
    assert not Report.objects.exists()


def test_text_that_no_database_likes_is_stored():
    hostile = report(
        organization_name="=HYPERLINK('x')\0",
        report_id="<script>\ud800",
        policies=[
            policy_entry(
                domain="x" * 400 + "\0",
                **{"policy-string": ["\0a\udfff"], "mx-host": ["\ud800"]},
                details=[{"result-type": "\0" + "r" * 700, "failure-reason-code": "\ud800" * 9000}],
            )
        ],
    )

    [receipt] = take_in(hostile)

    assert receipt.outcome == Outcome.ACCEPTED
    assert Report.objects.get().organization_name == "=HYPERLINK('x')"


def test_processing_twice_changes_nothing():
    [receipt] = take_in(text())
    Receipt.objects.update(processed_at=None, outcome=Outcome.PENDING)

    process()

    receipt.refresh_from_db()
    assert receipt.outcome == Outcome.DUPLICATE
    assert PolicyResult.objects.count() == FailureDetail.objects.count() == 1


def test_a_claim_of_a_killed_worker_runs_out():
    receipt = accept(text(), Provenance(channel=Channel.HTTPS))
    Receipt.objects.update(claimed_at=timezone.now())

    assert process().receipts == 0
    Receipt.objects.update(claimed_at=timezone.now() - timedelta(minutes=2))
    assert process().receipts == 1
    receipt.refresh_from_db()
    assert receipt.outcome == Outcome.ACCEPTED


def test_bytes_that_kill_every_worker_are_put_aside():
    receipt = accept(text(), Provenance(channel=Channel.HTTPS))
    Receipt.objects.update(attempts=MAX_ATTEMPTS)

    process()

    receipt.refresh_from_db()
    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "report.reading.gave-up")


def test_what_was_tried_before_is_tried_alone(monkeypatch):
    for number in range(4):
        accept(text(report_id=str(number)), Provenance(channel=Channel.HTTPS))
    suspect = Receipt.objects.order_by("pk")[1]
    Receipt.objects.filter(pk=suspect.pk).update(attempts=1)
    batches = []
    store = process_module.store
    monkeypatch.setattr(
        process_module, "store", lambda read: batches.append(len(read)) or store(read)
    )

    process()

    assert batches == [1, 1, 2]


def test_many_receipts_are_worked_off_in_batches(monkeypatch):
    monkeypatch.setattr(process_module, "BATCH_RECEIPTS", 3)

    take_in(*[numbered(number) for number in range(8)])

    assert Report.objects.count() == 8
    assert not Receipt.objects.filter(processed_at=None).exists()


def test_the_limits_are_the_operators(settings):
    settings.REPORT_MAX_MEGABYTES = 1

    [receipt] = take_in(zipped(text(organization_name="x" * 2_000_000)))

    assert (receipt.outcome, receipt.code) == (Outcome.REJECTED, "unpack.too-large")
