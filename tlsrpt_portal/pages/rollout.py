"""How do we get all domains to enforce safely? A board from no record to enforce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from heapq import nlargest, nsmallest
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import teams_for
from domains.models import Domain, DomainQuerySet, Status, StsMode
from reports import cause_queries, queries
from reports.queries import Sums, Totals
from reports.signs import cause_name
from tlsrpt_portal.pages.diagnosis import NOTABLE_RATE
from tlsrpt_portal.pages.failures import failures_href, group_href, narrow_to_mode
from tlsrpt_portal.pages.stages import (
    EVIDENCE_DAYS,
    LEAST_DAYS,
    Published,
    Stage,
    find_conditions,
    find_stage,
)
from webui.wording import failure_rate, number, plural

MOST_CARDS = 25
MOST_REFUSED = 5


class Place(NamedTuple):
    """A domain in its stage; sorts troubled ones first, then by name."""

    is_quiet: bool
    name: str
    pk: int
    published: Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One domain on the board, with why it stands where it stands."""

    domain: Domain
    evidence: str
    is_trouble: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One stage of the roll-out."""

    title: str
    means: str
    step: str
    count: int
    cards: list[Card]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A part of the sessions that enforce would have refused."""

    name: str
    detail: str
    sessions: int
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What enforce would have refused, were all domains in testing in it."""

    domains: int
    sessions: int
    failures: int
    by_domain: list[Refused]
    by_cause: list[Refused]
    by_sender: list[Refused]


class Board(NamedTuple):
    """The lanes, and what would happen if testing became enforce."""

    lanes: list[Lane]
    what_if: WhatIf


def rollout(request: HttpRequest) -> HttpResponse:
    """Show the board."""
    domains = Domain.objects.visible_to(request.user).active()
    team = request.GET.get("team", "")
    if team.isdecimal():
        domains = domains.filter(team=int(team))
    board = read_board(domains)
    context = {
        "lanes": board.lanes,
        "what_if": board.what_if,
        "days": EVIDENCE_DAYS,
        "teams": teams_for(request.user),
        "team": team,
    }
    return render(request, "pages/rollout.html", context)


def read_board(domains: DomainQuerySet) -> Board:
    """Sort the domains that take mail into the five stages."""
    since, until = queries.last_complete_days(EVIDENCE_DAYS)
    figures = queries.per_domain_sums(domains, since, until)
    testing = narrow_to_mode(domains, StsMode.TESTING)
    early = queries.domains_told_of(testing, since, until - timedelta(days=LEAST_DAYS - 1))
    rows = (
        domains.exclude(posture=None)
        .exclude(posture__mx=Status.NULL_MX)
        .order_by()
        .values_list("pk", "name", *(f"posture__{name}" for name in Published._fields))
    )
    lanes: dict[Stage, list[Place]] = {stage: [] for stage in _LANES}
    tried: dict[int, Sums] = {}
    for pk, name, *states in rows:
        published = Published(*states)
        sums = figures.get(pk, _UNSEEN)
        # Whether reports reach back far enough; from which day on is read for what is shown.
        seen = Totals(
            sessions=sums.sessions,
            failures=sums.failures,
            first_day=since if pk in early else until if sums.sessions else None,
        )
        stage = find_stage(published, seen, until)
        is_quiet = not _is_trouble(stage, published, seen)
        lanes[stage].append(Place(is_quiet, name, pk, published))
        if published.has_policy and published.sts_mode == StsMode.TESTING:
            tried[pk] = sums
    shown = {stage: nsmallest(MOST_CARDS, places) for stage, places in lanes.items()}
    worst = nlargest(MOST_REFUSED, tried, key=lambda pk: tried[pk].failures)
    keys = {place.pk for places in shown.values() for place in places}
    chosen = Domain.objects.filter(pk__in=[*keys, *worst])
    totals = queries.per_domain_totals(chosen, since, until)
    held = {domain.pk: domain for domain in chosen.select_related("team")}
    cards = {
        stage: [
            Card(
                domain=held[place.pk],
                evidence=_evidence(stage, place.published, totals.get(place.pk, Totals()), until),
                is_trouble=not place.is_quiet,
            )
            for place in places
        ]
        for stage, places in shown.items()
    }
    what_if = _what_if(domains, tried, [held[pk] for pk in worst], since, until)
    return Board([_lane(stage, len(lanes[stage]), cards[stage]) for stage in _LANES], what_if)


_UNSEEN = Sums()


def _lane(stage: Stage, count: int, cards: list[Card]) -> Lane:
    title, means, step = _LANES[stage]
    return Lane(title=title, means=means, step=step, count=count, cards=cards)


_LANES = {
    Stage.DARK: (
        "No record",
        "Nobody reports.",
        "Publish a TLSRPT record: it changes nothing in delivery.",
    ),
    Stage.REPORTING: (
        "Reporting",
        "Reports come, no policy yet.",
        "Publish an MTA-STS policy in testing.",
    ),
    Stage.TESTING: (
        "Testing",
        "Failures are reported, mail arrives.",
        "Clear what enforce would have refused, and wait for enough reports.",
    ),
    Stage.READY: (
        "Ready",
        f"Clean for {EVIDENCE_DAYS} days.",
        "Set the mode to enforce and change the id.",
    ),
    Stage.ENFORCE: ("Enforce", "Senders refuse what fails.", "Keep an eye on incidents."),
}


def _is_trouble(stage: Stage, published: Published, seen: Totals) -> bool:
    """Say whether somebody should look at a domain in this stage."""
    match stage:
        case Stage.ENFORCE:
            is_blind = published.tlsrpt != Status.VALID
            return is_blind or (seen.failure_rate or 0) >= NOTABLE_RATE
        case Stage.DARK:
            return published.tlsrpt == Status.INVALID
        case Stage.REPORTING:
            return published.mta_sts == Status.INVALID
        case Stage.TESTING:
            # Few or young reports are no trouble: time cures them.
            return bool(seen.failures) or published.has_uncovered_mx
    return False


def _evidence(stage: Stage, published: Published, seen: Totals, until: date) -> str:
    """Say why a domain stands where it stands."""
    failed = f"{number(seen.failures)} of {plural(seen.sessions, 'session')}"
    match stage:
        case Stage.ENFORCE if published.tlsrpt != Status.VALID:
            return "Enforces blindly: no TLS-RPT."
        case Stage.ENFORCE if seen.sessions:
            return f"{failed} failed ({failure_rate(seen.failures, seen.sessions)})."
        case Stage.DARK:
            return "The record is broken." if published.tlsrpt == Status.INVALID else ""
        case Stage.READY:
            return f"Enforce would have refused {failed}."
        case Stage.TESTING:
            waits = [one for one in find_conditions(published, seen, until) if not one.is_met]
            return waits[-1].state
        case Stage.REPORTING if published.mta_sts == Status.INVALID:
            return "The policy is broken."
        case Stage.REPORTING if seen.sessions:
            words = plural(seen.sessions, "session")
            return f"{words} by {plural(seen.reporters, 'reporter')}."
    return "No report yet."


def _what_if(
    domains: DomainQuerySet,
    tried: Mapping[int, Sums],
    worst: list[Domain],
    since: date,
    until: date,
) -> WhatIf:
    scope = {"sts": StsMode.TESTING.value, "days": str(EVIDENCE_DAYS)}
    testing = narrow_to_mode(domains, StsMode.TESTING)
    causes = cause_queries.causes_by_receiving_mx(testing, since, until)[:MOST_REFUSED]
    senders = queries.failures_by_reporter(testing, since, until)[:MOST_REFUSED]
    return WhatIf(
        domains=len(tried),
        sessions=sum(one.sessions for one in tried.values()),
        failures=sum(one.failures for one in tried.values()),
        by_domain=[
            Refused(
                name=domain.display_name,
                detail=f"of {plural(tried[domain.pk].sessions, 'session')}",
                sessions=tried[domain.pk].failures,
                href=f"{domain.get_absolute_url()}?days={EVIDENCE_DAYS}#failures",
            )
            for domain in worst
            if tried[domain.pk].failures
        ],
        by_cause=[
            Refused(
                name=cause_name(one.result_type),
                detail=one.receiving_mx or "no MX named",
                sessions=one.failed_sessions,
                href=group_href(cause=one.result_type, mx=one.receiving_mx or "", **scope),
            )
            for one in causes
        ],
        by_sender=[
            Refused(
                name=name, detail="", sessions=failed, href=failures_href(by="reporter", **scope)
            )
            for name, failed in senders
        ],
    )
