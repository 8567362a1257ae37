"""The coverage as a paper to file: made to be printed, or saved as PDF by the browser."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest
from operator import attrgetter

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from domains.exception_queries import exceptions_by_domain, lapsed_exceptions, running_exceptions
from domains.history import DayState, states_on
from domains.lacks import Lack, excused_by
from domains.models import CoverageException
from mailtls.names import display_name
from tlsrpt_portal.pages.coverage_scope import Scope, read_scope

# So many lines are worth paper; the rest stands in the XLSX.
MOST_LINES = 500


@dataclass(frozen=True, slots=True)
class State:
    """One column: the value as the history has it, its word and what it means."""

    value: str
    word: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Standard:
    """One table of the paper: each domain is in exactly one of its states."""

    aspect: str
    title: str
    section: str
    states: tuple[State, ...]


UNKNOWN = State("unknown", "Unknown", "it could not be found out, or was not checked yet")
STANDARDS = (
    Standard(
        "tlsrpt",
        "TLS-RPT",
        "RFC 8460",
        (
            State("valid", "Valid", "a TLSRPT record that senders use: they report"),
            State("missing", "Missing", "no TLSRPT record: nobody reports"),
            State("invalid", "Invalid", "a record is published, and senders ignore it"),
            UNKNOWN,
        ),
    ),
    Standard(
        "sts",
        "MTA-STS",
        "RFC 8461",
        (
            State("enforce", "Enforce", "senders deliver over verified TLS or not at all"),
            State("testing", "Testing", "senders report failures and deliver all the same"),
            State("none", "Mode none", "the policy says that there is no policy"),
            State("missing", "Missing", "no MTA-STS record: TLS can be stripped unnoticed"),
            State("invalid", "Invalid", "record or policy is published, and senders ignore it"),
            UNKNOWN,
        ),
    ),
    Standard(
        "dane",
        "DANE",
        "RFC 7672",
        (
            State("valid", "Valid", "usable TLSA records, signed with DNSSEC"),
            State("missing", "None", "no usable TLSA records: DANE is not used"),
            State("invalid", "Invalid", "TLSA records that senders cannot satisfy"),
            State(UNKNOWN.value, UNKNOWN.word, f"{UNKNOWN.meaning}, or no host takes its mail"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """How many domains are in a state, and how many of them an exception excuses."""

    count: int
    excepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLine:
    """One team's row of a table."""

    team: str
    total: int
    figures: list[Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardTable:
    """Teams by the states of one standard."""

    standard: Standard
    lines: list[TeamLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class LackingDomain:
    """A domain without working TLS-RPT, or without a policy that protects."""

    name: str
    team: str
    owner: str
    tlsrpt: str
    sts: str
    excepted_from: str


def coverage_paper(request: HttpRequest) -> HttpResponse:
    """Show what a security team files: figures, definitions, exceptions, and who lacks what."""
    scope = read_scope(request)
    states = states_on(scope.domains, scope.on)
    held = exceptions_by_domain(scope.on)
    teams = {None: "No team"} | {team.pk: team.name for team in scope.teams}
    lacking = [state for state in states if _lacks(state)]
    running = running_exceptions(scope.domains, scope.on).select_related("domain__team")
    context = {
        "scope": scope,
        "total": len(states),
        "tables": [_table(standard, states, held, teams) for standard in STANDARDS],
        "lacks": [(lack.label, lack.meaning) for lack in Lack],
        "exceptions": list(running.order_by("domain__name", "lack")[:MOST_LINES]),
        "exception_count": running.count(),
        "lapsed": _lapsed(scope),
        "lacking": _name_lacking(scope, lacking, held, teams),
        "lacking_count": len(lacking),
        "most_lines": MOST_LINES,
        "made_at": timezone.now(),
        "site": settings.SITE_URL,
    }
    return render(request, "pages/coverage_paper.html", context)


def _lacks(state: DayState) -> bool:
    return state.tlsrpt in {"missing", "invalid"} or state.sts in {"missing", "invalid", "none"}


def _table(
    standard: Standard,
    states: list[DayState],
    held: dict[int, dict[Lack, CoverageException]],
    teams: dict[int | None, str],
) -> StandardTable:
    known = {state.value: state.value for state in standard.states}
    read = attrgetter("team_id", standard.aspect)
    counts: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
    # Of a fleet there are thousands of domains, and few pairs of team and state.
    for (team, state), size in Counter(map(read, states)).items():
        counts[team][known.get(state, UNKNOWN.value)] += size
    excepted: defaultdict[int | None, Counter[str]] = defaultdict(Counter)
    for one in states:
        if lacks := held.get(one.domain_id):
            state = known.get(getattr(one, standard.aspect), UNKNOWN.value)
            if excused_by(standard.aspect, state) & lacks.keys():
                excepted[one.team_id][state] += 1
    ordered = sorted(counts, key=lambda key: (key is None, teams.get(key, "").lower()))
    lines = [_line(standard, teams.get(key, "–"), counts[key], excepted[key]) for key in ordered]
    if len(lines) > 1:
        all_counts, all_excepted = _sum(counts.values()), _sum(excepted.values())
        lines.append(_line(standard, "All", all_counts, all_excepted))
    return StandardTable(standard=standard, lines=lines)


def _line(standard: Standard, team: str, held: Counter[str], excepted: Counter[str]) -> TeamLine:
    return TeamLine(
        team=team,
        total=held.total(),
        figures=[Figure(held[state.value], excepted[state.value]) for state in standard.states],
    )


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counters, Counter())


def _lapsed(scope: Scope) -> list[CoverageException]:
    """Give what ran out while the lack stands; of a past day that is not known any more."""
    if not scope.is_today:
        return []
    rows = lapsed_exceptions(scope.domains, scope.on).select_related("domain__team")
    return list(rows.order_by("expires_on", "domain__name")[:MOST_LINES])


def _name_lacking(
    scope: Scope,
    lacking: list[DayState],
    held: dict[int, dict[Lack, CoverageException]],
    teams: dict[int | None, str],
) -> list[LackingDomain]:
    """Give the first ones with names and owners, by team and name."""
    names: dict[int, tuple[str, str]] = {
        pk: (name, owner)
        for pk, name, owner in scope.domains.order_by().values_list("pk", "name", "owner")
    }

    def place(one: DayState) -> tuple[bool, str, str]:
        team = teams.get(one.team_id, "–")
        return team == "No team", team.lower(), names[one.domain_id][0]

    first = nsmallest(MOST_LINES, (one for one in lacking if one.domain_id in names), key=place)
    words = {
        (standard.aspect, state.value): state.word
        for standard in STANDARDS
        for state in standard.states
    }
    return [
        LackingDomain(
            name=display_name(names[one.domain_id][0]),
            team=teams.get(one.team_id, "–"),
            owner=names[one.domain_id][1],
            tlsrpt=words.get(("tlsrpt", one.tlsrpt), UNKNOWN.word),
            sts=words.get(("sts", one.sts), UNKNOWN.word),
            excepted_from=", ".join(
                lack.label for lack in Lack if lack in held.get(one.domain_id, {})
            ),
        )
        for one in first
    ]
