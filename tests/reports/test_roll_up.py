"""Daily figures: always what a fresh count of the rows gives."""

from __future__ import annotations

import pytest

from reports.models import Channel, DailyFailures, DailySessions, DirtyDay, PolicyResult
from reports.services.accept import Provenance, accept
from reports.services.process import process
from reports.services.roll_up import mark_all_dirty, roll_up
from tests.mailtls.samples import DETAIL, policy_entry, report, text
from tests.reports.arrivals import DAY, daily_rows, inventory, numbered, take_in

pytestmark = pytest.mark.django_db


def test_figures_follow_from_the_rows():
    [domain] = inventory("recipient.example")

    take_in(numbered(1), numbered(2), numbered(3, organization_name="Other"))

    by_reporter = DailySessions.objects.order_by("reporter").values_list(
        "domain",
        "day",
        "reporter",
        "policy_type",
        "counted_successes",
        "counted_failures",
        "reports",
    )
    assert list(by_reporter) == [
        (domain.pk, DAY, "Example Sender", "sts", 80, 4, 2),
        (domain.pk, DAY, "Other", "sts", 40, 2, 1),
    ]
    failures = DailyFailures.objects.order_by("reporter").values_list(
        "result_type", "receiving_mx", "counted_failed_sessions"
    )
    assert list(failures) == [
        ("certificate-expired", "mx1.recipient.example", 4),
        ("certificate-expired", "mx1.recipient.example", 2),
    ]


def test_what_does_not_count_is_kept_apart():
    inventory("recipient.example")

    take_in(report(policies=[policy_entry("sts"), policy_entry("tlsa", good=41)]))

    rows = DailySessions.objects.order_by("policy_type").values_list(
        "policy_type", "successes", "counted_successes"
    )
    assert list(rows) == [("sts", 40, 0), ("tlsa", 41, 41)]
    [failures] = DailyFailures.objects.all()
    assert (failures.failed_sessions, failures.counted_failed_sessions) == (4, 2)


def test_a_missing_failure_total_is_what_the_details_add_up_to():
    inventory("recipient.example")

    take_in(report(policies=[policy_entry(bad=None, details=[DETAIL, DETAIL])]))

    assert DailySessions.objects.get().counted_failures == 4


def test_a_kill_between_storing_and_rolling_up_is_repaired_by_the_next_run():
    inventory("recipient.example")
    take_in(numbered(1))
    marks = list(DirtyDay.objects.all())
    accept(text(report_id="2"), Provenance(channel=Channel.HTTPS))
    process()
    expected = daily_rows()
    DailySessions.objects.update(counted_successes=1)
    DirtyDay.objects.create(domain_id=PolicyResult.objects.first().domain_id, day=DAY)

    roll_up()

    assert marks == []
    assert daily_rows() == expected
    assert not DirtyDay.objects.exists()


def test_a_rebuild_gives_the_same_figures_and_removes_stray_ones():
    inventory("recipient.example")
    take_in(numbered(1), numbered(2))
    expected = daily_rows()
    DailyFailures.objects.all().delete()
    stray = DailySessions.objects.get()
    stray.pk, stray.reporter = None, "nobody"
    stray.save()

    mark_all_dirty()
    roll_up()

    assert daily_rows() == expected


def test_a_rebuild_can_begin_at_a_day():
    inventory("recipient.example")
    take_in(numbered(1))
    DailySessions.objects.all().delete()

    mark_all_dirty(since=DAY.replace(day=11))
    assert roll_up() == 0
    mark_all_dirty(since=DAY)
    assert roll_up() == 1
    assert DailySessions.objects.count() == 1


def test_absurd_counts_do_not_stop_the_roll_up():
    inventory("recipient.example")
    most = 2**53 - 1

    take_in(report(policies=[policy_entry(good=most, bad=most) for _ in range(1100)]))

    assert DailySessions.objects.get().counted_successes == 10**12


def test_foreign_domains_have_no_daily_figures():
    take_in(text())

    assert not DailySessions.objects.exists()
    assert not DirtyDay.objects.exists()
