"""What needs somebody, worst consequence first: refused mail, silent plaintext, blind spots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.access import Person
from alerts.lifecycle import State
from alerts.models import Incident, Severity, severity_rank
from alerts.readers import reader_of, see_all
from alerts.signs import SEVERITY
from alerts.words import failing_days
from domains.queries import Coverage
from webui.status import Sign, Tone
from webui.wording import failure_rate, plural

MOST_INCIDENTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing to do: how bad, what, and where to go."""

    rank: int
    sign: Sign
    title: str
    detail: str
    href: str


def attention(user: Person, now: Coverage, excepted: Mapping[str, int]) -> list[Need]:
    """Give what needs somebody; worst consequence first.

    `excepted` counts the domains that may lack TLS-RPT: all, and those that enforce.
    """
    needs = [*_incidents(user), *_inventory(now, excepted)]
    return sorted(needs, key=lambda need: need.rank)


def _incidents(user: Person) -> list[Need]:
    handled = (State.OPEN, State.ACKNOWLEDGED)
    rows: QuerySet[Any] = (
        Incident.objects.visible_to(user).filter(state__in=handled).with_seen_figures(user)
    )
    by_consequence = rows.order_by(severity_rank(), "-seen_failed", "pk")
    worst = list(by_consequence.select_related("assignee")[:MOST_INCIDENTS])
    now = timezone.now()
    needs = []
    for row, seen in zip(worst, see_all(reader_of(user), worst), strict=True):
        severity = Severity(row.severity)
        who = str(row.assignee) if row.assignee else "nobody has it yet"
        days = (now.date() - row.since_on).days
        # The day may be that of a warning: a certificate ends weeks after the first one.
        parts = [f"first signs {plural(days, 'day')} ago" if days > 0 else "since today", who]
        if row.seen_sessions:
            rate = failure_rate(row.seen_failed, row.seen_sessions)
            days = failing_days(row.seen_first_on, row.seen_last_on)
            parts.insert(0, f"{rate} of {plural(row.seen_sessions, 'session')} {days}".strip())
        detail = ", ".join(parts)
        needs.append(
            Need(
                rank=10 * severity.rank,
                sign=SEVERITY[severity],
                title=seen.title,
                detail=detail,
                href=row.get_absolute_url(),
            )
        )
    return needs


def _inventory(now: Coverage, excepted: Mapping[str, int]) -> list[Need]:
    listing = reverse("domains:list")
    blind = now.sts_blind - excepted["enforce"]
    silent = now.tlsrpt_wanted - excepted["all"]
    # The others may, for a reason somebody approved: they are in the coverage, and need nobody.
    not_excepted = ", not excepted" if excepted["all"] else ""
    candidates = [
        (
            now.sts_uncovered,
            Need(
                rank=5,
                sign=Sign(Tone.BAD, "Refused"),
                title=f"{plural(now.sts_uncovered, 'domain')} with an MX outside its own policy",
                detail="Senders that enforce the policy deliver nothing to that MX host.",
                href=f"{listing}?sts=enforce&state=uncovered",
            ),
        ),
        (
            now.sts_invalid,
            Need(
                rank=15,
                sign=Sign(Tone.BAD, "Unprotected"),
                title=f"{plural(now.sts_invalid, 'domain')} with a broken MTA-STS policy",
                detail="Senders ignore it, so mail goes out as if there were none.",
                href=f"{listing}?sts=invalid",
            ),
        ),
        (
            blind,
            Need(
                rank=18,
                sign=Sign(Tone.WARN, "Blind"),
                title=f"{plural(blind, 'domain enforces', 'domains enforce')} without TLS-RPT"
                f"{not_excepted}",
                detail="A mistake would refuse mail, and nobody would tell you.",
                href=f"{listing}?sts=enforce&exception=unexcused-tlsrpt",
            ),
        ),
        (
            now.tlsrpt_invalid,
            Need(
                rank=22,
                sign=Sign(Tone.WARN, "Blind"),
                title=f"{plural(now.tlsrpt_invalid, 'domain')} with a broken TLSRPT record",
                detail="Senders ignore the record, so nobody reports.",
                href=f"{listing}?tlsrpt=invalid",
            ),
        ),
        (
            silent,
            Need(
                rank=25,
                sign=Sign(Tone.WARN, "Blind"),
                title=f"{plural(silent, 'domain')} without TLS-RPT{not_excepted}",
                detail="Failures there stay unseen. The record changes nothing in delivery.",
                href=f"{listing}?exception=unexcused-tlsrpt",
            ),
        ),
        (
            now.stale,
            Need(
                rank=35,
                sign=Sign(Tone.NONE, "Stale"),
                title=f"{plural(now.stale, 'domain')} could not be seen in full lately",
                detail="Their last known state stands.",
                href=f"{listing}?state=stale",
            ),
        ),
    ]
    return [need for count, need in candidates if count]
