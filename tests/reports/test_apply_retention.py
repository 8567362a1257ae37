"""Three clocks: received bytes, rows, daily figures."""

from __future__ import annotations

import io

import pytest
import time_machine
from django.core.management import call_command

from reports import queries
from reports.models import (
    Channel,
    DailyFailures,
    DailySessions,
    FailureDetail,
    PolicyResult,
    RawReport,
    Receipt,
    Report,
)
from reports.services.accept import Provenance, accept
from reports.services.apply_retention import apply_retention
from reports.services.roll_up import mark_all_dirty, roll_up
from tests.mailtls.samples import policy_entry, report, text
from tests.reports.arrivals import DAY, inventory, numbered, take_in

pytestmark = pytest.mark.django_db

ARRIVED = "2026-03-11T04:00:00Z"


@pytest.fixture(autouse=True)
def _clocks(settings) -> None:
    settings.KEEP_RAW_DAYS = 10
    settings.KEEP_REPORT_DAYS = 100
    settings.KEEP_ROLLUP_DAYS = 1000


@pytest.fixture
def arrived() -> None:
    """Two reports, one a conflicting copy, the day after their day."""
    inventory("recipient.example")
    with time_machine.travel(ARRIVED, tick=False):
        take_in(numbered(1), numbered(1, organization_name="x"), report(), report(policies=[]))


def left() -> tuple[bool, bool, bool]:
    return RawReport.objects.exists(), Report.objects.exists(), DailySessions.objects.exists()


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-21T03:00:00Z", (True, True, True)),
        ("2026-03-22T03:00:00Z", (False, True, True)),
        ("2026-06-20T03:00:00Z", (False, False, True)),
        ("2028-12-06T03:00:00Z", (False, False, False)),
    ],
)
def test_each_goes_when_its_time_has_come(arrived, now, expected):
    with time_machine.travel(now, tick=False):
        apply_retention()
        apply_retention()

    assert left() == expected


def test_rows_go_as_a_whole(arrived):
    with time_machine.travel("2026-07-01", tick=False):
        apply_retention()

    assert not PolicyResult.objects.exists()
    assert not FailureDetail.objects.exists()
    assert not Receipt.objects.exists()


def test_a_rebuild_leaves_figures_whose_rows_are_gone(arrived):
    before = queries.totals(None, DAY, DAY)
    with time_machine.travel("2026-07-01", tick=False):
        apply_retention()
        mark_all_dirty()
        roll_up()

    assert queries.totals(None, DAY, DAY) == before
    assert before.sessions > 0


def test_a_late_report_adds_to_figures_whose_rows_are_gone(arrived):
    def figures(model, *fields):
        return sorted(model.objects.values_list("reporter", *fields))

    sessions = figures(DailySessions, "counted_successes", "counted_failures")
    failures = figures(DailyFailures, "result_type", "counted_failed_sessions")
    with time_machine.travel("2026-07-01", tick=False):
        apply_retention()
        take_in(
            report(organization_name="Late", report_id="late"),
            # Less than the one that is gone had told of.
            report(report_id="small", policies=[policy_entry("sts", good=1, bad=0, details=[])]),
        )
        mark_all_dirty()
        roll_up()

    assert figures(DailySessions, "counted_successes", "counted_failures") == sorted(
        [*sessions, ("Late", 40, 2)]
    )
    assert figures(DailyFailures, "result_type", "counted_failed_sessions") == sorted(
        [*failures, ("Late", "certificate-expired", 2)]
    )
    assert queries.totals(None, DAY, DAY).sessions == sum(row[1] + row[2] for row in sessions) + 42


def test_what_waits_to_be_read_is_kept():
    with time_machine.travel(ARRIVED, tick=False):
        accept(text(), Provenance(channel=Channel.HTTPS))
    with time_machine.travel("2027-01-01", tick=False):
        apply_retention()

    assert RawReport.objects.exists()
    assert Receipt.objects.exists()


def test_an_archive_taken_in_today_is_kept_as_long_as_the_rest(arrived):
    old = report(
        report_id="old",
        date_range={
            "start-datetime": "2016-04-01T00:00:00Z",
            "end-datetime": "2016-04-01T23:59:59Z",
        },
    )
    with time_machine.travel(ARRIVED, tick=False):
        take_in(old)
        apply_retention()

    assert Report.objects.filter(report_id="old").exists()


def test_nothing_goes_when_everything_is_to_be_kept(arrived, settings):
    settings.KEEP_RAW_DAYS = settings.KEEP_REPORT_DAYS = settings.KEEP_ROLLUP_DAYS = 0

    with time_machine.travel("2036-01-01", tick=False):
        assert not any(apply_retention().values())


def test_a_dry_run_only_counts(arrived):
    out = io.StringIO()
    with time_machine.travel("2026-07-01", tick=False):
        call_command("applyretention", dry_run=True, stdout=out)

    assert "would remove 4 received, 4 receipts, 4 reports" in out.getvalue()
    assert left() == (True, True, True)
