"""What counts as a failing day, by rule; pure.

Figures go in day by day and domain by domain; out come the days on which a rule finds something.
Grouping by shared cause: `alerts.grouping`. Opening and closing incidents: `alerts.services`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFigures:
    """Failed sessions of one cause on one day; an empty `receiving_mx` was not reported."""

    result_type: str
    receiving_mx: str
    reporter: str
    failed_sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What reporters say of one domain and one UTC day, counted by the counting rule."""

    domain: str
    day: date
    sessions: int
    failures: int
    reporters: tuple[str, ...] = ()
    causes: tuple[CauseFigures, ...] = ()

    @property
    def failure_rate(self) -> float:
        """Give the share of sessions that failed, 0.0 to 1.0."""
        return self.failures / self.sessions if self.sessions else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRateRule:
    """A plain threshold with a floor under the volume, so that one failed session of one is none.

    `threshold` is a share (0.05 is 5 %). An incident is over after `clean_days` days with
    sessions and without a failing one.
    """

    threshold: float = 0.05
    minimum_sessions: int = 20
    minimum_failed_sessions: int = 5
    clean_days: int = 2

    def finds(self, figures: DayFigures) -> bool:
        """Say whether the day is a failing one."""
        return (
            figures.sessions >= self.minimum_sessions
            and figures.failures >= self.minimum_failed_sessions
            and figures.failure_rate > self.threshold
        )


def read_failure_rate_rule(parameters: Mapping[str, object]) -> FailureRateRule:
    """Build the rule from its stored parameters; raises ValueError naming the wrong one."""
    rule = FailureRateRule()
    known = {
        "threshold": rule.threshold,
        "minimum_sessions": rule.minimum_sessions,
        "minimum_failed_sessions": rule.minimum_failed_sessions,
        "clean_days": rule.clean_days,
    }
    unknown = set(parameters) - set(known)
    if unknown:
        raise ValueError(f"The rule knows no parameter {sorted(unknown)[0]!r}.")
    values = {**known, **parameters}
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} is {value!r}; it takes a number.")  # noqa: TRY004
    threshold = float(values["threshold"])  # type: ignore[arg-type]
    if not 0 < threshold < 1:
        raise ValueError(f"threshold is {threshold}; it takes a share between 0 and 1.")
    counts = {}
    for name in ("minimum_sessions", "minimum_failed_sessions", "clean_days"):
        counts[name] = int(values[name])  # type: ignore[call-overload]
        if counts[name] < 1:
            raise ValueError(f"{name} is {counts[name]}; it takes 1 or more.")
    return FailureRateRule(threshold=threshold, **counts)


def failing_days(rule: FailureRateRule, figures: Iterable[DayFigures]) -> list[DayFigures]:
    """Give the days on which the rule finds something, in the order they came."""
    return [day for day in figures if rule.finds(day)]
