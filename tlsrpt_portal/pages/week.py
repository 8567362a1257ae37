"""The last seven complete days against the seven before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.queries import DayFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Sessions and failures of two weeks."""

    sessions: int
    failures: int
    sessions_before: int
    failures_before: int

    @property
    def sessions_change(self) -> float | None:
        """Give the change of sessions in per cent, None without any before."""
        if not self.sessions_before:
            return None
        return 100 * (self.sessions - self.sessions_before) / self.sessions_before

    @property
    def rate_change(self) -> float | None:
        """Give the change of the failure rate in percentage points, None where one is unknown."""
        if not self.sessions or not self.sessions_before:
            return None
        now = self.failures / self.sessions
        return 100 * (now - self.failures_before / self.sessions_before)


def compare_weeks(figures: Sequence[DayFigures]) -> Week:
    """Compare the last seven of at least fourteen days with the seven before them."""
    last, before = figures[-7:], figures[-14:-7]
    return Week(
        sessions=sum(day.sessions for day in last),
        failures=sum(day.failures for day in last),
        sessions_before=sum(day.sessions for day in before),
        failures_before=sum(day.failures for day in before),
    )
