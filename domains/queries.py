"""Questions about the whole inventory, each one query."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import NamedTuple

from django.db.models import Count, F, Q

from domains.models import DomainQuerySet, Status, StsMode


class _State(NamedTuple):
    """What a domain's posture says, as far as it is counted."""

    tlsrpt: str
    mta_sts: str
    sts_mode: str
    mx: str
    dane: str
    has_uncovered_mx: bool
    has_errors: bool
    is_stale: bool

    @property
    def mode(self) -> str:
        """Give the mode of the policy that senders use, empty where there is none."""
        return self.sts_mode if self.mta_sts == Status.VALID else ""


_COUNTS: dict[str, Callable[[_State], bool]] = {
    "total": lambda _: True,
    "no_mail": lambda one: one.mx == Status.NULL_MX,
    "unchecked": lambda one: not one.tlsrpt,
    "stale": lambda one: one.is_stale,
    "tlsrpt_valid": lambda one: one.tlsrpt == Status.VALID,
    "tlsrpt_valid_with_mail": lambda one: one.tlsrpt == Status.VALID and one.mx != Status.NULL_MX,
    "tlsrpt_missing": lambda one: one.tlsrpt == Status.MISSING,
    # Domains that say they take no mail are not asked for a record.
    "tlsrpt_wanted": lambda one: one.tlsrpt == Status.MISSING and one.mx != Status.NULL_MX,
    "tlsrpt_invalid": lambda one: one.tlsrpt == Status.INVALID,
    "tlsrpt_unknown": lambda one: one.tlsrpt == Status.UNKNOWN,
    "sts_enforce": lambda one: one.mode == StsMode.ENFORCE,
    "sts_testing": lambda one: one.mode == StsMode.TESTING,
    "sts_none": lambda one: one.mode == StsMode.NONE,
    "sts_missing": lambda one: one.mta_sts == Status.MISSING,
    "sts_invalid": lambda one: one.mta_sts == Status.INVALID,
    "sts_unknown": lambda one: one.mta_sts == Status.UNKNOWN,
    "sts_uncovered": lambda one: one.mode == StsMode.ENFORCE and one.has_uncovered_mx,
    "sts_blind": lambda one: (
        one.mode == StsMode.ENFORCE and one.tlsrpt == Status.MISSING and one.mx != Status.NULL_MX
    ),
    "dane_valid": lambda one: one.dane == Status.VALID,
    "dane_missing": lambda one: one.dane == Status.MISSING,
    "dane_invalid": lambda one: one.dane == Status.INVALID,
    "dane_unknown": lambda one: one.dane in {Status.UNKNOWN, Status.NOT_CHECKED},
    "with_errors": lambda one: one.has_errors,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How many domains are in which state; unchecked ones are in none of the three aspects."""

    total: int
    no_mail: int
    unchecked: int
    stale: int
    tlsrpt_valid: int
    tlsrpt_valid_with_mail: int
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
    sts_blind: int
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
    return add_up(one.coverage for one in coverage_by_team(domains))


def add_up(parts: Iterable[Coverage]) -> Coverage:
    """Give the coverage of all domains from that of each team."""
    rows = [astuple(part) for part in parts] or [(0,) * len(_COUNTS)]
    return Coverage(**dict(zip(_COUNTS, map(sum, zip(*rows, strict=True)), strict=True)))


def coverage_by_team(domains: DomainQuerySet) -> list[TeamCoverage]:
    """Count the states of each team's domains, by the team's name; those without a team last.

    Domains in the same state are counted together: there are few states, and many domains.
    """
    rows = (
        domains.order_by()
        .annotate(
            has_errors=Q(errors__gt=0),
            is_stale=Q(unknown_since__isnull=False),
            team_name=F("team__name"),
        )
        .values_list("team", "team_name", *_State._fields)
        .annotate(Count("pk"))
    )
    teams: defaultdict[tuple[int | None, str], Counter[_State]] = defaultdict(Counter)
    for pk, name, *states, count in rows:
        teams[pk, name or "No team"][_State(*states)] += count
    found = [
        TeamCoverage(team_id=pk, team=name, coverage=_coverage(held))
        for (pk, name), held in teams.items()
    ]
    return sorted(found, key=lambda one: (one.team_id is None, one.team.lower()))


def _coverage(held: Counter[_State]) -> Coverage:
    return Coverage(
        **{
            name: sum(count for state, count in held.items() if is_in(state))
            for name, is_in in _COUNTS.items()
        }
    )
