"""Hosts the MTA-STS policy of a domain: each publication is a new revision with a new id."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from accounts import access, audit
from accounts.models import User
from accounts.roles import Role
from domains.models import Domain, DomainQuerySet, HostedPolicy, StsMode
from mailtls.mx_match import is_covered
from mailtls.sts_policy import Mode, StsPolicy, render_policy


@transaction.atomic
def publish_policy(
    domain: Domain, user: User, mode: StsMode, mx: Sequence[str], max_age_s: int
) -> HostedPolicy:
    """Serve this policy from now on; gives the revision with the `id` for the TXT record.

    Raises ValidationError where a conforming sender would not take it (RFC 8461 section 3.2).
    """
    access.require(user, Role.MANAGER, domain.team)
    try:
        text = policy_text(mode, mx, max_age_s)
    except ValueError as error:
        raise ValidationError(str(error)) from error
    newest = live_policy(domain.name)
    revision = HostedPolicy.objects.create(
        domain=domain,
        mode=mode,
        mx=list(mx),
        max_age_s=max_age_s,
        policy_id=_next_id(newest),
    )
    audit.record(
        "published policy",
        domain,
        before={"policy": policy_text_of(newest)} if newest else None,
        after={"policy": text, "id": revision.policy_id},
    )
    return revision


def live_policy(name: str) -> HostedPolicy | None:
    """Find the revision that is served for this domain, or None.

    Of a paused domain, too: senders hold its policy and ask for it again, watched or not.
    """
    return HostedPolicy.objects.filter(domain__name=name).first()


def find_in_use(domains: DomainQuerySet) -> list[Domain]:
    """Give those of these domains whose policy the portal serves in a mode that protects: senders
    have to be told mode none before it may go (RFC 8461 section 8.3)."""
    newest = HostedPolicy.objects.filter(domain=OuterRef("pk")).values("mode")[:1]
    in_use = [StsMode.ENFORCE, StsMode.TESTING]
    return list(domains.annotate(served=Subquery(newest)).filter(served__in=in_use))


def uncovered_hosts(domain: Domain, mode: str, mx: Sequence[str]) -> list[str]:
    """Give the MX hosts last seen that a policy does not cover: under enforce senders refuse to
    deliver there (RFC 8461 section 4.1). None in mode none, which covers nothing."""
    if mode == StsMode.NONE:
        return []
    posture = domain.last_posture
    hosts = posture.judgement.get("mx", {}).get("hosts", []) if posture is not None else []
    return [host["name"] for host in hosts if not is_covered(host["name"], mx)]


def forgotten_at(revisions: Sequence[HostedPolicy]) -> datetime | None:
    """Give when the last sender has forgotten all policies before the newest, which is in mode
    none; None where it is not. `revisions` are all of a domain, newest first."""
    if not revisions or revisions[0].mode != StsMode.NONE:
        return None
    # Each was served until the next one, and is held for its max_age from then (section 8.3).
    held = [
        later.published_at + timedelta(seconds=one.max_age_s)
        for later, one in pairwise(revisions)
        if one.mode != StsMode.NONE
    ]
    return max(held, default=revisions[0].published_at)


def policy_text_of(revision: HostedPolicy) -> str:
    """Give the file that is served for a revision."""
    return policy_text(StsMode(revision.mode), revision.mx, revision.max_age_s)


def policy_text(mode: StsMode, mx: Sequence[str], max_age_s: int) -> str:
    """Give the policy file for these values; raises ValueError for what no sender would take."""
    return render_policy(StsPolicy(mode=Mode(mode.value), max_age_s=max_age_s, mx=tuple(mx)))


def _next_id(newest: HostedPolicy | None) -> str:
    """Give an id by the clock, and never the one before: two publications a second apart differ."""
    wanted = timezone.now().strftime("%Y%m%dT%H%M%S")
    if newest is not None and newest.policy_id >= wanted:
        stem, _, count = newest.policy_id.partition("r")
        return f"{stem}r{int(count or 0) + 1}"
    return wanted
