import copy
import pickle
from datetime import UTC, date, datetime, timedelta

import pytest

from webui import wording
from webui.templatetags.webui import change_in_percent


@pytest.mark.parametrize(
    ("failed", "sessions", "text"),
    [
        (0, 0, "–"),
        (0, 500, "0\xa0%"),
        (1, 1_000_000, "<\xa00.01\xa0%"),
        (1, 300, "0.33\xa0%"),
        (412, 4100, "10.0\xa0%"),
        (9999, 10000, "99.9\xa0%"),
        (10, 10, "100\xa0%"),
        (None, 10, "–"),
    ],
)
def test_a_rate_is_never_rounded_to_none_or_all(failed, sessions, text):
    assert wording.failure_rate(failed, sessions) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 10, "0\xa0%"),
        (1, 1000, "<\xa01\xa0%"),
        (999, 1000, ">\xa099\xa0%"),
        (5, 5, "100\xa0%"),
        (0, 0, "–"),
    ],
)
def test_a_share_says_none_and_all_only_where_it_is_so(part, whole, text):
    assert wording.share(part, whole) == text


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=30), "1 day ago"),
        (timedelta(days=4), "4 days ago"),
        (timedelta(hours=-3), "in 3 h"),
    ],
)
def test_times_are_told_in_one_unit(past, text):
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    assert wording.ago(now - past, now) == text


def test_lists_of_words_are_cut_with_the_number_left_out():
    assert wording.sentence_list(["a"]) == "a"
    assert wording.sentence_list(["a", "b"]) == "a and b"
    assert wording.sentence_list(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"


def test_a_recent_day_has_its_year_only_where_it_is_another():
    today = date(2027, 1, 3)

    assert wording.recent_day(date(2027, 1, 2), today) == "2 Jan"
    assert wording.recent_day(date(2026, 12, 31), today) == "31 Dec 2026"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Google Inc.", "Google Inc."),
        ("דאר", "\u2068דאר\u2069"),
        ("\u202eevil\u2069", "evil"),
    ],
)
def test_a_name_turns_nothing_beside_it(name, told):
    assert wording.isolated(name) == told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (-0.04, "unchanged"),
        (0, "unchanged"),
        (-0.06, "\N{MINUS SIGN}0.1 %"),
        (1234.56, "+1,234.6 %"),
    ],
)
def test_a_change_too_small_to_be_seen_is_none(change, words):
    assert change_in_percent(change).replace("\u202f", " ").replace("\xa0", " ") == words


def test_a_share_knows_its_size_also_in_a_copy():
    rate = wording.failure_rate(1, 8)

    for same in (copy.copy(rate), pickle.loads(pickle.dumps(rate))):
        assert (same, same.fraction) == ("12.5\xa0%", 0.125)
