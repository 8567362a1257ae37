import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.rules.betabinomial import Belief, learn, least_rate, surprise
from alerts.rules.found import BadDays
from alerts.rules.history import History, Series
from alerts.rules.regression import RegressionRule


def series(past, *days):
    """35 days like `past` (sessions, failures), then the given ones."""
    rows = [past] * 35 + list(days)
    return Series([n for n, _ in rows], [k for _, k in rows])


def finds(past, *days, tellers=1):
    held = series(past, *days)
    rise = RegressionRule().find(held, len(held.sessions) - 1, tellers=tellers)
    return rise is not None


@pytest.mark.parametrize(
    ("past", "days", "found"),
    [
        pytest.param((1, 0), [(1, 1)], False, id="one failed session of one is no alarm"),
        pytest.param((2000, 0), [(2000, 40)], True, id="40 of 2,000 where none was usual"),
        pytest.param((2000, 40), [(2000, 45)], False, id="what is usual"),
        pytest.param((100, 0), [(100, 4)], False, id="too few at once"),
        pytest.param((100, 0), [(100, 4)] * 3, True, id="few that repeat"),
        pytest.param((100, 8), [(100, 20)], False, id="a chronic failure has bad days"),
        pytest.param((100, 8), [(100, 90)], True, id="a chronic failure that becomes total"),
        pytest.param((20, 0), [(20, 20)], True, id="all of twenty"),
        pytest.param((5, 0), [(5, 5)], False, id="five of a small domain, once"),
        pytest.param((5, 0), [(5, 5), (5, 5)], True, id="five of a small domain, twice"),
        pytest.param((3, 0), [(1, 1), (3, 3)], True, id="all of one and of three"),
        pytest.param((3, 0), [(1, 1), (1, 1)], False, id="all of two"),
        pytest.param((3, 0), [(2, 1), (3, 1), (2, 1)], False, id="one a day of a few"),
        pytest.param((2000, 0), [(240, 9), (230, 5)], True, id="two quiet days after busy ones"),
        pytest.param((60, 0), [(60, 1)] * 7, False, id="one a day of many"),
        pytest.param((60, 0), [(60, 1)] * 14, True, id="one a day of many for two weeks"),
        pytest.param((0, 0), [(1000, 400)], True, id="without a past, much is much"),
        pytest.param((0, 0), [(1000, 100)], False, id="without a past, little may be usual"),
    ],
)
def test_a_rise_respects_volume_and_the_past(past, days, found):
    assert finds(past, *days) is found


def test_two_reporters_who_see_the_same_are_a_repetition():
    assert not finds((300, 0), (300, 9))
    assert finds((300, 0), (300, 9), tellers=2)


def test_two_reporters_of_a_small_domain_are_a_repetition_where_most_fails():
    assert not finds((5, 0), (5, 4))
    assert finds((5, 0), (5, 4), tellers=2)
    assert not finds((20, 0), (20, 4), tellers=2)


def test_weekends_are_held_against_weekends_in_a_long_window_too():
    # Nobody reported on the weekdays of the last week.
    rows = [(20, 6) if day % 7 in (5, 6) else (100, 0) for day in range(35)]
    rows += [(0, 0)] * 5 + [(20, 8), (20, 7)]
    held = Series([n for n, _ in rows], [k for _, k in rows])

    assert RegressionRule().find(held, 41) is None


def history_of(days, *failed):
    """A domain with 20 sessions a day, and failures as (day, type, failed)."""
    history = History("a.test", days)
    for day in range(days):
        bad = sum(count for on, _, count in failed if on == day)
        history.add_sessions(day, "Google Inc.", "sts", (20 - bad, bad), (20 - bad, bad))
    for day, result_type, count in failed:
        history.add_failures(day, result_type, "mx1.a.test", "Google Inc.", count)
    return history


def test_days_on_which_something_else_was_wrong_are_past():
    chronic = [(day, "starttls-not-supported", 8) for day in range(40)]
    history = history_of(40, *chronic)
    bad = BadDays()
    bad.add({"tlsa-invalid"}, range(39))

    assert RegressionRule().look(history, 39, {"tlsa-invalid"}, bad) == []


def test_some_of_everything_is_no_rise_of_one_type():
    kinds = ("certificate-expired", "starttls-not-supported", "tlsa-invalid", "dnssec-invalid")
    failed = [(day, kind, 1) for day in (38, 39) for kind in kinds]
    history = history_of(40, *failed)
    named = history_of(40, *((day, "tlsa-invalid", 4) for day in (38, 39)))

    assert RegressionRule().look(history, 39, (), BadDays()) == []
    assert [one.result_type for one in RegressionRule().look(named, 39, (), BadDays())] == [
        "tlsa-invalid"
    ]


def test_a_slow_decay_is_found_before_it_is_a_tenth():
    days = [(500, round(500 * 0.003 * n)) for n in range(1, 34)]

    first = next(n for n in range(1, 34) if finds((500, 0), *days[:n]))

    assert days[first - 1][1] < 20


@pytest.mark.parametrize("k", [1, 3, 10])
def test_the_surprise_is_the_exact_tail(k):
    belief = Belief(2.0, 30.0)

    total = sum(surprise(x, 25, belief) - surprise(x + 1, 25, belief) for x in range(k, 25))

    assert total + surprise(25, 25, belief) == pytest.approx(surprise(k, 25, belief))
    assert surprise(0, 25, belief) == 1.0
    assert 0 < surprise(k + 1, 25, belief) < surprise(k, 25, belief) < 1


def test_a_past_that_differs_from_day_to_day_is_believed_less():
    steady = learn(2800, 140, [(100, 5)] * 28)
    restless = learn(2800, 140, [(100, 0), (100, 10)] * 14)

    assert surprise(30, 100, restless) > 10 * surprise(30, 100, steady)


def test_a_huge_count_is_judged_quickly():
    assert surprise(5_000, 10_000_000, learn(10**9, 1000)) < 1


def test_what_fails_by_fits_and_starts_is_believed_at_its_own_rate():
    days = [(100, 15), (100, 45), (100, 30), (100, 10), (100, 50)] * 5

    belief = learn(2500, sum(k for _, k in days), days)

    assert belief.alpha + belief.beta < 100
    assert belief.rate == pytest.approx(0.3, abs=0.04)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), min_size=7, max_size=28))
def test_no_past_is_believed_to_fail_less_than_the_least_rate(past):
    days = [(sessions, round(sessions * rate)) for sessions, rate in past]
    sums = sum(n for n, _ in days), sum(k for _, k in days)

    assert least_rate(*sums) <= learn(*sums, days).rate


def test_a_few_failures_of_few_sessions_leave_the_belief_as_it_was():
    assert learn(40, 1).rate < 0.02


def test_a_reporter_without_a_past_is_held_against_that_of_the_domain():
    known = Series([100] * 36, [30] * 36)
    new = Series([0] * 35 + [100], [0] * 35 + [40])
    rule = RegressionRule()

    assert rule.find(new, 35) is not None
    assert rule.find(new, 35, else_past=known) is None
    assert rule.find(Series([0] * 35 + [100], [0] * 35 + [70]), 35, else_past=known) is not None
