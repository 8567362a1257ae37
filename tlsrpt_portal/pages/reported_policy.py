"""Which policy reporters apply, compared with what the domain served when.

A sender may hold a policy for max_age, and looks whether its id has changed in between (RFC 8461
section 3.3). One that no check has seen comes from a web server that senders reach and we do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domains.models import Domain, RecordKind, RecordVersion
from mailtls.sts_policy import StsPolicy, parse_policy
from reports.models import PolicyKind, PolicyResult

# A domain with very many reporters: the newest results are enough.
MOST_RESULTS = 300


class Held(StrEnum):
    """How the policy that a reporter applied relates to those that were served."""

    CURRENT = "current"
    EARLIER = "earlier"  # replaced, and within its max_age
    OUTDATED = "outdated"  # replaced longer ago than its max_age
    UNKNOWN = "unknown"  # never served, as far as checks have seen


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedPolicy:
    """The policy that a reporter applied on the newest day it told of."""

    reporter: str
    day: date
    policy: StsPolicy
    held: Held
    replaced_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A policy that was served from one day to another; None: it still is."""

    policy: StsPolicy
    since: date
    replaced_on: date | None


def read_reported_policies(domain: Domain, since: date, until: date) -> list[ReportedPolicy]:
    """Give for each reporter of these days what it applied last, sorted by reporter."""
    rows = (
        PolicyResult.objects.filter(
            domain=domain, day__range=(since, until), policy_type=PolicyKind.STS
        )
        .exclude(policy_strings=[])
        .order_by("-day", "-pk")
        .values_list("reporter", "day", "policy_strings")[:MOST_RESULTS]
    )
    newest: dict[str, tuple[date, Sequence[str]]] = {}
    for reporter, day, strings in rows:
        newest.setdefault(reporter, (day, strings))
    if not newest:
        return []
    served = list(_read_served(domain))
    found = []
    for reporter, (day, strings) in sorted(newest.items()):
        policy = parse_policy("\n".join(strings)).value
        if policy is not None and served:
            found.append(compare(reporter, day, policy, served))
    return found


def _read_served(domain: Domain) -> Iterable[Served]:
    """Give the usable policies in the order in which checks first saw them."""
    versions = RecordVersion.objects.filter(domain=domain, kind=RecordKind.POLICY)
    for version in versions.order_by("first_seen_at"):
        policy = parse_policy(version.content).value if version.content else None
        if policy is not None:
            end = version.replaced_at
            yield Served(
                policy=policy,
                since=version.first_seen_at.date(),
                replaced_on=end.date() if end else None,
            )


def compare(
    reporter: str, day: date, policy: StsPolicy, served: Sequence[Served]
) -> ReportedPolicy:
    """Say what a policy applied on this day was; `served` is not empty, oldest first."""
    held, replaced_on = Held.UNKNOWN, None
    same = [one for one in served if _is_same(one.policy, policy)]
    if same:
        replaced_on = same[-1].replaced_on
        held = _age(day, policy, replaced_on)
    elif day <= served[0].since + timedelta(seconds=policy.max_age_s):
        # It may be from before the first check.
        held = Held.EARLIER
    elif day <= served[-1].since:
        # On the day of a change a reporter may have seen something short-lived between two checks.
        held = Held.CURRENT
    return ReportedPolicy(
        reporter=reporter, day=day, policy=policy, held=held, replaced_on=replaced_on
    )


def _age(day: date, policy: StsPolicy, replaced_on: date | None) -> Held:
    if replaced_on is None or day <= replaced_on:
        return Held.CURRENT
    if day <= replaced_on + timedelta(seconds=policy.max_age_s):
        return Held.EARLIER
    return Held.OUTDATED


def _is_same(one: StsPolicy, other: StsPolicy) -> bool:
    """Compare what senders act on; the order of the mx lines says nothing."""
    return one.mode == other.mode and set(one.mx) == set(other.mx)
