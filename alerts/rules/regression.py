"""Whether a failure rate is worse than its own past; pure.

A window of 1, 3 or 7 days, so that both a blow and a slow decay are seen, is held against the four
weeks before it, and against the same weekdays of those weeks: what happens every weekend is usual.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from alerts.rules.betabinomial import Belief, learn, surprise
from alerts.rules.found import POLICY_HOST_TYPES, Found, describe
from alerts.rules.history import History, Series

BASELINE_DAYS = 28
WINDOWS = (1, 3, 7)
# A past of fewer days with sessions is no past to compare with.
FEWEST_BASELINE_DAYS = 7
# Without a past, that share of failures is found whatever is usual there.
RATE_WITHOUT_PAST = 0.3
FAILURES_WITHOUT_PAST = 20
# A single day is told at once where it is so many times as bad as the worst of the past.
_PEAK_GROWTH = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionRule:
    """How far a rate must rise above its past.

    Strong evidence counts at once. Weaker evidence counts once it repeats: on a second day, or
    from a second reporter. `minimum_rate` is a share; `growth` a factor on the usual rate.
    """

    minimum_failed_sessions: int = 5
    minimum_rate: float = 0.01
    growth: float = 3.0
    sensitivity: float = 1e-5
    clean_days: int = 2

    def look(
        self, history: History, end: int, known: Collection[str], not_past: Collection[int]
    ) -> list[Found]:
        """Give the result types that have risen; where none has, what rose without one.

        A type that was never seen before is a rise from zero.
        """
        rises: dict[str, Rise] = {}
        for result_type, figures in history.types.items():
            if result_type in known or not any(figures.by_day[max(0, end - 6) : end + 1]):
                continue
            rise = self.find(
                history.of_type(result_type),
                end,
                not_past=not_past,
                reporters=len(figures.reporters.get(end, ())),
            )
            if rise is not None:
                rises[result_type] = rise
        if rises:
            return list(_together(history, rises, end))
        if known:
            return []
        found = self._look_without_type(history, end, not_past)
        return [found] if found is not None else []

    def _look_without_type(
        self, history: History, end: int, not_past: Collection[int]
    ) -> Found | None:
        """Look at the domain as a whole, and at each reporter under each policy type."""
        reporters = len(history.failures_from.get(end, ()))
        rise = self.find(history.whole(), end, not_past=not_past, reporters=reporters)
        for reporter, policy_type in history.under if rise is None else ():
            series = history.of_reporter(reporter, policy_type)
            rise = self.find(series, end, not_past=not_past, else_past=history.whole())
            if rise is not None:
                break
        if rise is None:
            return None
        return describe(history, _most_risen(history, rise.first, end), rise.first, end)

    def find(
        self,
        series: Series,
        end: int,
        *,
        not_past: Collection[int] = (),
        reporters: int = 1,
        else_past: Series | None = None,
    ) -> Rise | None:
        """Find a rise in a window that ends with the day `end`.

        `not_past` are days that do not count as past, because something was wrong on them;
        `reporters` is how many tell of failures on the last day; `else_past` is the past of what
        has none of its own.
        """
        if else_past is not None and _has_past(series, end, not_past):
            else_past = None
        if not series.failures[end] and not series.sessions[end]:
            return None
        for window in WINDOWS:
            first = end - window + 1
            sessions, failures = series.sum(first, end + 1, not_past)
            # A long window is not swayed by one bad hour, so half the rate says as much; but a few
            # single failures add up in it.
            is_long = window >= 7
            least = self.minimum_failed_sessions * (2 if is_long else 1)
            floor = self.minimum_rate / (2 if is_long else 1)
            if first < 0 or failures < least or failures < sessions * floor:
                continue
            rise = self._judge(series, first, end, sessions, failures, not_past, reporters)
            if rise is not None and else_past is not None:
                usual = _learn(else_past, list(else_past.days(first - BASELINE_DAYS, first))).rate
                if rise.rate < min(usual * self.growth, usual + 0.25):
                    continue
            if rise is not None:
                return rise
        return None

    def _judge(
        self,
        series: Series,
        first: int,
        end: int,
        sessions: int,
        failures: int,
        not_past: Collection[int],
        reporters: int,
    ) -> Rise | None:
        window = end - first + 1
        rate = failures / sessions if sessions else 1.0
        before = list(series.days(first - BASELINE_DAYS, first, not_past))
        bad_days = self._bad_days(series, first, end, rate)
        if len(before) < FEWEST_BASELINE_DAYS:
            is_found = rate >= RATE_WITHOUT_PAST and failures >= FAILURES_WITHOUT_PAST
            return Rise(bad_days[0], rate, 0.0, 0.0) if is_found and bad_days else None
        base = _usual(series, first, end, before)
        if rate - base.rate < self.minimum_rate / 2 or rate < min(
            base.rate * self.growth, base.rate + 0.25
        ):
            return None
        odds = surprise(failures, sessions, base)
        if odds > self.sensitivity or not bad_days:
            return None
        # Where something always fails, it fails by fits and starts.
        is_chronic = base.rate >= self.minimum_rate
        if window == 1:
            is_strong = (
                odds <= self.sensitivity / 10
                and failures >= 2 * self.minimum_failed_sessions
                and rate >= min(0.9, _PEAK_GROWTH * _peak(series, before, sessions))
            )
            # Two reporters who see the same are a repetition, too.
            is_repeated = reporters >= 2 and failures >= 8 and not is_chronic
            if not is_strong and not is_repeated:
                return None
        elif len(bad_days) < 2 or (is_chronic and odds > self.sensitivity / 10):
            return None
        return Rise(bad_days[0], rate, base.rate, odds)

    def _bad_days(self, series: Series, first: int, end: int, rate: float) -> list[int]:
        """Give the days of the window that fail at a rate worth counting."""
        least = max(self.minimum_rate / 2, rate / 4)
        return [
            day
            for day in range(max(0, first), end + 1)
            if series.failures[day] >= 2 and series.failures[day] >= series.sessions[day] * least
        ]

    def is_still_bad(self, sessions: int, failures: int, usual_rate: float) -> bool:
        """Say whether a day of something that was found goes on failing."""
        if failures <= 0:
            return False
        rate = failures / sessions if sessions else 1.0
        is_more_than_noise = failures >= 2 or rate >= 0.5
        return is_more_than_noise and rate >= max(self.minimum_rate / 2, 2 * usual_rate)


@dataclass(frozen=True, slots=True)
class Rise:
    """A rate above its past: since which day, what it is, what it was, how surprising."""

    first: int
    rate: float
    usual_rate: float
    odds: float


def _has_past(series: Series, end: int, not_past: Collection[int]) -> bool:
    days = series.days(end - BASELINE_DAYS, end, not_past)
    return sum(1 for _ in days) >= FEWEST_BASELINE_DAYS


def _usual(series: Series, first: int, end: int, before: list[int]) -> Belief:
    """Give the belief about the usual rate of the days `first` to `end`.

    It is the higher of two: that of the four weeks, and that of the same weekdays, each weekday
    weighing as many sessions as it has in the window.
    """
    whole = _learn(series, before)
    if end - first + 1 >= 7:
        return whole
    by_weekday: dict[int, list[int]] = defaultdict(list)
    for day in before:
        by_weekday[day % 7].append(day)
    expected, weight, sessions = 0.0, 0.0, 0
    for day in range(first, end + 1):
        count = series.sessions[day]
        same = by_weekday[day % 7]
        belief = _learn(series, same) if same else whole
        expected += count * belief.rate
        weight += count * (belief.alpha + belief.beta)
        sessions += count
    if not sessions or expected / sessions <= whole.rate:
        return whole
    weight /= sessions
    return Belief(alpha=expected / sessions * weight, beta=(1 - expected / sessions) * weight)


def _learn(series: Series, days: list[int]) -> Belief:
    pairs = [(series.sessions[day], series.failures[day]) for day in days]
    return learn(sum(n for n, _ in pairs), sum(k for _, k in pairs), pairs)


def _peak(series: Series, before: list[int], sessions: int) -> float:
    """Give the worst daily rate of the past, of days that say enough to be compared."""
    return max(
        (
            series.failures[day] / series.sessions[day]
            for day in before
            if series.failures[day] >= 3 and series.sessions[day] * 5 >= sessions
        ),
        default=0.0,
    )


def _together(history: History, rises: dict[str, Rise], end: int) -> Iterator[Found]:
    """Join the types of one domain that rose within a day of each other at the same place.

    One expired certificate is told as such by one reporter and as a failed validation by another.
    """
    for is_policy_host in (False, True):
        left = {
            name: rise
            for name, rise in rises.items()
            if (name in POLICY_HOST_TYPES) is is_policy_host
        }
        while left:
            first = min(rise.first for rise in left.values())
            group = [name for name, rise in left.items() if rise.first - first <= 1]
            for name in group:
                del left[name]
            main = max(group, key=lambda name: (describe(history, name, first, end).weight, name))
            yield describe(history, main, first, end, group)


def _most_risen(history: History, first: int, end: int) -> str:
    """Give the result type that grew most against the four weeks before; empty for none."""
    best, most = "", 0.0
    past = max(1, min(first, BASELINE_DAYS))
    for name, figures in history.types.items():
        before = sum(figures.by_day[max(0, first - BASELINE_DAYS) : first]) / past
        growth = sum(figures.by_day[first : end + 1]) - before * (end - first + 1)
        if growth > most:
            best, most = name, growth
    return best
