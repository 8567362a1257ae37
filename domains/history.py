"""The state of each domain on any past day, from today's state and the changes since, undone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain

from django.db.models import Count, Q
from django.db.models.functions import TruncDate

from domains.models import DomainQuerySet, RecordKind, RecordVersion, StateChange, Status

KINDS = ("tlsrpt-status", "sts-status", "sts-mode", "dane-status")
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
        return self.sts_mode or "unknown" if self.sts_status == Status.VALID else self.sts_status


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """How many domains were in which state on one day."""

    day: date
    total: int
    tlsrpt: Counter[str]
    sts: Counter[str]
    dane: Counter[str]


def states_on(domains: DomainQuerySet, day: date) -> list[DayState]:
    """Give the state of each domain that was known on this day, at its end (UTC)."""
    states = _states_now(domains)
    for found in _walk_back(states, _changes(domains, day), day):
        if found == day:
            return [state for state in states.values() if state.known_from <= day]
    return []


def counts_by_team(domains: DomainQuerySet, day: date) -> list[tuple[int | None, DayCounts]]:
    """Give the counts of each team's domains on this day."""
    changes = _changes(domains, day)
    changed = _states_now(_changed(domains, changes))
    still = _groups(domains, changes)
    for found in _walk_back(changed, changes, day):
        if found == day:
            teams = {state.team_id for state in changed.values()}
            teams |= {group.state.team_id for group in still}
            counts = {
                team: _count(
                    day,
                    [state for state in changed.values() if state.team_id == team],
                    [group for group in still if group.state.team_id == team],
                )
                for team in teams
            }
            return [(team, one) for team, one in counts.items() if one.total]
    return []


def counts_by_day(domains: DomainQuerySet, since: date, until: date) -> list[DayCounts]:
    """Give the counts of every day of the span, in order."""
    changes = _changes(domains, since)
    changed = _states_now(_changed(domains, changes))
    still = _groups(domains, changes)
    counts = [
        _count(day, changed.values(), still)
        for day in _walk_back(changed, changes, since)
        if day <= until
    ]
    return counts[::-1]


@dataclass(frozen=True, slots=True)
class _Group:
    """So many domains that were in one state all the time."""

    state: DayState
    size: int


def _count(day: date, changed: Iterable[DayState], still: Iterable[_Group]) -> DayCounts:
    counts = DayCounts(day=day, total=0, tlsrpt=Counter(), sts=Counter(), dane=Counter())
    total = 0
    rows = chain(((group.state, group.size) for group in still), ((one, 1) for one in changed))
    for state, size in rows:
        if state.known_from <= day:
            total += size
            counts.tlsrpt[state.tlsrpt] += size
            counts.sts[state.sts] += size
            counts.dane[state.dane] += size
    return replace(counts, total=total)


def _walk_back(
    states: dict[int, DayState], changes: dict[date, list[StateChange]], since: date
) -> Iterator[date]:
    """Give each day from today back to `since` while `states` holds what stood at its end."""
    modes = _modes(changes)
    day = datetime.now(tz=UTC).date()
    while day >= since:
        yield day
        # To stand at the end of the day before, what this day brought is undone, newest first.
        for change in changes.get(day, []):
            if change.domain_id in states:
                held = states[change.domain_id]
                states[change.domain_id] = _undo(held, change, modes)
        day -= timedelta(days=1)


def _changed(domains: DomainQuerySet, changes: dict[date, list[StateChange]]) -> DomainQuerySet:
    return domains.filter(pk__in=_ids(changes))


def _ids(changes: dict[date, list[StateChange]]) -> set[int]:
    return {change.domain_id for rows in changes.values() for change in rows}


def _groups(domains: DomainQuerySet, changes: dict[date, list[StateChange]]) -> list[_Group]:
    """Count the domains without a change by team, state and the day they were added.

    A hundred thousand domains are some hundred groups.
    """
    fields = ("team", "posture__tlsrpt", "posture__mta_sts", "posture__sts_mode", "posture__dane")
    rows = (
        domains.exclude(pk__in=_ids(changes))
        .order_by()
        .annotate(added_on=TruncDate("created_at"))
        .values_list("added_on", *fields)
        .annotate(Count("pk"))
    )
    return [
        _Group(_state(0, team, added_on, tlsrpt, mta_sts, mode, dane), size)
        for added_on, team, tlsrpt, mta_sts, mode, dane, size in rows
    ]


def _states_now(domains: DomainQuerySet) -> dict[int, DayState]:
    rows = domains.order_by().values_list(
        "pk",
        "team",
        "created_at",
        "posture__tlsrpt",
        "posture__mta_sts",
        "posture__sts_mode",
        "posture__dane",
    )
    return {
        pk: _state(pk, team, created_at.date(), tlsrpt, mta_sts, mode, dane)
        for pk, team, created_at, tlsrpt, mta_sts, mode, dane in rows
    }


def _state(
    pk: int,
    team: int | None,
    known_from: date,
    tlsrpt: str | None,
    mta_sts: str | None,
    mode: str | None,
    dane: str | None,
) -> DayState:
    unknown = Status.UNKNOWN.value
    return DayState(
        domain_id=pk,
        team_id=team,
        known_from=known_from,
        tlsrpt=tlsrpt or unknown,
        sts_status=mta_sts or unknown,
        sts_mode=mode or "",
        dane=dane or unknown,
    )


def _changes(domains: DomainQuerySet, since: date) -> dict[date, list[StateChange]]:
    rows = StateChange.objects.filter(
        domain__in=domains.order_by().values("pk"),
        kind__in=KINDS,
        confirmed_at__isnull=False,
        seen_at__gt=datetime.combine(since, time.max, UTC),
    ).defer("findings")
    by_day: defaultdict[date, list[StateChange]] = defaultdict(list)
    for change in rows.order_by("-seen_at", "-pk"):
        by_day[change.seen_at.date()].append(change)
    return by_day


def _modes(changes: dict[date, list[StateChange]]) -> dict[int, list[RecordVersion]]:
    """Give the policies of domains that lost theirs: what the mode was before stands there."""
    lost = {
        change.domain_id
        for rows in changes.values()
        for change in rows
        if change.kind == "sts-status" and change.before == Status.VALID
    }
    if not lost:
        return {}
    versions = RecordVersion.objects.filter(
        ~Q(content=""), domain__in=lost, kind=RecordKind.POLICY
    ).order_by("first_seen_at")
    by_domain: defaultdict[int, list[RecordVersion]] = defaultdict(list)
    for version in versions:
        by_domain[version.domain_id].append(version)
    return by_domain


def _undo(
    state: DayState, change: StateChange, policies: dict[int, list[RecordVersion]]
) -> DayState:
    if change.kind == "tlsrpt-status":
        return replace(state, tlsrpt=change.before)
    if change.kind == "dane-status":
        return replace(state, dane=change.before)
    if change.kind == "sts-mode":
        return replace(state, sts_mode=change.before)
    mode = state.sts_mode
    if change.before == Status.VALID:
        held = [
            version
            for version in policies.get(change.domain_id, [])
            if version.first_seen_at < change.seen_at
        ]
        found = _MODE.search(held[-1].content) if held else None
        mode = found[1] if found else mode
    return replace(state, sts_status=change.before, sts_mode=mode)
