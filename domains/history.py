"""The state of each domain on any past day, from today's state and the changes since, undone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, DateField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Cast, TruncDate

from domains.models import DomainQuerySet, RecordKind, RecordVersion, StateChange, Status

KINDS = ("tlsrpt-status", "sts-status", "sts-mode", "dane-status")
_VALID, _UNKNOWN = Status.VALID.value, Status.UNKNOWN.value
_MODE = re.compile(r"^mode:[ \t]*(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayState:
    """What one domain published on one day."""

    domain_id: int
    team_id: int | None
    known_from: date
    tlsrpt: str
    sts_status: str
    sts_mode: str
    dane: str

    @property
    def sts(self) -> str:
        """Give the mode where a usable policy stands, else its status."""
        return self.sts_mode or _UNKNOWN if self.sts_status == _VALID else self.sts_status


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """How many domains were in which state on one day."""

    day: date
    total: int
    tlsrpt: Counter[str]
    sts: Counter[str]
    dane: Counter[str]


class _Change(NamedTuple):
    """A confirmed change of a status; a tuple, because a year of a fleet has many thousands."""

    domain_id: int
    kind: str
    before: str
    pk: int


_Changes = dict[date, list[_Change]]


@dataclass(slots=True)
class _Held:
    """The state in which so many domains are while days are walked back."""

    team_id: int | None
    known_from: date
    tlsrpt: str
    sts_status: str
    sts_mode: str
    dane: str
    size: int = 1

    @property
    def sts(self) -> str:
        """Give the mode where a usable policy stands, else its status."""
        return self.sts_mode or _UNKNOWN if self.sts_status == _VALID else self.sts_status


def states_on(domains: DomainQuerySet, day: date) -> list[DayState]:
    """Give the state of each domain that was known on this day, at its end (UTC)."""
    states = _states_on(domains, _changes(domains, day))
    return [
        DayState(
            domain_id=pk,
            team_id=held.team_id,
            known_from=held.known_from,
            tlsrpt=held.tlsrpt,
            sts_status=held.sts_status,
            sts_mode=held.sts_mode,
            dane=held.dane,
        )
        for pk, held in states.items()
        if held.known_from <= day
    ]


def counts_by_team(domains: DomainQuerySet, day: date) -> list[tuple[int | None, DayCounts]]:
    """Give the counts of each team's domains on this day."""
    changes = _changes(domains, day)
    by_team: dict[int | None, _Tally] = {}
    changed = _states_on(domains.filter(pk__in=_changed(day)), changes)
    for held in (*_unchanged(domains, day), *changed.values()):
        if held.known_from <= day:
            by_team.setdefault(held.team_id, _Tally()).add(held, held.size)
    return [(team, tally.on(day)) for team, tally in by_team.items()]


def counts_by_day(domains: DomainQuerySet, since: date, until: date) -> list[DayCounts]:
    """Give the counts of every day of the span, in order.

    From today back: what a day brought is undone, and who came on it is taken out. So the work
    follows what has changed, and not domains times days.
    """
    changes = _changes(domains, since)
    policies = _policies(changes)
    changed = _states_now(domains.filter(pk__in=_changed(since)))
    came: defaultdict[date, list[_Held]] = defaultdict(list)
    tally = _Tally()
    day = datetime.now(tz=UTC).date()
    for held in (*_unchanged(domains, since), *changed.values()):
        if held.known_from <= day:
            came[held.known_from].append(held)
            tally.add(held, held.size)
    counts = []
    while day >= since:
        if day <= until:
            counts.append(tally.on(day))
        for change in changes.get(day, ()):
            if change.domain_id not in changed:
                continue  # it came between the two questions
            held = changed[change.domain_id]
            tlsrpt, sts, dane = held.tlsrpt, held.sts, held.dane
            _undo(held, change, policies)
            if held.known_from > day:
                continue
            # One of the three has changed, seldom none.
            for counter, after, before in (
                (tally.tlsrpt, tlsrpt, held.tlsrpt),
                (tally.sts, sts, held.sts),
                (tally.dane, dane, held.dane),
            ):
                if after != before:
                    counter[after] -= 1
                    counter[before] += 1
        for held in came[day]:
            tally.add(held, -held.size)
        day -= timedelta(days=1)
    return counts[::-1]


class _Tally:
    """Counts of states that go up and down."""

    def __init__(self) -> None:
        self.total = 0
        self.tlsrpt: Counter[str] = Counter()
        self.sts: Counter[str] = Counter()
        self.dane: Counter[str] = Counter()

    def add(self, held: _Held, size: int) -> None:
        """Count so many more domains in this state."""
        self.total += size
        self.tlsrpt[held.tlsrpt] += size
        self.sts[held.sts] += size
        self.dane[held.dane] += size

    def on(self, day: date) -> DayCounts:
        """Give the counts as they stand."""
        return DayCounts(
            day=day, total=self.total, tlsrpt=+self.tlsrpt, sts=+self.sts, dane=+self.dane
        )


def _states_on(domains: DomainQuerySet, changes: _Changes) -> dict[int, _Held]:
    """Give the states by domain with all these changes undone."""
    states = _states_now(domains)
    policies = _policies(changes)
    for day in sorted(changes, reverse=True):
        for change in changes[day]:
            if change.domain_id in states:
                _undo(states[change.domain_id], change, policies)
    return states


def _unchanged(domains: DomainQuerySet, since: date) -> list[_Held]:
    """Count the domains without a change by team, state and the day they were added.

    A hundred thousand domains are some hundred groups.
    """
    rows = (
        domains.exclude(pk__in=_changed(since))
        .order_by()
        .annotate(added_on=TruncDate("created_at"))
        .values_list("team", "added_on", *_STATES)
        .annotate(Count("pk"))
    )
    return [
        _held(team, added_on, tlsrpt, mta_sts, mode, dane, size)
        for team, added_on, tlsrpt, mta_sts, mode, dane, size in rows
    ]


_STATES = ("posture__tlsrpt", "posture__mta_sts", "posture__sts_mode", "posture__dane")


def _states_now(domains: DomainQuerySet) -> dict[int, _Held]:
    rows = domains.order_by().annotate(added_on=Cast("created_at", DateField()))
    return {pk: _held(*row) for pk, *row in rows.values_list("pk", "team", "added_on", *_STATES)}


def _held(
    team: int | None,
    known_from: date,
    tlsrpt: str | None,
    mta_sts: str | None,
    mode: str | None,
    dane: str | None,
    size: int = 1,
) -> _Held:
    return _Held(
        team,
        known_from,
        tlsrpt or _UNKNOWN,
        mta_sts or _UNKNOWN,
        mode or "",
        dane or _UNKNOWN,
        size,
    )


def _rows(since: date) -> QuerySet[StateChange]:
    return StateChange.objects.filter(
        kind__in=KINDS,
        confirmed_at__isnull=False,
        seen_at__gt=datetime.combine(since, time.max, UTC),
    )


def _changed(since: date) -> QuerySet[Any]:
    """Give the ids of domains with a change after a day."""
    return _rows(since).order_by().values("domain")


def _changes(domains: DomainQuerySet, since: date) -> _Changes:
    """Give the changes after a day, by day, the newest of each day first."""
    rows = _rows(since).filter(domain__in=domains.order_by().values("pk"))
    # Days, not moments: those take Python as long to read as all else here takes.
    days = rows.order_by("-seen_at", "-pk").annotate(day=Cast("seen_at", DateField()))
    by_day: defaultdict[date, list[_Change]] = defaultdict(list)
    for day, *change in days.values_list("day", *_Change._fields):
        by_day[day].append(_Change._make(change))
    return dict(by_day)


def _policies(changes: _Changes) -> dict[int, str]:
    """Give by change that lost a policy the text of that policy: the mode before stands there."""
    lost = [
        change.pk
        for rows in changes.values()
        for change in rows
        if change.kind == "sts-status" and change.before == _VALID
    ]
    if not lost:
        return {}
    earlier = RecordVersion.objects.filter(
        ~Q(content=""),
        domain=OuterRef("domain"),
        kind=RecordKind.POLICY,
        first_seen_at__lt=OuterRef("seen_at"),
    ).order_by("-first_seen_at")
    found = StateChange.objects.filter(pk__in=lost).annotate(
        policy=Subquery(earlier.values("content")[:1])
    )
    return {pk: policy for pk, policy in found.values_list("pk", "policy") if policy}


def _undo(held: _Held, change: _Change, policies: dict[int, str]) -> None:
    if change.kind == "tlsrpt-status":
        held.tlsrpt = change.before
    elif change.kind == "dane-status":
        held.dane = change.before
    elif change.kind == "sts-mode":
        held.sts_mode = change.before
    else:
        held.sts_status = change.before
        if change.before == _VALID:
            found = _MODE.search(policies.get(change.pk, ""))
            held.sts_mode = found[1] if found else held.sts_mode
