"""The figures of one domain, day by day, as the rules look at them; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import accumulate


class Series:
    """Sessions and failures by day (an index from the start of the span), summed quickly."""

    __slots__ = ("_failed", "_total", "failures", "sessions")

    def __init__(self, sessions: list[int], failures: list[int]) -> None:
        self.sessions = sessions
        self.failures = failures
        self._total = [0, *accumulate(sessions)]
        self._failed = [0, *accumulate(failures)]

    def sum(self, first: int, end: int, without: Collection[int] = ()) -> tuple[int, int]:
        """Give (sessions, failures) of the days `first` to before `end`, some left out."""
        first = max(0, first)
        if end <= first:
            return 0, 0
        total = self._total[end] - self._total[first]
        failed = self._failed[end] - self._failed[first]
        for day in without:
            if first <= day < end:
                total -= self.sessions[day]
                failed -= self.failures[day]
        return total, failed

    def days(self, first: int, end: int, without: Collection[int] = ()) -> Iterator[int]:
        """Give the days with sessions."""
        for day in range(max(0, first), end):
            if self.sessions[day] and day not in without:
                yield day


@dataclass(slots=True)
class TypeFigures:
    """Failed sessions of one result type: by day, and by day at which MX and from whom."""

    by_day: list[int]
    receiving_mx: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    reporters: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


class History:
    """What reporters say of one domain, by day.

    `team` and `policy_site` are what it shares with other domains, where that is known.
    """

    __slots__ = (
        "_series",
        "domain",
        "failures",
        "failures_from",
        "policy_site",
        "sessions",
        "span",
        "team",
        "types",
        "under",
    )

    def __init__(
        self, domain: str, span: int, team: int | None = None, policy_site: str = ""
    ) -> None:
        self.domain = domain
        self.span = span
        self.team = team
        self.policy_site = policy_site
        # Those that count: never sts and tlsa both.
        self.sessions = [0] * span
        self.failures = [0] * span
        # By reporter and policy type, as reported.
        self.under: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
        self.failures_from: dict[int, Counter[str]] = defaultdict(Counter)
        self.types: dict[str, TypeFigures] = {}
        self._series: dict[object, Series] = {}

    def add_sessions(
        self,
        day: int,
        reporter: str,
        policy_type: str,
        reported: tuple[int, int],
        counted: tuple[int, int],
    ) -> None:
        """Add one reporter's (successes, failures) of a day, as reported and as counted."""
        self.sessions[day] += counted[0] + counted[1]
        self.failures[day] += counted[1]
        held = self.under.get((reporter, policy_type))
        if held is None:
            held = self.under[reporter, policy_type] = ([0] * self.span, [0] * self.span)
        held[0][day] += reported[0] + reported[1]
        held[1][day] += reported[1]
        if reported[1]:
            seen = self.failures_from[day]
            seen[reporter] = max(seen[reporter], reported[1])

    def add_failures(
        self, day: int, result_type: str, receiving_mx: str, reporter: str, failed: int
    ) -> None:
        """Add the failed sessions of one cause."""
        held = self.types.get(result_type)
        if held is None:
            held = self.types[result_type] = TypeFigures([0] * self.span)
        held.by_day[day] += failed
        held.receiving_mx[day][receiving_mx] += failed
        held.reporters[day][reporter] += failed

    def whole(self) -> Series:
        """Give the sessions and failures of the domain."""
        return self._kept("", self.sessions, self.failures)

    def of_type(self, result_type: str) -> Series:
        """Give the failures of one result type among all sessions."""
        return self._kept(("type", result_type), self.sessions, self.types[result_type].by_day)

    def of_reporter(self, reporter: str, policy_type: str) -> Series:
        """Give what one reporter says under one policy type."""
        return self._kept((reporter, policy_type), *self.under[reporter, policy_type])

    def _kept(self, key: object, sessions: list[int], failures: list[int]) -> Series:
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(sessions, failures)
        return found
