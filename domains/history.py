"""The state of each domain on any past day, from today's state and the changes since, undone."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Q

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
    for found, states in _walk_back(domains, day):
        if found == day:
            return [state for state in states.values() if state.known_from <= day]
    return []


def counts_by_day(domains: DomainQuerySet, since: date, until: date) -> list[DayCounts]:
    """Give the counts of every day of the span, in order."""
    counts = [_count(day, states) for day, states in _walk_back(domains, since) if day <= until]
    return counts[::-1]


def _count(day: date, states: dict[int, DayState]) -> DayCounts:
    known = [state for state in states.values() if state.known_from <= day]
    return DayCounts(
        day=day,
        total=len(known),
        tlsrpt=Counter(state.tlsrpt for state in known),
        sts=Counter(state.sts for state in known),
        dane=Counter(state.dane for state in known),
    )


def _walk_back(domains: DomainQuerySet, since: date) -> Iterator[tuple[date, dict[int, DayState]]]:
    """Give (day, states at its end) from today back to `since`; the dictionary is reused."""
    states = _states_now(domains)
    changes = _changes(domains, since)
    modes = _modes(changes)
    day = datetime.now(tz=UTC).date()
    while day >= since:
        yield day, states
        # To stand at the end of the day before, what this day brought is undone, newest first.
        for change in changes.get(day, []):
            if change.domain_id in states:
                held = states[change.domain_id]
                states[change.domain_id] = _undo(held, change, modes)
        day -= timedelta(days=1)


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
    unknown = Status.UNKNOWN.value
    return {
        pk: DayState(
            domain_id=pk,
            team_id=team,
            known_from=created_at.date(),
            tlsrpt=tlsrpt or unknown,
            sts_status=mta_sts or unknown,
            sts_mode=mode or "",
            dane=dane or unknown,
        )
        for pk, team, created_at, tlsrpt, mta_sts, mode, dane in rows
    }


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
