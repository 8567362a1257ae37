"""The domains in the stages of the roll-out, each with its evidence, and what enforce would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from heapq import nsmallest
from types import MappingProxyType
from typing import Any, NamedTuple

from django.db.models import BooleanField, Case, Count, Q, QuerySet, When

from domains.models import Domain, DomainQuerySet, Status, StsMode
from reports import queries
from reports.queries import Sums, Totals
from tlsrpt_portal.pages.diagnosis import NOTABLE_RATE
from tlsrpt_portal.pages.stages import (
    EVIDENCE_DAYS,
    LEAST_DAYS,
    Evidence,
    Published,
    Stage,
    evidence_of,
    find_conditions,
    find_stage,
)
from tlsrpt_portal.pages.what_if import WhatIf, add_up_what_if
from webui.wording import failure_rate, number, plural

_EVERYTHING: Mapping[str, str] = MappingProxyType({})
MOST_CARDS = 12


class Place(NamedTuple):
    """A domain in its stage; sorts troubled ones first, then by name."""

    is_quiet: bool
    name: str
    pk: int
    published: Published
    stage: Stage


class States(NamedTuple):
    """What the domains of a stage publish, and how many they are; each state once."""

    domains: int
    troubled: list[Published]
    all: list[Published]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One domain on the board, with why it stands where it stands."""

    domain: Domain
    evidence: str
    is_trouble: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One stage of the roll-out."""

    stage: Stage
    title: str
    means: str
    step: str
    count: int
    cards: list[Card]


class Board(NamedTuple):
    """The lanes, and what would happen if testing became enforce."""

    lanes: list[Lane]
    what_if: WhatIf


def read_board(domains: DomainQuerySet, scope: Mapping[str, str] = _EVERYTHING) -> Board:
    """Sort the domains that take mail into the five stages; `scope` narrows them in addresses.

    Only for domains in testing does the stage depend on what was reported; of all others, those
    that publish the same are in one stage, and are counted and not read.
    """
    since, until = queries.last_complete_days(EVIDENCE_DAYS)
    taking = _taking_mail(domains)
    states = _states_by_stage(taking, until)
    failing = _failing(domains, since, until)
    shown = {
        stage: _first_places(taking, stage, states[stage], failing, MOST_CARDS)
        for stage in (Stage.DARK, Stage.REPORTING, Stage.ENFORCE)
    }
    counts = {stage: states[stage].domains for stage in shown}
    testing = domains.in_mode(StsMode.TESTING)
    told = queries.per_domain_sums(testing, since, until)
    tried = _read_published(testing)
    early = queries.domains_told_of(testing, since, _early(until))
    for stage, places in _tested(tried, told, early, until).items():
        counts[stage] = len(places)
        shown[stage] = nsmallest(MOST_CARDS, places)
    keys = {place.pk for places in shown.values() for place in places}
    chosen = Domain.objects.filter(pk__in=keys)
    totals = queries.per_domain_totals(chosen, since, until)
    held = {domain.pk: domain for domain in chosen.select_related("team")}
    cards = {
        stage: [
            Card(
                domain=held[place.pk],
                evidence=tell_evidence(
                    place,
                    evidence_of(totals.get(place.pk, Totals())),
                    until,
                ),
                is_trouble=not place.is_quiet,
            )
            for place in places
        ]
        for stage, places in shown.items()
    }
    what_if = add_up_what_if(len(tried), told, scope)
    return Board([_lane(stage, counts[stage], cards[stage]) for stage in LANES], what_if)


def list_places(domains: DomainQuerySet, stage: Stage) -> list[Place]:
    """Give every domain of a stage: troubled ones first, then by name."""
    since, until = queries.last_complete_days(EVIDENCE_DAYS)
    taking = _taking_mail(domains)
    states = _states_by_stage(taking, until)
    if stage in {Stage.TESTING, Stage.READY}:
        testing = domains.in_mode(StsMode.TESTING)
        told = queries.per_domain_sums(testing, since, until)
        early = queries.domains_told_of(testing, since, _early(until))
        return sorted(_tested(_read_published(testing), told, early, until)[stage])
    failing = _failing(domains, since, until)
    return _first_places(taking, stage, states[stage], failing, None)


def _failing(domains: DomainQuerySet, since: date, until: date) -> QuerySet[Any]:
    """Give the domains in enforce of whose sessions so many failed that somebody should look."""
    enforcing = domains.in_mode(StsMode.ENFORCE)
    return queries.domains_failing_at(enforcing, since, until, NOTABLE_RATE)


def _early(until: date) -> date:
    """Give the day to which the reports of a domain must reach back."""
    return until - timedelta(days=LEAST_DAYS - 1)


def _read_published(domains: DomainQuerySet) -> dict[int, tuple[str, Published]]:
    """Give by id the name of each domain and what it publishes."""
    states = cache(Published)  # few, of many domains
    rows = domains.order_by().values_list("pk", "name", *_STATES)
    return {pk: (name, states(*values)) for pk, name, *values in rows}


def _taking_mail(domains: DomainQuerySet) -> DomainQuerySet:
    return domains.exclude(tlsrpt="").exclude(mx=Status.NULL_MX).order_by()


_UNSEEN = Sums()
_STATES = Published._fields


def _states_by_stage(taking: DomainQuerySet, until: date) -> dict[Stage, States]:
    """Sort what domains publish into stages; ready ones count as testing here."""
    found = {stage: States(0, [], []) for stage in Stage}
    for *values, count in taking.values_list(*_STATES).annotate(Count("pk")):
        published = Published(*values)
        stage = find_stage(published, Evidence(), until)
        before = found[stage]
        before.all.append(published)
        if _is_trouble(stage, published, _UNSEEN):
            before.troubled.append(published)
        found[stage] = before._replace(domains=before.domains + count)
    return found


def _publishing(states: Sequence[Published]) -> Q:
    """Give the domains that publish one of these."""
    chosen = Q(pk__in=())
    for published in states:
        chosen |= Q(**dict(zip(_STATES, published, strict=True)))
    return chosen


def _first_places(
    taking: DomainQuerySet,
    stage: Stage,
    states: States,
    failing: QuerySet[Any],
    most: int | None,
) -> list[Place]:
    """Give the first domains of a stage, or all: troubled ones first, then by name."""
    troubled = _publishing(states.troubled)
    if stage is Stage.ENFORCE:
        troubled |= Q(pk__in=failing)
    is_quiet = Case(When(troubled, then=False), default=True, output_field=BooleanField())
    rows = taking.filter(_publishing(states.all)).annotate(is_quiet=is_quiet)
    found = rows.order_by("is_quiet", "name").values_list("is_quiet", "name", "pk", *_STATES)
    return [
        Place(is_quiet, name, pk, Published(*values), stage)
        for is_quiet, name, pk, *values in found[:most]
    ]


def _tested(
    tried: Mapping[int, tuple[str, Published]],
    told: Mapping[int, Sums],
    early: AbstractSet[int],
    until: date,
) -> dict[Stage, list[Place]]:
    """Sort the domains in testing into those that are ready and those that are not."""
    places: dict[Stage, list[Place]] = {Stage.TESTING: [], Stage.READY: []}
    early_day = _early(until)
    for pk, (name, published) in tried.items():
        seen = told.get(pk, _UNSEEN)
        # Whether reports reach back far enough; from which day on is read for what is shown.
        evidence = Evidence(
            sessions=seen.sessions,
            failed=seen.failed,
            first_day=early_day if pk in early else until if seen.sessions else None,
        )
        stage = find_stage(published, evidence, until)
        if stage in places:
            is_quiet = not _is_trouble(stage, published, seen)
            places[stage].append(Place(is_quiet, name, pk, published, stage))
    return places


def _lane(stage: Stage, count: int, cards: list[Card]) -> Lane:
    title, means, step = LANES[stage]
    return Lane(stage=stage, title=title, means=means, step=step, count=count, cards=cards)


# By stage: its title, what it means, and the next step.
LANES = {
    Stage.DARK: (
        "No record",
        "Nobody reports.",
        "Publish a TLSRPT record: it changes nothing in delivery.",
    ),
    Stage.REPORTING: (
        "Reporting",
        "Reports come, no usable policy.",
        "Publish an MTA-STS policy in testing.",
    ),
    Stage.TESTING: (
        "Testing",
        "Failures are reported, mail arrives.",
        "Clear what enforce would have refused, and wait for enough reports.",
    ),
    Stage.READY: (
        "Ready",
        f"Next to nothing failed in {EVIDENCE_DAYS} days.",
        "Set the mode to enforce and change the id.",
    ),
    Stage.ENFORCE: ("Enforce", "Senders refuse what fails.", "Keep an eye on incidents."),
}


def _is_trouble(stage: Stage, published: Published, seen: Sums) -> bool:
    """Say whether somebody should look at a domain in this stage."""
    match stage:
        case Stage.ENFORCE:
            # And where too much fails: `_failing`, for only few of a fleet do.
            return published.tlsrpt != Status.VALID
        case Stage.DARK:
            return published.tlsrpt == Status.INVALID
        case Stage.REPORTING:
            return published.mta_sts == Status.INVALID
        case Stage.TESTING:
            # Few or young reports are no trouble: time cures them.
            return bool(seen.failures) or published.has_uncovered_mx
    return False


_DARK = {
    Status.INVALID.value: "The record is broken.",
    Status.UNKNOWN.value: "Whether it has a record could not be found out.",
}


def tell_evidence(place: Place, seen: Evidence, until: date) -> str:
    """Say why a domain stands where it stands."""
    published, failures = place.published, seen.failed.failures
    of_sessions = f"of {plural(seen.sessions, 'session')}"
    match place.stage:
        case Stage.ENFORCE if published.tlsrpt != Status.VALID:
            return "Enforces blindly: no TLS-RPT."
        case Stage.ENFORCE if seen.sessions:
            rate = failure_rate(failures, seen.sessions)
            return f"{number(failures)} {of_sessions} failed ({rate})."
        case Stage.DARK:
            return _DARK.get(published.tlsrpt, "")
        case Stage.READY:
            return f"Enforce would have refused {number(seen.failed.refused)} {of_sessions}."
        case Stage.TESTING:
            waits = [one for one in find_conditions(published, seen, until) if not one.is_met]
            return waits[-1].state
        case Stage.REPORTING if published.mta_sts == Status.INVALID:
            return "The policy is broken."
        case Stage.REPORTING if seen.sessions:
            words = plural(seen.sessions, "session")
            return f"{words} by {plural(seen.reporters, 'reporter')}."
    return "No report yet."
