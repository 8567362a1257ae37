"""How do we get all domains to enforce safely? A board from no record to enforce."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import teams_for
from domains.models import Domain, DomainQuerySet, Status, StsMode
from reports import queries
from tlsrpt_portal.pages.diagnosis import CLEAN_DAYS, NOTABLE_RATE
from tlsrpt_portal.pages.domain_reports import CLEAN_RATE
from webui.wording import failure_rate, number, plural

MOST_CARDS = 25
# Fewer sessions than this prove little about what enforce would do.
ENOUGH_SESSIONS = 50


class State(NamedTuple):
    """What decides where a domain stands."""

    pk: int
    name: str
    tlsrpt: str
    mta_sts: str
    sts_mode: str


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


def rollout(request: HttpRequest) -> HttpResponse:
    """Show the board."""
    domains = Domain.objects.visible_to(request.user).active()
    team = request.GET.get("team", "")
    if team.isdecimal():
        domains = domains.filter(team=int(team))
    context = {
        "lanes": read_lanes(domains),
        "days": CLEAN_DAYS,
        "teams": teams_for(request.user),
        "team": team,
    }
    return render(request, "pages/rollout.html", context)


def read_lanes(domains: DomainQuerySet) -> list[Lane]:
    """Sort the domains that take mail into the five stages."""
    since, until = queries.last_complete_days(CLEAN_DAYS)
    figures = queries.per_domain_totals(domains, since, until)
    rows = (
        domains.exclude(posture=None)
        .exclude(posture__mx=Status.NULL_MX)
        .order_by()
        .values_list("pk", "name", "posture__tlsrpt", "posture__mta_sts", "posture__sts_mode")
    )
    lanes: dict[str, list[Place]] = {key: [] for key in _LANES}
    for row in rows:
        state = State(*row)
        lane, evidence, is_trouble = _place(state, figures.get(state.pk, queries.Totals()))
        lanes[lane].append(Place(not is_trouble, state.name, state.pk, evidence))
    shown = {key: nsmallest(MOST_CARDS, places) for key, places in lanes.items()}
    keys = [place.pk for places in shown.values() for place in places]
    held = Domain.objects.select_related("team").in_bulk(keys)
    return [
        Lane(
            title=title,
            means=means,
            step=step,
            count=len(lanes[key]),
            cards=[
                Card(
                    domain=held[place.pk],
                    evidence=place.evidence,
                    is_trouble=not place.is_quiet,
                )
                for place in shown[key]
            ],
        )
        for key, (title, means, step) in _LANES.items()
    ]


_LANES = {
    "dark": (
        "No record",
        "Nobody reports.",
        "Publish a TLSRPT record: it changes nothing in delivery.",
    ),
    "reporting": (
        "Reporting",
        "Reports come, no policy yet.",
        "Publish an MTA-STS policy in testing.",
    ),
    "testing": (
        "Testing",
        "Failures are reported, mail arrives.",
        "Clear what enforce would have refused.",
    ),
    "ready": (
        "Ready",
        f"Clean for {CLEAN_DAYS} days.",
        "Set the mode to enforce and change the id.",
    ),
    "enforce": ("Enforce", "Senders refuse what fails.", "Keep an eye on incidents."),
}


def _place(state: State, seen: queries.Totals) -> tuple[str, str, bool]:
    """Give lane, evidence, and whether it is trouble."""
    has_policy = state.mta_sts == Status.VALID
    refused = f"{number(seen.failures)} of {number(seen.sessions)} sessions"
    rate = seen.failure_rate or 0.0
    if has_policy and state.sts_mode == StsMode.ENFORCE:
        if state.tlsrpt != Status.VALID:
            return "enforce", "Enforces blindly: no TLS-RPT.", True
        words = f"{refused} failed ({failure_rate(seen.failures, seen.sessions)})."
        return "enforce", words, rate >= NOTABLE_RATE
    if state.tlsrpt != Status.VALID:
        is_broken = state.tlsrpt == Status.INVALID
        return "dark", "The record is broken." if is_broken else "", is_broken
    if has_policy and state.sts_mode == StsMode.TESTING:
        if seen.sessions < ENOUGH_SESSIONS:
            words = f"Only {plural(seen.sessions, 'session')} so far: too few to tell."
            return "testing", words, False
        is_dirty = rate >= CLEAN_RATE
        lane = "testing" if is_dirty else "ready"
        return lane, f"Enforce would have refused {refused}.", is_dirty
    if state.mta_sts == Status.INVALID:
        return "reporting", "The policy is broken.", True
    if not seen.sessions:
        return "reporting", "No report yet.", False
    words = f"{number(seen.sessions)} sessions by {plural(seen.reporters, 'reporter')}."
    return "reporting", words, False
