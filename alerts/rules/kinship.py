"""Which findings of checks and which failures that senders report have one cause; pure.

A certificate that ends is seen by the checks and, from then on, told by reporters: one incident.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from alerts.rules.found import VAGUE_TYPES
from mailtls.catalogue.result_types import POLICY_HOST_TYPES

# Reports come up to some days late, and checks look at most of the domains once a day.
SAME_START = timedelta(days=3)

_CERTIFICATE = frozenset({"certificate-expired", "validation-failure"})
_NOT_NAMED = frozenset({"validation-failure", "certificate-host-mismatch", "sts-policy-invalid"})
_TLSA = frozenset({"tlsa-invalid", "dnssec-invalid", "dane-required", "validation-failure"})
_ANY_TLS = frozenset(
    {
        "starttls-not-supported",
        "certificate-expired",
        "certificate-not-trusted",
        "certificate-host-mismatch",
        "validation-failure",
    }
)

# By the code of a finding: how sessions fail where it is true (RFC 8460 section 4.3).
FAILS_WITH: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "sts.mx.not-covered": _NOT_NAMED,
        "change.sts.id-not-bumped": _NOT_NAMED,
        "sts.cert.expires-soon": POLICY_HOST_TYPES,
        "change.sts.broken": POLICY_HOST_TYPES,
        "change.sts.removed": POLICY_HOST_TYPES,
        "change.sts.removed-while-cached": POLICY_HOST_TYPES,
        "starttls.cert.expires-soon": _CERTIFICATE,
        "change.starttls.broken": _ANY_TLS,
        "change.dane.broken": _TLSA,
        "change.dane.removed": _TLSA,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What an incident shows of its cause.

    `types` are the result types told, or those that would be; `site` is who runs the hosts
    concerned, empty where nobody knows. `is_seen`: by checks, not told by reporters.
    """

    is_seen: bool
    types: frozenset[str]
    site: str
    since_on: date
    domain_count: int


def is_kin(held: Signs, new: Signs, shared: int) -> bool:
    """Say whether what is new has the cause of what is held; `shared` domains are in both."""
    if not held.is_seen and not new.is_seen:
        return False  # failures of one cause are joined with their figures at hand
    if shared * 2 < min(held.domain_count, new.domain_count) or not shared:
        return False
    if held.site and new.site and held.site != new.site:
        return False
    is_same_start = abs(new.since_on - held.since_on) <= SAME_START
    # What checks see stands until it is mended, and senders meet it later.
    if not is_same_start and not (held.is_seen and held.since_on < new.since_on):
        return False
    if held.is_seen and new.is_seen:
        return bool((held.types & new.types) - VAGUE_TYPES)
    return bool(held.types & new.types) or (is_same_start and _is_unnamed(held, new))


def _is_unnamed(held: Signs, new: Signs) -> bool:
    """Say whether reporters give no type at all for sessions that would fail."""
    told, seen = (new, held) if held.is_seen else (held, new)
    return told.types == {""} and bool(seen.types)


def site_of(code: str, site: str, hosts: Collection[str]) -> str:
    """Give who runs the hosts of a finding; the site of a certificate is its end, not an operator.

    `hosts` are operators of the MX hosts; a policy host's operator is not compared, because
    reporters do not tell it.
    """
    if FAILS_WITH.get(code, frozenset()) <= POLICY_HOST_TYPES:
        return ""
    if code.endswith(".expires-soon"):
        return min(hosts, default="")
    return site
