"""What is about days that were still to come when it arrived does not count."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from domains.models import Domain
from mailtls.catalogue import describe
from mailtls.findings import Finding, Severity
from mailtls.report import parse_report
from reports import held_back, intake_queries, queries
from reports.models import (
    Channel,
    DailySessions,
    Outcome,
    PolicyResult,
    RawReport,
    Receipt,
    Report,
    Trust,
)
from reports.services.process import process
from reports.services.retry import retry
from reports.services.roll_up import roll_up
from reports.sum_models import CountedDomain, DomainReporter
from reports.trust import RequiredTrust
from tests.mailtls.samples import mail, text
from tests.reports.arrivals import DAY, inventory, numbered, take_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 11, 6, 0, tzinfo=UTC)
IN_FUTURE = (Outcome.REJECTED, "report.date.in-future")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def about(start: datetime, end: datetime | None = None, number: int = 1) -> dict[str, Any]:
    """Give a report on a range; of a day when no end is given."""
    end = end or start + timedelta(days=1, seconds=-1)
    both = {"start-datetime": start.isoformat(), "end-datetime": end.isoformat()}
    return numbered(number, date_range=both)


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        pytest.param(NOW.replace(hour=0), None, True, id="a day that is not over"),
        pytest.param(NOW + timedelta(hours=14), None, True, id="tomorrow, where it has begun"),
        pytest.param(NOW + timedelta(hours=14, minutes=1), None, False, id="no zone is so far"),
        pytest.param(datetime(2031, 1, 5, tzinfo=UTC), None, False, id="years ahead"),
        pytest.param(datetime(9999, 12, 31, tzinfo=UTC), None, False, id="the last day of all"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), None, True, id="an old archive"),
        pytest.param(NOW - timedelta(days=3), NOW + timedelta(days=900), True, id="a long range"),
    ],
)
def test_the_start_of_the_range_decides(start, end, counts):
    inventory("recipient.example")

    [receipt] = take_in(about(start, end))

    assert (receipt.outcome, receipt.code) == ((Outcome.ACCEPTED, "") if counts else IN_FUTURE)
    assert DailySessions.objects.exists() == counts


@pytest.mark.parametrize("channel", Channel)
def test_no_door_lets_it_count_and_its_bytes_are_kept(channel):
    inventory("recipient.example")
    content = text(date_range=about(datetime(2031, 1, 5, tzinfo=UTC))["date-range"])
    arrives = mail(content) if channel in (Channel.SMTP, Channel.IMAP) else content

    first, again = take_in(arrives, channel=channel) + take_in(arrives, channel=channel)

    assert (first.outcome, first.code) == (again.outcome, again.code) == IN_FUTURE
    assert first.params == {"start": "2031-01-05 00:00Z"}
    worded = describe(Finding(first.code, Severity.ERROR, first.params))
    assert "starts at 5 Jan 2031 00:00 UTC," in worded.title
    assert first.raw.content == arrives
    assert not Report.objects.exists()


def test_it_moves_no_newest_day(client):
    [domain] = inventory("recipient.example")
    take_in(numbered(1))
    client.force_login(User.objects.create_user("admin@example.com", is_superuser=True))

    take_in(about(datetime(2031, 1, 5, tzinfo=UTC), number=2))

    assert intake_queries.data_freshness().newest_day == DAY
    assert queries.last_report_days(Domain.objects.all()) == {domain.pk: DAY}
    assert CountedDomain.objects.get().last_day == DomainReporter.objects.get().last_day == DAY
    for page in ("/", "/reporters/", "/settings/system/", f"/domains/{domain.name}/"):
        assert "2031" not in client.get(page).text, page


def test_a_person_lets_it_count_once_its_day_has_come(client, clock):
    inventory("recipient.example")
    client.force_login(User.objects.create_user("admin@example.com", is_superuser=True))
    [receipt] = take_in(about(datetime(2026, 3, 14, tzinfo=UTC)))

    for page in ("/inbox/", f"/inbox/{receipt.pk}/"):
        held = client.get(page).text
        assert "May count from" in held
        assert "14 Mar 2026" in held
        assert "Let it count" not in held
    client.post("/inbox/retry/", {"pk": receipt.pk})
    receipt.refresh_from_db()
    assert (receipt.outcome, receipt.is_released) == (Outcome.REJECTED, False)
    clock.move_to(datetime(2026, 3, 14, 1, 0, tzinfo=UTC))
    assert "Let it count" in client.get("/inbox/").text
    client.post("/inbox/retry/")
    process()
    assert not Report.objects.exists()
    client.post("/inbox/retry/", {"pk": receipt.pk})
    process()

    assert Report.objects.get().day.isoformat() == "2026-03-14"


def test_what_is_read_late_or_again_is_judged_by_its_arrival(clock):
    [receipt] = take_in(about(datetime(2026, 3, 14, tzinfo=UTC)))
    clock.move_to(datetime(2026, 3, 20, tzinfo=UTC))

    Receipt.objects.update(outcome=Outcome.PENDING, processed_at=None)
    process()

    receipt.refresh_from_db()
    assert (receipt.outcome, receipt.code) == IN_FUTURE


def test_the_same_report_that_comes_in_its_time_counts(clock):
    body = about(datetime(2026, 3, 14, tzinfo=UTC))
    take_in(body)
    clock.move_to(datetime(2026, 3, 15, tzinfo=UTC))

    [receipt] = take_in(body)

    assert receipt.outcome == Outcome.ACCEPTED


def test_nobody_can_let_it_count_before():
    receipt = Receipt(channel=Channel.HTTPS, received_at=NOW)
    admin = User.objects.create_user("admin@example.com", is_superuser=True)
    [waiting] = take_in(about(datetime(2031, 1, 5, tzinfo=UTC)))

    assert held_back.may_count_from(receipt) == NOW
    assert held_back.may_count_from(waiting) == datetime(2031, 1, 5, tzinfo=UTC)
    assert retry(Receipt.objects.all(), admin) == 0


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_command_line_says_why(dry_run, tmp_path):
    inventory("recipient.example")
    (tmp_path / "a.json").write_text(json.dumps(about(datetime(2031, 1, 5, tzinfo=UTC))))
    out = StringIO()

    options = ["--dry-run"] if dry_run else []
    call_command("ingest", tmp_path, "--json", "--processes=1", *options, stdout=out)

    line, summary = map(json.loads, out.getvalue().splitlines())
    assert (line["status"], line["code"]) == IN_FUTURE
    assert line["start"] == "2031-01-05T00:00:00Z"
    assert summary["summary"]["rejected"] == 1


def test_the_migration_puts_aside_what_was_counted_before(monkeypatch):
    inventory("recipient.example")
    monkeypatch.setattr(held_back, "MOST_AHEAD", timedelta(days=100_000))
    take_in(numbered(1), about(datetime(2031, 1, 5, tzinfo=UTC), number=2))
    gone = Receipt.objects.get(deliveries__report__day__gt=DAY)
    Receipt.objects.filter(pk=gone.pk).update(raw=None)
    RawReport.objects.filter(pk=gone.raw_id).delete()
    assert intake_queries.data_freshness().newest_day.year == 2031
    monkeypatch.undo()

    with time_machine.travel(NOW, tick=False):
        import_module("reports.migrations.0017_hold_back_the_future").hold_back(apps, None)
        roll_up()

        gone.refresh_from_db()
        assert (gone.outcome, gone.code) == IN_FUTURE
        assert b'"report-2"' in gone.raw.content
        assert held_back.may_count_from(gone) > timezone.now()
    assert intake_queries.data_freshness().newest_day == DAY
    assert DomainReporter.objects.get().last_day == DAY
    assert PolicyResult.objects.count() == Report.objects.count() == 1


def test_what_a_person_has_seen_is_not_asked_for_trust_again():
    report = parse_report(text()).value
    receipt = Receipt(channel=Channel.HTTPS, received_at=NOW, is_released=True)

    reason = held_back.find_reason(
        report, receipt, Trust.ANONYMOUS_HTTPS, RequiredTrust.SIGNED_ONLY, NOW
    )

    assert reason is None
