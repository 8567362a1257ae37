"""The backtest: the incidents there would have been, had the rules looked every day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from alerts import facts
from alerts.grouping import Cause
from alerts.models import Rule, RuleKind
from alerts.rules import DayFigures, read_failure_rate_rule
from alerts.services.evaluate import REOPEN_WITHIN, WINDOW_DAYS, current_causes, rule_scope


@dataclass(kw_only=True)
class Replayed:
    """One incident of the replay. `resolved_on` is None while it is open on the last day."""

    rule: str
    severity: str
    opened_on: date
    resolved_on: date | None
    cause: Cause
    domains: set[str]
    failed_sessions: int
    sessions: int

    @property
    def result_type(self) -> str:
        """Give the result type most sessions failed with."""
        return self.cause.result_type

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form."""
        return {
            "rule": self.rule,
            "severity": self.severity,
            "opened_on": self.opened_on.isoformat(),
            "resolved_on": self.resolved_on.isoformat() if self.resolved_on else None,
            "result_type": self.result_type or None,
            "reporters": list(self.cause.reporters),
            "receiving_mx": list(self.cause.receiving_mx),
            "domains": sorted(self.domains),
            "failed_sessions": self.failed_sessions,
            "sessions": self.sessions,
        }


def replay(days: Sequence[date], rules: Iterable[Rule] | None = None) -> Iterator[Replayed]:
    """Replay the days in order, each as if it were today, with only the complete days before it.

    Without `rules` (they need not be saved) those that are active. Reads the figures once; writes
    nothing.
    """
    if rules is None:
        rules = Rule.objects.filter(is_active=True, kind=RuleKind.FAILURE_RATE)
    for rule in rules:
        parameters = read_failure_rate_rule(rule.parameters)
        figures = facts.suspicious_days(
            rule_scope(rule),
            days[0] - timedelta(days=WINDOW_DAYS),
            days[-1] - timedelta(days=1),
            parameters,
        )
        yield from _replay_rule(rule, figures, days)


def _replay_rule(rule: Rule, figures: list[DayFigures], days: Sequence[date]) -> Iterator[Replayed]:
    by_day: dict[date, list[DayFigures]] = {}
    for day_figures in figures:
        by_day.setdefault(day_figures.day, []).append(day_figures)
    open_now: dict[str, Replayed] = {}
    closed: dict[str, Replayed] = {}
    finished: list[Replayed] = []
    for today in days:
        window = [
            row
            for back in range(1, WINDOW_DAYS + 1)
            for row in by_day.get(today - timedelta(days=back), ())
        ]
        causes = {cause.key: cause for cause in current_causes(rule, window, today)}
        for key, cause in causes.items():
            if key not in open_now:
                rested = closed.pop(key, None)
                if rested is not None and _is_recent(rested, today):
                    finished.remove(rested)
                    rested.resolved_on = None
                    open_now[key] = rested
                else:
                    open_now[key] = _open(rule, cause, today)
            _feed(open_now[key], cause)
        for key in [key for key in open_now if key not in causes]:
            over = open_now.pop(key)
            over.resolved_on = today
            closed[key] = over
            finished.append(over)
    yield from sorted(
        [*finished, *open_now.values()], key=lambda one: (one.opened_on, one.cause.key)
    )


def _is_recent(incident: Replayed, today: date) -> bool:
    return incident.resolved_on is not None and today - incident.resolved_on <= REOPEN_WITHIN


def _open(rule: Rule, cause: Cause, today: date) -> Replayed:
    return Replayed(
        rule=rule.name,
        severity=rule.severity,
        opened_on=today,
        resolved_on=None,
        cause=cause,
        domains=set(),
        failed_sessions=0,
        sessions=0,
    )


def _feed(incident: Replayed, cause: Cause) -> None:
    incident.domains |= set(cause.domains)
    # The window slides: the largest figures are those of the whole incident as far as it is seen.
    if cause.failed_sessions >= incident.failed_sessions:
        incident.cause = cause
        incident.failed_sessions = cause.failed_sessions
        incident.sessions = cause.sessions
