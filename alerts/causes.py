"""The open causes and what each day adds to them: one expired certificate, one cause; pure.

Live evaluation and backtest judge with this one book. The live one is read from the incidents
before and written back after; the backtest's lives in memory.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from alerts.rules.found import VAGUE_TYPES, BadDays, Found, RateRule
from alerts.rules.history import History, TypeFigures
from alerts.rules.regression import BASELINE_DAYS
from domains.operators import operator_of
from mailtls.catalogue.result_types import POLICY_HOST_TYPES

# A cause that returns within this time is the same incident again, not a new one.
REOPEN_WITHIN = timedelta(days=7)
# Without newer figures nobody knows that it is over; after this time it is let go.
LET_GO_AFTER = timedelta(days=14)
# Reporters' days begin at different hours, so one event can begin on two days.
SAME_START_DAYS = 1
# A domain with too few sessions to be judged joins what others show from this share on.
_SMALL_RATE = 0.2
# So many domains that began together share what they fail of.
_SHARED_BY = 5
# Reports of small domains come late, too: so many days of theirs are looked at.
_SMALL_JOIN_DAYS = 7


@dataclass(slots=True)
class Member:
    """A domain touched by a cause; days are indexes of the span."""

    first: int
    last: int
    usual_rate: float | None = None


@dataclass(slots=True, kw_only=True)
class Cause:
    """One cause with the domains it touches."""

    key: str
    result_type: str
    types: set[str]
    site: str
    hosts: set[str]
    since: int
    members: dict[str, Member]
    opened_on: date
    resolved_on: date | None = None
    # A person said it was over: the figures have not shown it, and are followed further.
    resolved_by_person: bool = False
    # Not judged by this rule: it is another rule's incident, and here to be joined, not doubled.
    is_foreign: bool = False

    @property
    def last(self) -> int:
        """Give the last failing day."""
        return max(member.last for member in self.members.values())


@dataclass(slots=True, kw_only=True)
class Figures:
    """The histories of the domains a rule looks at, and the first day of their span.

    `surges` names, by day, the result types and MX hosts at which far more sessions than usual
    failed, spread over many small domains; the host is empty for the policy host.
    """

    first_on: date
    span: int
    histories: dict[str, History]
    surges: dict[int, set[tuple[str, str]]] = field(default_factory=dict)

    def index(self, day: date) -> int:
        """Give the index of a day."""
        return (day - self.first_on).days

    def day(self, index: int) -> date:
        """Give the day of an index."""
        return self.first_on + timedelta(days=index)


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFigures:
    """What one cause did to one domain. The sessions are those of the failing days, from the first
    to the last of them."""

    first_on: date
    last_on: date
    failed_sessions: int = 0
    sessions: int = 0
    failed_first_on: date | None = None
    failed_last_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFigures:
    """A cause in figures, as incidents show it."""

    receiving_mx: tuple[str, ...]
    reporters: tuple[str, ...]
    domains: dict[str, DomainFigures]

    @property
    def failed_sessions(self) -> int:
        """Give the failed sessions of all domains."""
        return sum(row.failed_sessions for row in self.domains.values())

    @property
    def sessions(self) -> int:
        """Give all sessions of the failing days."""
        return sum(row.sessions for row in self.domains.values())

    @property
    def failed_first_on(self) -> date | None:
        """Give the first failing day."""
        return min(
            (row.failed_first_on or row.first_on for row in self.domains.values()), default=None
        )

    @property
    def failed_last_on(self) -> date | None:
        """Give the last failing day."""
        return max(
            (row.failed_last_on or row.last_on for row in self.domains.values()), default=None
        )


class Book:
    """The causes of one rule: those that are open, and those that rest for some days."""

    def __init__(self, rule: RateRule, figures: Figures, causes: Iterable[Cause] = ()) -> None:
        self.rule = rule
        self.figures = figures
        self.causes = list(causes)

    @property
    def open(self) -> Iterator[Cause]:
        """Give the causes that are not over."""
        return (cause for cause in self.causes if cause.resolved_on is None)

    def judge(self, today: date, look_back: int = 1) -> None:
        """Judge the complete days before `today` that may have changed, then what is over.

        `look_back` is 1 where all earlier days have been judged with the same figures; reports
        come late, so the live evaluation looks at more.
        """
        end = self.figures.index(today)
        for day in range(max(0, end - look_back), min(end, self.figures.span)):
            self._look(day, today)
        self._follow(min(end, self.figures.span))
        for cause in list(self.open):
            if not cause.is_foreign and self._is_over(cause, today):
                cause.resolved_on = today

    def sum_up(self, cause: Cause, end: int) -> CauseFigures:
        """Give the figures of a cause over the days before `end`."""
        receiving_mx: Counter[str] = Counter()
        reporters: Counter[str] = Counter()
        domains = {}
        for name, member in sorted(cause.members.items()):
            history = self.figures.histories.get(name)
            if history is None:
                continue
            sessions = failed = 0
            bad_days = list(self._bad_days(cause, history, member, end))
            for day in bad_days:
                sessions += history.sessions[day]
                failed += _failed_on(cause, history, day)
                told_by = False
                for result_type in cause.types & history.types.keys():
                    held = history.types[result_type]
                    told_by = told_by or day in held.reporters
                    reporters.update(held.reporters.get(day, ()))
                    receiving_mx.update(held.receiving_mx.get(day, ()))
                if not told_by:
                    reporters.update(history.failures_from.get(day, ()))
            domains[name] = DomainFigures(
                first_on=self.figures.day(member.first),
                last_on=self.figures.day(member.last),
                failed_sessions=failed,
                sessions=max(sessions, failed),
                failed_first_on=self.figures.day(bad_days[0]) if bad_days else None,
                failed_last_on=self.figures.day(bad_days[-1]) if bad_days else None,
            )
        receiving_mx.pop("", None)
        return CauseFigures(
            receiving_mx=tuple(host for host, _ in receiving_mx.most_common(20)),
            reporters=tuple(name for name, _ in reporters.most_common(20)),
            domains=domains,
        )

    def _look(self, day: int, today: date) -> None:
        known: dict[str, set[str]] = defaultdict(set)
        bad: dict[str, BadDays] = defaultdict(BadDays)
        for cause in self.causes:
            for name, member in cause.members.items():
                bad[name].add(cause.types, range(member.first, member.last + 1))
                if cause.resolved_on is None:
                    known[name] |= cause.types
        found: list[Found] = []
        surging = self.surging(day)
        for name, history in self.figures.histories.items():
            if not any(history.failures_from.get(d) for d in range(day - 6, day + 1)):
                continue
            seen = self.rule.look(history, day, known.get(name, ()), bad.get(name, BadDays()))
            found += seen
            if surging and not seen:
                found += _in_surge(history, day, surging, known.get(name, ()))
        for one in sorted(found, key=lambda one: (one.site == "", -one.weight, one.domain)):
            self._place(one, today)

    def surging(self, day: int) -> set[tuple[str, str]]:
        """Give what surges on a day; a plain threshold knows no surge."""
        return self.figures.surges.get(day, set())

    def _place(self, found: Found, today: date) -> None:
        """Join the finding to the cause it belongs to, wake one that rests, or open a new one."""
        cause = self._find_cause(found, today)
        if cause is None:
            cause = Cause(
                key=self._new_key(found),
                result_type=found.result_type,
                types=set(found.types),
                site=found.site,
                hosts=set(found.hosts),
                since=found.first,
                members={},
                opened_on=today,
            )
            self.causes.append(cause)
        elif cause.resolved_on is not None:
            if found.last <= cause.last:
                return  # what people closed returns only when newer days fail
            cause.resolved_on = None
        if cause.is_foreign:
            return
        cause.hosts |= found.hosts
        cause.site = cause.site or found.site
        cause.since = min(cause.since, found.first)
        if found.result_type not in VAGUE_TYPES and cause.result_type in VAGUE_TYPES:
            cause.result_type = found.result_type
        cause.types |= found.types
        member = cause.members.get(found.domain)
        if member is None:
            cause.members[found.domain] = Member(found.first, found.last)
        else:
            member.first = min(member.first, found.first)
            member.last = max(member.last, found.last)

    def _find_cause(self, found: Found, today: date) -> Cause | None:
        matches = []
        for cause in self.causes:
            if cause.resolved_on is not None and today - cause.resolved_on > REOPEN_WITHIN:
                continue
            rank = self._rank(cause, found)
            if rank:
                matches.append((cause.resolved_on is not None, rank, cause.since, cause.key, cause))
        return min(matches, key=lambda match: match[:4])[4] if matches else None

    def _rank(self, cause: Cause, found: Found) -> int:
        """Give how surely a finding belongs to a cause, 1 the surest, 0 for not at all."""
        is_same_type = bool(cause.types & found.types)
        is_same_start = self._is_same_start(cause, found)
        is_same_site = bool(found.site) and cause.site == found.site
        is_vague = "" in found.types or bool(cause.types & VAGUE_TYPES)
        is_vague = is_vague or found.types <= VAGUE_TYPES
        is_member = found.domain in cause.members
        if is_member and (is_same_type or "" in found.types):
            return 1
        if is_same_type and is_same_site and (is_same_start or cause.hosts & found.hosts):
            return 2
        if is_same_type and is_same_site and not found.hosts and not cause.hosts:
            return 2  # the policy host they share
        is_same_host = bool(cause.hosts & found.hosts)
        if is_same_site and is_same_start and (is_member or (is_vague and is_same_host)):
            return 3
        if is_member and is_same_host and is_vague and cause.resolved_on is None:
            return 3  # another reporter, later, tells of what goes on there
        if is_same_type and not (found.site and cause.site):
            # What many domains share goes on: the next that fails so meanwhile has it from there.
            is_shared = len(cause.members) >= _SHARED_BY and _goes_on(cause, found)
            if is_same_start or is_shared:
                return 4 if self._is_same_team(cause, found) else 0
        return 0

    def _is_same_start(self, cause: Cause, found: Found) -> bool:
        """Say whether it began with the cause, even if only later days made it sure."""
        if abs(cause.since - found.first) <= SAME_START_DAYS:
            return True
        history = self.figures.histories[found.domain]
        return found.first > cause.since and _began_at(history, found.types, cause.since)

    def _is_same_team(self, cause: Cause, found: Found) -> bool:
        """Say whether a domain of the cause belongs to the same team, or neither to any."""
        team = self.figures.histories[found.domain].team
        histories = self.figures.histories
        return any(histories[name].team == team for name in cause.members if name in histories)

    def _new_key(self, found: Found) -> str:
        what = found.result_type or "unexplained"
        taken = {cause.key for cause in self.causes if cause.resolved_on is None}
        host = min(found.hosts, default="")
        for place in (found.site, host, found.domain):
            if place and f"{what}@{place}" not in taken:
                return f"{what}@{place}"
        return f"{what}@{found.domain} {self.figures.day(found.first)}"

    def _follow(self, end: int) -> None:
        """Let the days after a member's last failing one extend it, and small domains join. What a
        person resolved wakes when it goes on."""
        for cause in self.causes:
            is_followed = cause.resolved_on is None or cause.resolved_by_person
            if cause.is_foreign or not is_followed:
                continue
            last = cause.last
            for name, member in cause.members.items():
                history = self.figures.histories.get(name)
                if history is not None:
                    for day in range(max(0, member.last + 1), end):
                        if self._is_bad(cause, history, member, day):
                            member.last = day
            if cause.last > last:
                cause.resolved_on = None
        self._join_small(end)

    def _join_small(self, end: int) -> None:
        """Let domains with too few sessions to be found alone join what is open at their MX."""
        by_type: dict[str, list[Cause]] = defaultdict(list)
        for cause in self.open:
            if not cause.is_foreign and cause.hosts:
                for result_type in cause.types - VAGUE_TYPES - POLICY_HOST_TYPES:
                    by_type[result_type].append(cause)
        if not by_type or end <= 0:
            return
        for name, history in self.figures.histories.items():
            for result_type in by_type.keys() & history.types.keys():
                held = history.types[result_type]
                for cause in by_type[result_type]:
                    if name in cause.members:
                        continue
                    first = max(0, cause.since, end - _SMALL_JOIN_DAYS)
                    days = [
                        day
                        for day in range(first, end)
                        if cause.hosts & held.receiving_mx.get(day, {}).keys()
                        and _is_share(history, held, day)
                    ]
                    if days:
                        cause.members[name] = Member(days[0], days[-1])
                        break

    def _is_bad(self, cause: Cause, history: History, member: Member, day: int) -> bool:
        if member.usual_rate is None:
            member.usual_rate = _usual_rate(cause, history, member.first)
        failed = _failed_on(cause, history, day)
        return self.rule.is_still_bad(history.sessions[day], failed, member.usual_rate)

    def _bad_days(self, cause: Cause, history: History, member: Member, end: int) -> Iterator[int]:
        for day in range(max(0, member.first), min(member.last + 1, end)):
            is_edge = day in {member.first, member.last}
            if is_edge or self._is_bad(cause, history, member, day):
                yield day

    def _is_over(self, cause: Cause, today: date) -> bool:
        """Say whether enough days with sessions and without failures followed the last bad one."""
        last = cause.last
        if self.figures.day(last) < today - LET_GO_AFTER:
            return True
        end = min(self.figures.index(today), self.figures.span)
        clean = {
            day
            for name in cause.members
            if name in self.figures.histories
            for day in range(max(0, last + 1), end)
            if self.figures.histories[name].sessions[day]
        }
        return len(clean) >= self.rule.clean_days


def _in_surge(
    history: History, day: int, surging: set[tuple[str, str]], known: Iterable[str]
) -> Iterator[Found]:
    """Give what a small domain adds to a surge: a fifth of its sessions failed that way."""
    for result_type, host in sorted(surging):
        held = history.types.get(result_type)
        if held is None or result_type in known or not _is_share(history, held, day):
            continue
        if host and not held.receiving_mx[day][host]:
            continue
        yield Found(
            domain=history.domain,
            result_type=result_type,
            site=operator_of(host) if host else history.policy_site,
            hosts=frozenset({host} - {""}),
            first=day,
            last=day,
            weight=held.by_day[day],
        )


def _is_share(history: History, figures: TypeFigures, day: int) -> bool:
    """Say whether so many sessions of the day failed that way that it is no stray one."""
    return 0 < figures.by_day[day] >= history.sessions[day] * _SMALL_RATE


def _goes_on(cause: Cause, found: Found) -> bool:
    """Say whether the days of an open cause and of a finding meet."""
    is_open = cause.resolved_on is None
    return is_open and found.first <= cause.last + 1 and found.last >= cause.since


def _began_at(history: History, types: frozenset[str], since: int) -> bool:
    """Say whether a domain failed so when a cause began, and not in the week before."""
    figures = [history.types[name].by_day for name in types & history.types.keys()]
    first = max(0, since - SAME_START_DAYS)
    began = any(any(by_day[first : since + SAME_START_DAYS + 1]) for by_day in figures)
    return began and not any(any(by_day[max(0, first - 7) : first]) for by_day in figures)


def _failed_on(cause: Cause, history: History, day: int) -> int:
    """Give the sessions that failed by this cause.

    Counts come from the reports' summaries; the details say only which share of them it is.
    """
    failures = history.failures[day]
    told = sum(held.by_day[day] for held in history.types.values())
    mine = sum(history.types[name].by_day[day] for name in cause.types & history.types.keys())
    if "" in cause.types or not told:
        return failures
    if not failures:  # counted under another policy type
        return mine
    return round(failures * mine / told) if mine else 0


def _usual_rate(cause: Cause, history: History, first: int) -> float:
    days = range(max(0, first - BASELINE_DAYS), max(0, first))
    sessions = sum(history.sessions[day] for day in days)
    failed = sum(_failed_on(cause, history, day) for day in days)
    return failed / sessions if sessions else 0.0
