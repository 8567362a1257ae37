"""A plain threshold on the failure rate, for those who want one; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from alerts.rules.found import BadDays, Found, describe, heaviest
from alerts.rules.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRateRule:
    """A threshold with a floor under the volume, so that one failed session of one is none.

    `threshold` is a share (0.05 is 5 %). What it finds is over after `clean_days` days with
    sessions and without a failing one.
    """

    threshold: float = 0.05
    minimum_sessions: int = 20
    minimum_failed_sessions: int = 5
    clean_days: int = 2

    def finds(self, sessions: int, failures: int) -> bool:
        """Say whether a day is a failing one."""
        return (
            sessions >= self.minimum_sessions
            and failures >= self.minimum_failed_sessions
            and failures > sessions * self.threshold
        )

    def look(self, history: History, end: int, known: Collection[str], bad: BadDays) -> list[Found]:
        """Give the type most sessions of a failing day failed with; nothing where it is open."""
        if not self.finds(history.sessions[end], history.failures[end]):
            return []
        types = Counter({name: held.by_day[end] for name, held in history.types.items()})
        heavy = heaviest(+types)
        return [] if heavy in known else [describe(history, heavy, end, end)]

    def is_still_bad(self, sessions: int, failures: int, usual_rate: float) -> bool:
        """Say whether the day is a failing one; what is usual does not matter to a threshold."""
        return self.finds(sessions, failures)
