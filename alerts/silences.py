"""Joins the silences of pairs of domain and reporter into causes; pure.

A reporter that is silent at most domains is one cause, a domain that hears from nobody another,
and when nobody tells of anything it is the portal's own intake.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType

from alerts.causes import REOPEN_WITHIN
from alerts.rules.kinds import Severity
from alerts.rules.silence import (
    BASELINE_DAYS,
    ON_TIME,
    Arrivals,
    Silence,
    SilenceRule,
    Volumes,
)

Pair = tuple[str, str]  # domain, reporter
_FEWEST_TOGETHER = 5
_RENAMED_WITHIN_DAYS = 4


class SilenceKind(StrEnum):
    """Who is silent."""

    REPORTER = "silent-reporter"  # everywhere
    DOMAIN = "silent-domain"  # nobody tells of it any more
    PAIR = "silent-pair"  # one reporter about some domains
    INTAKE = "silent-intake"  # nothing comes in at all


SEVERITY = {
    SilenceKind.REPORTER: Severity.MEDIUM,
    SilenceKind.DOMAIN: Severity.MEDIUM,
    SilenceKind.PAIR: Severity.LOW,
    SilenceKind.INTAKE: Severity.CRITICAL,
}


@dataclass(slots=True, kw_only=True)
class SilentCause:
    """One cause of silence; `first` by domain is the first missed day, an index of the span."""

    kind: SilenceKind
    reporters: set[str]
    team: int | None
    first: dict[str, int]
    since: int
    last: int
    key: str
    opened_on: date
    resolved_on: date | None = None
    # A person said it was over, and nothing had come.
    resolved_by_person: bool = False


class SilenceBook:
    """The silences that are open, and those that ended some days ago."""

    def __init__(
        self, rule: SilenceRule, first_on: date, causes: Iterable[SilentCause] = ()
    ) -> None:
        self.rule = rule
        self.first_on = first_on
        self.causes = list(causes)

    def judge(
        self,
        today: date,
        presence: Mapping[Pair, int],
        regular: Mapping[str, int],
        teams: Mapping[str, int | None],
        arrivals: Mapping[str, Arrivals] = MappingProxyType({}),
        volumes: Mapping[Pair, Volumes] = MappingProxyType({}),
    ) -> None:
        """Judge the silence on the last complete day before `today`.

        `presence` holds every reporter of each domain that may be silent; `regular` how many
        domains each reporter tells of regularly, silent ones included; `arrivals` how late the
        reports of each reporter come, `volumes` how many sessions they have, where that is known.
        """
        end = (today - self.first_on).days - 1
        silent = {
            pair: silence
            for pair, bits in presence.items()
            if (
                silence := self.rule.missed(
                    bits, end, arrivals.get(pair[1], ON_TIME), volumes.get(pair)
                )
            )
            is not None
        }
        for kind, reporter, team, first in self._find(silent, presence, regular, teams, end):
            self._place(kind, reporter, team, first, end, today)
        for cause in self.causes:
            if cause.resolved_on is None and self._is_over(cause, presence, end):
                cause.resolved_on = today

    def _find(
        self,
        silent: Mapping[Pair, Silence],
        presence: Mapping[Pair, int],
        regular: Mapping[str, int],
        teams: Mapping[str, int | None],
        end: int,
    ) -> Iterator[tuple[SilenceKind, str, int | None, dict[str, int]]]:
        among_many: dict[str, dict[str, int]] = defaultdict(dict)
        for (domain, reporter), silence in silent.items():
            if self.rule.counts_among_many(silence):
                among_many[reporter][domain] = silence.first
        everywhere = {
            reporter
            for reporter, domains in among_many.items()
            if len(domains) >= max(_FEWEST_TOGETHER, regular.get(reporter, 0) / 2)
        }
        renamed = {name for name in everywhere if _has_new_name(name, among_many[name], presence)}
        if everywhere and not renamed and not set(regular) - everywhere:
            together: dict[str, int] = {}
            for reporter in everywhere:
                together |= among_many[reporter]
            yield SilenceKind.INTAKE, "", None, together
            return
        for reporter in sorted(everywhere - renamed):
            yield SilenceKind.REPORTER, reporter, None, among_many[reporter]
        left = {pair: held for pair, held in silent.items() if pair[1] not in everywhere}
        yield from self._find_single(left, presence, teams, end)

    def _find_single(
        self,
        silent: Mapping[Pair, Silence],
        presence: Mapping[Pair, int],
        teams: Mapping[str, int | None],
        end: int,
    ) -> Iterator[tuple[SilenceKind, str, int | None, dict[str, int]]]:
        """Find domains that nobody tells of, and pairs that are silent for themselves."""
        by_domain: dict[str, dict[str, Silence]] = defaultdict(dict)
        for (domain, reporter), silence in silent.items():
            by_domain[domain][reporter] = silence
        telling = {
            domain
            for (domain, reporter), bits in presence.items()
            if bits >> max(0, end - self.rule.missed_days + 1)
        }
        for domain, held in sorted(by_domain.items()):
            team = teams.get(domain)
            if domain not in telling:
                least = min(silence.missed for silence in held.values())
                # Not multiplied: all of them are silent when nobody writes to the domain.
                odds = min(silence.odds for silence in held.values())
                if least >= self.rule.missed_days and odds <= self.rule.chance:
                    first = max(silence.first for silence in held.values())
                    yield SilenceKind.DOMAIN, "", team, {domain: first}
                continue
            for reporter, silence in sorted(held.items()):
                if self.rule.is_told_alone(silence):
                    yield SilenceKind.PAIR, reporter, None, {domain: silence.first}

    def _place(
        self,
        kind: SilenceKind,
        reporter: str,
        team: int | None,
        first: dict[str, int],
        end: int,
        today: date,
    ) -> None:
        since = min(first.values())
        for cause in self.causes:
            if cause.resolved_on is not None and today - cause.resolved_on > REOPEN_WITHIN:
                continue
            is_same = cause.kind == kind and cause.team == team
            is_same = is_same and (not reporter or reporter in cause.reporters)
            # What begins within a day has one cause; who was silent already stays where it was.
            is_near = abs(cause.since - since) <= 1 or kind in {
                SilenceKind.REPORTER,
                SilenceKind.INTAKE,
            }
            is_widened = (
                kind is SilenceKind.REPORTER
                and cause.kind is SilenceKind.PAIR
                and reporter in cause.reporters
                and abs(cause.since - since) <= 1
            )
            known = first.keys() & cause.first.keys()
            if self._is_explained(cause, kind, reporter, since):
                return
            if (is_same and (is_near or known)) or is_widened:
                goes_on = cause.resolved_by_person and end > cause.last
                if cause.resolved_on is not None and since <= cause.last and not goes_on:
                    return
                cause.resolved_on = None
                cause.kind = kind
                cause.first |= {name: day for name, day in first.items() if name not in known}
                cause.last = end
                return
        place = reporter or (f"team {team}" if team is not None else min(first))
        self.causes.append(
            SilentCause(
                kind=kind,
                reporters={reporter} if reporter else set(),
                team=team,
                first=dict(first),
                since=since,
                last=end,
                key=f"{kind.value}@{place} {self.first_on + timedelta(days=since)}",
                opened_on=today,
            )
        )

    def _is_explained(
        self, cause: SilentCause, kind: SilenceKind, reporter: str, since: int
    ) -> bool:
        """Say whether one domain's silence is what is left of a reporter's that is over."""
        return (
            kind is SilenceKind.PAIR
            and cause.kind is SilenceKind.REPORTER
            and reporter in cause.reporters
            and cause.since - 1 <= since <= cause.last + 1
        )

    def _is_over(self, cause: SilentCause, presence: Mapping[Pair, int], end: int) -> bool:
        """Say whether half of the domains are heard of again, or it is the new normal."""
        if end - cause.since >= BASELINE_DAYS:
            return True
        back = 0
        for domain, first in cause.first.items():
            names = cause.reporters or {name for held, name in presence if held == domain}
            back += any(presence.get((domain, name), 0) >> first for name in names)
        return back * 2 >= len(cause.first)


def _has_new_name(reporter: str, first: Mapping[str, int], presence: Mapping[Pair, int]) -> bool:
    """Say whether another reporter began where this one ended: it only calls itself otherwise."""
    begins: Counter[str] = Counter()
    for (domain, name), bits in presence.items():
        if domain in first and name != reporter:
            earliest = (bits & -bits).bit_length() - 1
            begins[name] += bits > 0 and abs(earliest - first[domain]) <= _RENAMED_WITHIN_DAYS
    return any(count * 2 >= len(first) for count in begins.values())
