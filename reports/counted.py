"""What a domain's figures are added up for, and whether that is still what the inventory says."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Coalesce

from domains.models import USED_MODE, Domain
from reports.sum_models import NO_TEAM, CountedDomain

if TYPE_CHECKING:
    from collections.abc import Iterable


class Kind(StrEnum):
    """What figures are added up for: each watched domain is in one sum of each kind.

    But for ALL, these are columns of CountedDomain.
    """

    TEAM = "team"
    ALL = "all"  # domains
    MODE = "sts"
    PROVIDER = "provider"


_COLUMNS = {
    "is_active": F("is_active"),
    "team": Coalesce("team", NO_TEAM),
    "sts": USED_MODE,
    "provider": F("mx_provider"),
}


def narrowing_to(kind: Kind, value: str) -> str:
    """Name the sums of the domains of all teams in one mode, or at one provider."""
    return f"{kind}={value}"


def moved_domains(kinds: Iterable[Kind]) -> QuerySet[CountedDomain]:
    """Give the domains that are counted for others, of these kinds, than the inventory says.

    Their sums do not hold until the next roll-up.
    """
    told = ("is_active", *(kind for kind in kinds if kind is not Kind.ALL))
    as_counted = _inventory().filter(
        pk=OuterRef("domain_id"), **{f"now_{name}": OuterRef(name) for name in told}
    )
    return CountedDomain.objects.filter(~Exists(as_counted))


def count_as_now(domains: QuerySet[Domain], kinds: Iterable[Kind] = Kind) -> None:
    """Note what these domains are counted for from now on; the kinds not named stay as they are."""
    told = ["is_active" if kind is Kind.ALL else kind for kind in kinds]
    names = [f"now_{name}" for name in _COLUMNS]
    rows = _inventory().filter(pk__in=domains.order_by().values("pk")).values_list("pk", *names)
    CountedDomain.objects.bulk_create(
        (CountedDomain(pk, **dict(zip(_COLUMNS, found, strict=True))) for pk, *found in rows),
        batch_size=5_000,
        update_conflicts=True,
        unique_fields=["domain_id"],
        update_fields=told,
    )


def _inventory() -> QuerySet[Domain]:
    now = {f"now_{name}": column for name, column in _COLUMNS.items()}
    return Domain.objects.annotate(**now).order_by()
