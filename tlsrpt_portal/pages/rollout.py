"""How do we get all domains to enforce safely? A board from no record to enforce."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.access import teams_for
from domains.models import Domain, DomainQuerySet, Status, StsMode
from reports import queries
from tlsrpt_portal.pages.diagnosis import CLEAN_DAYS
from tlsrpt_portal.pages.domain_reports import CLEAN_RATE
from webui.wording import failure_rate, number, plural

MOST_CARDS = 25
# Fewer sessions than this prove little about what enforce would do.
ENOUGH_SESSIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One domain on the board, with why it stands where it stands."""

    domain: Domain
    evidence: str
    is_trouble: bool
    order: tuple[int, str]


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
        .select_related("team", "posture")
        .defer("posture__judgement", "posture__observed", "posture__facts", "notes")
    )
    lanes: dict[str, list[Card]] = {key: [] for key in _LANES}
    for domain in rows.order_by("name"):
        lane, card = _place(domain, figures.get(domain.pk, queries.Totals()))
        lanes[lane].append(card)
    return [
        Lane(
            title=title,
            means=means,
            step=step,
            count=len(lanes[key]),
            cards=sorted(lanes[key], key=lambda card: card.order)[:MOST_CARDS],
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


def _place(domain: Domain, seen: queries.Totals) -> tuple[str, Card]:
    posture = domain.posture
    has_policy = posture.mta_sts == Status.VALID
    refused = f"{number(seen.failures)} of {number(seen.sessions)} sessions"
    rate = seen.failure_rate or 0.0
    if has_policy and posture.sts_mode == StsMode.ENFORCE:
        if posture.tlsrpt != Status.VALID:
            return "enforce", _card(domain, "Enforces blindly: no TLS-RPT.", trouble=True)
        words = f"{refused} failed ({failure_rate(seen.failures, seen.sessions)})."
        return "enforce", _card(domain, words, trouble=rate >= CLEAN_RATE * 10)
    if posture.tlsrpt != Status.VALID:
        words = "The record is broken." if posture.tlsrpt == Status.INVALID else ""
        return "dark", _card(domain, words, trouble=bool(words))
    if has_policy and posture.sts_mode == StsMode.TESTING:
        if seen.sessions < ENOUGH_SESSIONS:
            words = f"Only {plural(seen.sessions, 'session')} so far: too few to tell."
            return "testing", _card(domain, words)
        if rate >= CLEAN_RATE:
            return "testing", _card(domain, f"Enforce would have refused {refused}.", trouble=True)
        return "ready", _card(domain, f"Enforce would have refused {refused}.")
    words = "The policy is broken." if posture.mta_sts == Status.INVALID else ""
    if not words and seen.sessions:
        words = f"{number(seen.sessions)} sessions by {plural(seen.reporters, 'reporter')}."
    return "reporting", _card(
        domain, words or "No report yet.", trouble=posture.mta_sts == Status.INVALID
    )


def _card(domain: Domain, evidence: str, *, trouble: bool = False) -> Card:
    return Card(
        domain=domain, evidence=evidence, is_trouble=trouble, order=(not trouble, domain.name)
    )
