"""Whether a failure rate is worse than its own past; pure.

A window of 1, 3 or 7 days, so that both a blow and a slow decay are seen, is held against the four
weeks before it, and against the same weekdays of those weeks: what happens every weekend is usual.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from alerts.rules.betabinomial import Belief, learn, surprise
from alerts.rules.found import POLICY_HOST_TYPES, Found, describe
from alerts.rules.history import History, Series

BASELINE_DAYS = 28
WINDOWS = (1, 3, 7)
# A past of fewer days with sessions is no past to compare with.
FEWEST_BASELINE_DAYS = 7
# Without a past only that share of failures on two days is found.
RATE_WITHOUT_PAST = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionRule:
    """How far a rate must rise above its past.

    Strong evidence counts at once. Weaker evidence counts once it repeats: on a second day, or
    from a second reporter. `minimum_rate` is a share; `growth` a factor on the usual rate.
    """

    minimum_failed_sessions: int = 5
    minimum_rate: float = 0.01
    growth: float = 3.0
    sensitivity: float = 1e-4
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
            rise = self.find(series, end, not_past=not_past)
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
    ) -> Rise | None:
        """Find a rise in a window that ends with the day `end`.

        `not_past` are days that do not count as past, because something was wrong on them;
        `reporters` is how many tell of failures on the last day.
        """
        if not series.failures[end] and not series.sessions[end]:
            return None
        for window in WINDOWS:
            first = end - window + 1
            sessions, failures = series.sum(first, end + 1, not_past)
            if failures < self.minimum_failed_sessions or first < 0:
                continue
            # A long window is not swayed by one bad hour, so half the rate says as much.
            floor = self.minimum_rate if window < 7 else self.minimum_rate / 2
            if failures < sessions * floor:
                continue
            rise = self._judge(series, first, end, sessions, failures, not_past, reporters)
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
            is_found = (
                rate >= RATE_WITHOUT_PAST
                and len(bad_days) >= 2
                and failures >= 2 * self.minimum_failed_sessions
            )
            return Rise(bad_days[0], rate, 0.0, 0.0) if is_found else None
        all_days = _learn(series, before)
        weekdays = {day % 7 for day in range(first, end + 1)}
        same = [day for day in before if day % 7 in weekdays]
        same_days = _learn(series, same) if window < 7 and len(same) >= 2 else all_days
        base = max(all_days, same_days, key=lambda belief: belief.rate)
        if rate - base.rate < self.minimum_rate / 2 or rate < min(
            base.rate * self.growth, base.rate + 0.25
        ):
            return None
        odds = surprise(failures, sessions, base)
        if odds > self.sensitivity:
            return None
        is_strong = odds <= self.sensitivity / 100 and (
            failures >= 2 * self.minimum_failed_sessions
        )
        is_repeated = len(bad_days) >= 2 or (reporters >= 2 and failures >= 8)
        if not bad_days or not ((is_strong and window == 1) or is_repeated):
            return None
        return Rise(bad_days[0], rate, base.rate, odds)

    def _bad_days(self, series: Series, first: int, end: int, rate: float) -> list[int]:
        """Give the days of the window that fail at a rate worth counting."""
        least = max(self.minimum_rate / 2, rate / 4)
        return [
            day
            for day in range(max(0, first), end + 1)
            if series.failures[day] >= 2
            and series.failures[day] >= series.sessions[day] * least
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


def _learn(series: Series, days: list[int]) -> Belief:
    pairs = [(series.sessions[day], series.failures[day]) for day in days]
    return learn(sum(n for n, _ in pairs), sum(k for _, k in pairs), pairs)


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
