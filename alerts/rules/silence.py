"""Whether a reporter that was regular has stopped; pure.

How regular it was is learnt per domain and weekday from the four weeks before. Who reports only
now and then is spared: its silence says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BASELINE_DAYS = 28
# Shares of a reporter's reports that are there on the first, second … morning after their day.
Arrivals = Sequence[float]
ON_TIME: Arrivals = (1.0,)
# Mean sessions of a report, by the number of its day in the span modulo seven.
Volumes = Sequence[float]
# A report counts as missed from the morning on which so many would be there.
_SURELY_THERE = 0.9
_LEAST_PRESENCE = 0.6
# Daily sessions differ by more than chance: as a negative binomial distribution of this size.
_SPREAD = 3.0
_FOUR_WEEKS = (1 << BASELINE_DAYS) - 1
_RECENT_DAYS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRule:
    """How many expected reports must be missed before it is told.

    `missed_days` for one domain; `missed_days_everywhere` where a reporter is missed at most
    domains at once, or a domain by all its reporters: chance does not do that.
    """

    missed_days: int = 3
    missed_days_everywhere: int = 2
    chance: float = 2e-6
    intake_hours: int = 36

    def missed(
        self,
        presence: int,
        end: int,
        arrivals: Arrivals = ON_TIME,
        volumes: Volumes | None = None,
    ) -> Silence | None:
        """Give since when a pair of domain and reporter is silent on the day `end`, if it is.

        `presence` has bit n set where the reporter told of the domain on the day n of the span.
        What usually comes late is not missed before it would be there. `volumes` are the sessions
        a report usually has: with few of them, a day without any is soon there by chance.
        """
        if presence >> end & 1:
            return None
        upto = presence & ((1 << end) - 1)
        if not upto:
            return None
        last = upto.bit_length() - 1
        first = last + 1
        if end - first >= BASELINE_DAYS:
            return None  # that long: it is the new normal
        start = first - BASELINE_DAYS
        if start < 0:
            return None
        if ((presence >> start) & _FOUR_WEEKS).bit_count() < BASELINE_DAYS / 2:
            return None
        days = [day for day in range(start, first) if presence >> day & 1]
        by_weekday = [0] * 7
        for day in days:
            by_weekday[day % 7] += 1
        overall = len(days) / BASELINE_DAYS
        odds, expected = 1.0, 0
        for day in range(first, end + 1):
            # Four such weekdays were seen; one more is assumed to be like the rest of the week.
            share = (by_weekday[day % 7] + overall) / 5
            # How often it reports is known from four weeks only: the less regular, the less sure.
            share = min(0.99, share - (share * (1 - share) / BASELINE_DAYS) ** 0.5 / 2)
            if volumes is not None:
                share = min(share, 1 - _chance_of_none(volumes[day % 7]))
            there = arrivals[min(end - day, len(arrivals) - 1)]
            odds *= 1 - share * there
            expected += share >= _LEAST_PRESENCE and there >= _SURELY_THERE
        if not expected:
            return None
        return Silence(first=first, odds=odds, missed=expected)

    def is_told_alone(self, silence: Silence) -> bool:
        """Say whether one pair's silence is sure enough by itself."""
        return silence.missed >= self.missed_days and silence.odds <= self.chance

    def counts_among_many(self, silence: Silence) -> bool:
        """Say whether it counts where many are silent together."""
        return silence.missed >= self.missed_days_everywhere and silence.odds <= 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Expected reports that did not come, since the day `first`."""

    first: int
    odds: float
    missed: int


def _chance_of_none(mean: float) -> float:
    """Give the chance of a day without sessions where there are so many on average."""
    return float((1 + mean / _SPREAD) ** -_SPREAD)


def is_regular(presence: int, end: int) -> bool:
    """Say whether a pair reported on half of the twelve days up to `end`."""
    first = max(0, end - _RECENT_DAYS + 1)
    return (presence >> first).bit_count() * 2 >= _RECENT_DAYS
