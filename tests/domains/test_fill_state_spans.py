"""The spans that are made of the changes of a database from before there were spans."""

from datetime import UTC, date, datetime
from importlib import import_module

spans_of = import_module("domains.migrations.0007_fill_state_spans").spans_of

KNOWN_FROM = date(2026, 3, 1)
NOW = ["valid", "valid", "enforce", "missing"]


def change(day, kind, before, hour=12):
    return kind, before, datetime(2026, 3, day, hour, tzinfo=UTC)


def test_without_a_change_all_days_are_as_today():
    assert spans_of(KNOWN_FROM, NOW, [], []) == [(KNOWN_FROM, None, "valid", "enforce", "missing")]


def test_changes_are_undone_newest_first():
    changes = [
        change(20, "sts-mode", "testing"),
        change(10, "sts-status", "missing"),
        change(10, "tlsrpt-status", "invalid", hour=8),
    ]

    assert spans_of(KNOWN_FROM, NOW, changes, []) == [
        (date(2026, 3, 20), None, "valid", "enforce", "missing"),
        (date(2026, 3, 10), date(2026, 3, 19), "valid", "testing", "missing"),
        (KNOWN_FROM, date(2026, 3, 9), "invalid", "missing", "missing"),
    ]


def test_a_change_taken_back_within_a_day_leaves_no_trace():
    changes = [
        change(10, "dane-status", "invalid", hour=9),
        change(10, "dane-status", "missing", hour=8),
    ]

    assert spans_of(KNOWN_FROM, NOW, changes, []) == [
        (KNOWN_FROM, None, "valid", "enforce", "missing")
    ]


def test_the_mode_of_a_policy_that_is_gone_is_read_from_its_text():
    now = ["valid", "missing", "", "missing"]
    policies = [(datetime(2026, 3, 2, tzinfo=UTC), "version: STSv1\nmode: enforce\n")]

    assert spans_of(KNOWN_FROM, now, [change(7, "sts-status", "valid")], policies) == [
        (date(2026, 3, 7), None, "valid", "missing", "missing"),
        (KNOWN_FROM, date(2026, 3, 6), "valid", "enforce", "missing"),
    ]


def test_nothing_is_known_of_days_before_a_domain_came():
    changes = [change(9, "tlsrpt-status", "missing"), change(1, "tlsrpt-status", "invalid")]

    assert spans_of(KNOWN_FROM, NOW, changes, []) == [
        (date(2026, 3, 9), None, "valid", "enforce", "missing"),
        (KNOWN_FROM, date(2026, 3, 8), "missing", "enforce", "missing"),
    ]
