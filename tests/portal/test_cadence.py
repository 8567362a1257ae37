from datetime import date, timedelta

import pytest

from tlsrpt_portal.pages.cadence import find_cadence

UNTIL = date(2026, 11, 21)  # a Saturday
BACK = [UNTIL - timedelta(days=n) for n in range(57)]


@pytest.mark.parametrize(
    ("days", "words", "state"),
    [
        (BACK, "every day", "On time"),
        ([one for one in BACK if one.weekday() < 5], "every working day", "On time"),
        (BACK[::3], "about 2 days a week", "On time"),
        (BACK[4::14], "now and then", "4 days ago"),
        (BACK[1:4], "3 of 3 days so far", "On time"),
        (BACK[1:2], "1 of 1 day so far", "On time"),
        (BACK[6:], "every day", "Silent since 16 Nov 2026"),
        (BACK[2:], "every day", "On time"),
    ],
    ids=["daily", "working days", "each third day", "rare", "new", "first", "stopped", "late"],
)
def test_the_habit_of_a_reporter_is_learnt_from_its_days(days, words, state):
    found = find_cadence(set(days), UNTIL)

    assert (found.words, found.sign.word) == (words, state)


def test_who_reports_on_working_days_is_not_silent_on_a_sunday():
    sunday = UNTIL + timedelta(days=1)
    days = {one for one in BACK if one.weekday() < 5}

    assert find_cadence(days, sunday).silent_since is None
