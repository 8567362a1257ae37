"""Questions about the whole inventory, each one query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import Any

from django.db.models import Count, Q

from domains.models import DomainQuerySet, Status, StsMode

_TLSRPT = Q(tlsrpt=Status.VALID)
_STS = Q(mta_sts=Status.VALID)
_NO_MAIL = Q(mx=Status.NULL_MX)

COUNTS = {
    "total": Count("pk"),
    "no_mail": Count("pk", filter=_NO_MAIL),
    "unchecked": Count("pk", filter=Q(tlsrpt="")),
    "stale": Count("pk", filter=Q(unknown_since__isnull=False)),
    "tlsrpt_valid": Count("pk", filter=_TLSRPT),
    "tlsrpt_missing": Count("pk", filter=Q(tlsrpt=Status.MISSING)),
    # Domains that say they take no mail are not asked for a record.
    "tlsrpt_wanted": Count("pk", filter=Q(tlsrpt=Status.MISSING) & ~_NO_MAIL),
    "tlsrpt_invalid": Count("pk", filter=Q(tlsrpt=Status.INVALID)),
    "tlsrpt_unknown": Count("pk", filter=Q(tlsrpt=Status.UNKNOWN)),
    "sts_enforce": Count("pk", filter=_STS & Q(sts_mode=StsMode.ENFORCE)),
    "sts_testing": Count("pk", filter=_STS & Q(sts_mode=StsMode.TESTING)),
    "sts_none": Count("pk", filter=_STS & Q(sts_mode=StsMode.NONE)),
    "sts_missing": Count("pk", filter=Q(mta_sts=Status.MISSING)),
    "sts_invalid": Count("pk", filter=Q(mta_sts=Status.INVALID)),
    "sts_unknown": Count("pk", filter=Q(mta_sts=Status.UNKNOWN)),
    "sts_uncovered": Count(
        "pk",
        filter=_STS & Q(sts_mode=StsMode.ENFORCE, has_uncovered_mx=True),
    ),
    "dane_valid": Count("pk", filter=Q(dane=Status.VALID)),
    "dane_missing": Count("pk", filter=Q(dane=Status.MISSING)),
    "dane_invalid": Count("pk", filter=Q(dane=Status.INVALID)),
    "dane_unknown": Count("pk", filter=Q(dane__in=[Status.UNKNOWN, Status.NOT_CHECKED])),
    "with_errors": Count("pk", filter=Q(errors__gt=0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many domains are in which state; unchecked ones are in none of the three aspects."""

    total: int
    no_mail: int
    unchecked: int
    stale: int
    tlsrpt_valid: int
    tlsrpt_missing: int
    tlsrpt_wanted: int
    tlsrpt_invalid: int
    tlsrpt_unknown: int
    sts_enforce: int
    sts_testing: int
    sts_none: int
    sts_missing: int
    sts_invalid: int
    sts_unknown: int
    sts_uncovered: int
    dane_valid: int
    dane_missing: int
    dane_invalid: int
    dane_unknown: int
    with_errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCoverage:
    """The coverage of one team's domains; no team: those that belong to none."""

    team_id: int | None
    team: str
    coverage: Coverage


def coverage(domains: DomainQuerySet) -> Coverage:
    """Count the states of these domains."""
    return Coverage(**domains.order_by().aggregate(**COUNTS))


def add_up(parts: Iterable[Coverage]) -> Coverage:
    """Give the coverage of all domains from that of each team."""
    rows = [astuple(part) for part in parts]
    return Coverage(**dict(zip(COUNTS, map(sum, zip(*rows, strict=True)), strict=True)))


def coverage_by_team(domains: DomainQuerySet) -> list[TeamCoverage]:
    """Count the states of each team's domains, by the team's name; those without a team last."""
    rows: list[dict[str, Any]] = [
        dict(row) for row in domains.order_by().values("team", "team__name").annotate(**COUNTS)
    ]
    found = [
        TeamCoverage(
            team_id=row["team"],
            team=row["team__name"] or "No team",
            coverage=Coverage(**{name: row[name] for name in COUNTS}),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.team_id is None, one.team.lower()))
