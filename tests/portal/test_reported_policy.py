from datetime import date, timedelta

import pytest

from mailtls.sts_policy import parse_policy
from tlsrpt_portal.pages.reported_policy import Held, Served, compare

FIRST = date(2026, 9, 1)
CHANGE = date(2026, 10, 22)


def policy(mode="enforce", mx="mx.a.example", max_age=86_400 * 7):
    found = parse_policy(f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: {max_age}").value
    assert found is not None
    return found


OLD, NEW = policy(mx="old.a.example"), policy(mx="new.a.example")
SERVED = [
    Served(policy=OLD, since=FIRST, replaced_on=CHANGE),
    Served(policy=NEW, since=CHANGE, replaced_on=None),
]


@pytest.mark.parametrize(
    ("reported", "day", "held"),
    [
        (NEW, CHANGE + timedelta(days=1), Held.CURRENT),
        (OLD, CHANGE, Held.CURRENT),
        (OLD, CHANGE + timedelta(days=1), Held.EARLIER),
        (OLD, CHANGE + timedelta(days=7), Held.EARLIER),
        (OLD, CHANGE + timedelta(days=8), Held.OUTDATED),
        (policy(mode="testing", mx="new.a.example"), CHANGE + timedelta(days=9), Held.UNKNOWN),
        (policy(mx="other.example"), CHANGE, Held.CURRENT),
        (policy(mx="other.example"), FIRST + timedelta(days=7), Held.EARLIER),
        (policy(mx="new.a.example", max_age=1000), CHANGE + timedelta(days=9), Held.CURRENT),
    ],
    ids=[
        "the one served",
        "of the day of the change",
        "within its max_age",
        "at the end of its max_age",
        "longer than its max_age",
        "never served",
        "short-lived around a change",
        "from before the first check",
        "another max_age alone",
    ],
)
def test_a_reported_policy_is_placed_among_those_served(reported, day, held):
    assert compare("Google Inc.", day, reported, SERVED).held is held


def test_a_policy_that_came_back_is_the_current_one():
    served = [*SERVED[:1], Served(policy=OLD, since=CHANGE, replaced_on=None)]

    assert compare("Google Inc.", CHANGE + timedelta(days=90), OLD, served).held is Held.CURRENT
