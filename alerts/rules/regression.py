"""Whether a failure rate is worse than its own past; pure.

Windows of one to seven days, and of fourteen, so that both a blow and a slow decay are seen, are
held against the four weeks before them, and against the same weekdays of those weeks: what happens
every weekend is usual. Whatever began in the last week, one of the windows begins with it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from alerts.rules.betabinomial import Belief, learn, least_rate, surprise
from alerts.rules.found import BadDays, Found, describe
from alerts.rules.history import History, Series
from mailtls.catalogue.result_types import POLICY_HOST_TYPES

BASELINE_DAYS = 28
WINDOWS = (1, 2, 3, 4, 5, 6, 7, 14)
# From so many days on a window is not swayed by one bad hour: half the rate and half the growth say
# as much in it.
_LONG = 7
# A past of fewer days with sessions is no past to compare with.
FEWEST_BASELINE_DAYS = 7
# Without a past, that share of failures is found whatever is usual there.
RATE_WITHOUT_PAST = 0.3
FAILURES_WITHOUT_PAST = 20
# A single day is told at once where it is so many times as bad as the worst of the past.
_PEAK_GROWTH = 3.0
# Where that share fails, so many times the failed sessions are enough: a domain with few sessions
# has no more of them.
_MOSTLY = 0.5
_FEWER = 0.6
# A day repeats a rise where it fails at so many times the usual rate.
_ABOVE = 1.5
# Two reporters are a repetition from so many failed sessions of one day on.
_SHARED_FAILURES = 8
# A result type that made up this share of what failed more than usual is what rose.
_LEAST_PART = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionRule:
    """How far a rate must rise above its past.

    Strong evidence counts at once. Weaker evidence counts once it repeats: on a second day, or
    from a second reporter. `minimum_rate` is a share; `growth` a factor on the usual rate. Where
    half of the sessions fail, 60 % of `minimum_failed_sessions` are enough.
    """

    minimum_failed_sessions: int = 5
    minimum_rate: float = 0.01
    growth: float = 3.0
    sensitivity: float = 1e-5
    clean_days: int = 2

    def look(self, history: History, end: int, known: Collection[str], bad: BadDays) -> list[Found]:
        """Give the result types that have risen; where none has, what rose without one.

        A type that was never seen before is a rise from zero.
        """
        rises: dict[str, Rise] = {}
        longest = max(WINDOWS)
        for result_type, figures in history.types.items():
            recent = figures.by_day[max(0, end - longest + 1) : end + 1]
            if result_type in known or not any(recent):
                continue
            rise = self.find(
                history.of_type(result_type),
                end,
                not_past=bad.of(result_type),
                tellers=len(figures.reporters.get(end, ())),
            )
            if rise is not None:
                rises[result_type] = rise
        if rises:
            return list(_together(history, rises, end))
        if known:
            return []
        found = self._look_without_type(history, end, bad.all)
        return [found] if found is not None else []

    def _look_without_type(
        self, history: History, end: int, not_past: Collection[int]
    ) -> Found | None:
        """Look at the domain as a whole, and at each reporter under each policy type."""
        tellers = len(history.failures_from.get(end, ()))
        rise = self.find(history.whole(), end, not_past=not_past, tellers=tellers)
        for reporter, policy_type in history.under if rise is None else ():
            series = history.of_reporter(reporter, policy_type)
            rise = self.find(series, end, not_past=not_past, else_past=history.whole())
            if rise is not None:
                break
        if rise is None:
            return None
        result_type = self._most_risen(history, rise.first, end)
        if result_type is None:
            return None
        figures = history.types.get(result_type)
        days = range(rise.first, end + 1)
        failing = [day for day in days if figures is None or figures.by_day[day]]
        return describe(history, result_type, failing[0], end)

    def _most_risen(self, history: History, first: int, end: int) -> str | None:
        """Give the result type that grew most against the four weeks before; empty for failures
        that reporters give none. None where no single one did: some of everything is chance.
        """
        told = [sum(held.by_day[day] for held in history.types.values()) for day in range(end + 1)]
        untold = [max(0, history.failures[day] - told[day]) for day in range(end + 1)]
        growth = {name: _growth(held.by_day, first, end) for name, held in history.types.items()}
        growth[""] = growth.get("", 0.0) + _growth(untold, first, end)
        best = max(growth, key=lambda name: (growth[name], name))
        part = _LEAST_PART * sum(rise for rise in growth.values() if rise > 0)
        return best if growth[best] >= max(part, self.minimum_failed_sessions) else None

    def find(
        self,
        series: Series,
        end: int,
        *,
        not_past: Collection[int] = (),
        tellers: int = 1,
        else_past: Series | None = None,
    ) -> Rise | None:
        """Find a rise in a window that ends with the day `end`.

        `not_past` are days that do not count as past, because something was wrong on them;
        `tellers` is how many reporters tell of failures on the last day; `else_past` is the past of
        what has none of its own.
        """
        if else_past is not None and _has_past(series, end, not_past):
            else_past = None
        if not series.failures[end] and not series.sessions[end]:
            return None
        for window in WINDOWS:
            first = end - window + 1
            sessions, failures = series.sum(first, end + 1, not_past)
            if first < 0 or not self._is_worth(window, sessions, failures):
                continue
            rise = self._judge(series, first, end, sessions, failures, not_past, tellers)
            if rise is not None and else_past is not None:
                usual = _learn(else_past, list(else_past.days(first - BASELINE_DAYS, first))).rate
                if rise.rate < min(usual * self.growth, usual + 0.25):
                    continue
            if rise is not None:
                return rise
        return None

    def _is_worth(self, window: int, sessions: int, failures: int) -> bool:
        """Say whether a window has failures enough to be judged."""
        # A few single failures add up in a long window.
        is_long = window >= _LONG
        least = self.minimum_failed_sessions * (2 if is_long else 1)
        floor = self.minimum_rate / (2 if is_long else 1)
        if failures >= sessions * _MOSTLY:
            least = ceil(self.minimum_failed_sessions * _FEWER)
        return failures >= least and failures >= sessions * floor

    def _judge(
        self,
        series: Series,
        first: int,
        end: int,
        sessions: int,
        failures: int,
        not_past: Collection[int],
        tellers: int,
    ) -> Rise | None:
        window = end - first + 1
        rate = failures / sessions if sessions else 1.0
        past = series.sum(first - BASELINE_DAYS, first, not_past)
        if not self._has_grown(window, rate, least_rate(*past)):
            return None  # what always fails is told so without a closer look
        before = list(series.days(first - BASELINE_DAYS, first, not_past))
        if len(before) < FEWEST_BASELINE_DAYS:
            is_found = rate >= RATE_WITHOUT_PAST and failures >= FAILURES_WITHOUT_PAST
            bad_days = self._bad_days(series, first, end, not_past, rate / 4)
            return Rise(bad_days[0], rate, 0.0, 0.0) if is_found and bad_days else None
        whole = _learn(series, before)
        if not self._has_grown(window, rate, whole.rate):
            return None
        base = _usual(series, first, end, before, whole)
        if not self._has_grown(window, rate, base.rate):
            return None
        odds = surprise(failures, sessions, base)
        bad_days = self._bad_days(series, first, end, not_past, max(rate / 4, _ABOVE * base.rate))
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
            is_much = failures >= _SHARED_FAILURES or rate >= _MOSTLY
            is_repeated = tellers >= 2 and is_much and not is_chronic
            if not is_strong and not is_repeated:
                return None
        elif len(bad_days) < 2 or (is_chronic and odds > self.sensitivity / 10):
            return None
        return Rise(bad_days[0], rate, base.rate, odds)

    def _has_grown(self, window: int, rate: float, usual: float) -> bool:
        growth = 1 + (self.growth - 1) / (2 if window >= _LONG else 1)
        is_more = rate - usual >= self.minimum_rate / 2
        return is_more and rate >= min(usual * growth, usual + 0.25)

    def _bad_days(
        self, series: Series, first: int, end: int, not_past: Collection[int], rate: float
    ) -> list[int]:
        """Give the days of the window that fail at a rate worth counting."""
        least = max(self.minimum_rate / 2, rate)
        return [
            day
            for day in series.days(first, end + 1, not_past)
            if series.failures[day] and series.failures[day] >= series.sessions[day] * least
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


def _usual(series: Series, first: int, end: int, before: list[int], whole: Belief) -> Belief:
    """Give the belief about the usual rate of the days `first` to `end`.

    It is the higher of two: `whole`, that of the four weeks, and that of the same weekdays, each
    weekday weighing as many sessions as it has in the window. Where the same weekdays failed no
    more often than the rest, that of the four weeks knows more.
    """
    by_weekday: dict[int, list[int]] = defaultdict(list)
    for day in before:
        by_weekday[day % 7].append(day)
    counts = [0] * 7
    for day in range(first, end + 1):
        counts[day % 7] += series.sessions[day]
    sessions = sum(counts)
    same = [days or before for days in (by_weekday[n] for n in range(7))]
    seen = sum(count * _rate(series, days) for count, days in zip(counts, same, strict=True))
    if not sessions or seen <= sessions * _rate(series, before):
        return whole
    expected = weight = 0.0
    for count, days in zip(counts, same, strict=True):
        belief = whole if days is before else _learn(series, days)
        expected += count * belief.rate
        weight += count * (belief.alpha + belief.beta)
    if expected / sessions <= whole.rate:
        return whole
    weight /= sessions
    return Belief(alpha=expected / sessions * weight, beta=(1 - expected / sessions) * weight)


def _rate(series: Series, days: list[int]) -> float:
    return sum(series.failures[day] for day in days) / sum(series.sessions[day] for day in days)


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


def _growth(failures: Sequence[int], first: int, end: int) -> float:
    """Give how many more failed than on as many days of the four weeks before."""
    past = failures[max(0, first - BASELINE_DAYS) : first]
    return sum(failures[first : end + 1]) - sum(past) / max(1, len(past)) * (end - first + 1)
