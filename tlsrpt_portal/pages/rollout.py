"""How do we get all domains to enforce safely? A board from no record to enforce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from heapq import nlargest, nsmallest
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import teams_for
from domains.models import Domain, DomainQuerySet, Status, StsMode
from reports import queries
from reports.queries import Totals
from reports.signs import cause_name
from tlsrpt_portal.pages.diagnosis import NOTABLE_RATE
from tlsrpt_portal.pages.failures import failures_href, group_href, narrow_to_mode
from tlsrpt_portal.pages.stages import (
    EVIDENCE_DAYS,
    Published,
    Stage,
    find_conditions,
    find_stage,
)
from webui.wording import failure_rate, number, plural

MOST_CARDS = 25
MOST_REFUSED = 5


class Place(NamedTuple):
    """Where a domain stands, and why; sorts troubled ones first, then by name."""

    is_quiet: bool
    name: str
    pk: int
    evidence: str


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
    figures = queries.per_domain_totals(domains, since, until)
    rows = (
        domains.exclude(posture=None)
        .exclude(posture__mx=Status.NULL_MX)
        .order_by()
        .values_list(
            "pk",
            "name",
            "posture__tlsrpt",
            "posture__mta_sts",
            "posture__sts_mode",
            "posture__has_uncovered_mx",
            "posture__starttls",
        )
    )
    lanes: dict[Stage, list[Place]] = {stage: [] for stage in _LANES}
    tried: dict[int, Totals] = {}
    for pk, name, tlsrpt, mta_sts, sts_mode, has_uncovered_mx, starttls in rows:
        published = Published(
            tlsrpt=tlsrpt,
            mta_sts=mta_sts,
            sts_mode=sts_mode,
            has_uncovered_mx=has_uncovered_mx,
            starttls=starttls,
        )
        seen = figures.get(pk, Totals())
        stage, evidence, is_trouble = _place(published, seen, until)
        lanes[stage].append(Place(not is_trouble, name, pk, evidence))
        if published.has_policy and sts_mode == StsMode.TESTING:
            tried[pk] = seen
    shown = {stage: nsmallest(MOST_CARDS, places) for stage, places in lanes.items()}
    worst = nlargest(MOST_REFUSED, tried, key=lambda pk: tried[pk].failures)
    keys = {place.pk for places in shown.values() for place in places}
    held = Domain.objects.select_related("team").in_bulk([*keys, *worst])
    what_if = _what_if(domains, tried, [held[pk] for pk in worst], since, until)
    return Board([_lane(stage, len(lanes[stage]), shown[stage], held) for stage in _LANES], what_if)


def _lane(stage: Stage, count: int, places: list[Place], held: Mapping[int, Domain]) -> Lane:
    title, means, step = _LANES[stage]
    cards = [
        Card(domain=held[place.pk], evidence=place.evidence, is_trouble=not place.is_quiet)
        for place in places
    ]
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


def _place(published: Published, seen: Totals, until: date) -> tuple[Stage, str, bool]:
    """Give stage, evidence, and whether it is trouble."""
    stage = find_stage(published, seen, until)
    match stage:
        case Stage.ENFORCE:
            return stage, *_enforced(published, seen)
        case Stage.DARK:
            is_broken = published.tlsrpt == Status.INVALID
            return stage, "The record is broken." if is_broken else "", is_broken
        case Stage.READY:
            failed = f"{number(seen.failures)} of {plural(seen.sessions, 'session')}"
            return stage, f"Enforce would have refused {failed}.", False
        case Stage.TESTING:
            waits = [one for one in find_conditions(published, seen, until) if not one.is_met]
            # Few or young reports are no trouble: time cures them.
            return stage, waits[-1].state, bool(seen.failures) or published.has_uncovered_mx
    return stage, *_reporting(published, seen)


def _enforced(published: Published, seen: Totals) -> tuple[str, bool]:
    if published.tlsrpt != Status.VALID:
        return "Enforces blindly: no TLS-RPT.", True
    if not seen.sessions:
        return "No report yet.", False
    words = (
        f"{number(seen.failures)} of {plural(seen.sessions, 'session')} failed "
        f"({failure_rate(seen.failures, seen.sessions)})."
    )
    return words, (seen.failure_rate or 0) >= NOTABLE_RATE


def _reporting(published: Published, seen: Totals) -> tuple[str, bool]:
    if published.mta_sts == Status.INVALID:
        return "The policy is broken.", True
    if not seen.sessions:
        return "No report yet.", False
    words = f"{plural(seen.sessions, 'session')} by {plural(seen.reporters, 'reporter')}."
    return words, False


def _what_if(
    domains: DomainQuerySet,
    tried: Mapping[int, Totals],
    worst: list[Domain],
    since: date,
    until: date,
) -> WhatIf:
    scope = {"sts": StsMode.TESTING.value, "days": str(EVIDENCE_DAYS)}
    testing = narrow_to_mode(domains, StsMode.TESTING)
    causes = queries.causes_by_receiving_mx(testing, since, until)[:MOST_REFUSED]
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
                href=group_href(cause=one.result_type, mx=one.receiving_mx, **scope),
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
