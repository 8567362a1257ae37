"""What enforce does to failed sessions: which of them it refuses, and which are another matter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q, Sum

from mailtls.catalogue.result_types import Concern, concern_of, types_of
from reports.fleet import Scope, domain_failures_of

_NOT_REFUSED = types_of(Concern.POLICY) | types_of(Concern.DANE)


class Apart(NamedTuple):
    """Failed sessions that MTA-STS refuses in no mode, as the details of reports tell of them."""

    unread: int = 0
    under_dane: int = 0


class UnderEnforce(NamedTuple):
    """Failed sessions by what enforce does to them; together they are all that failed."""

    refused: int = 0
    unread: int = 0  # the policy could not be read: not refused, but unprotected
    under_dane: int = 0  # held back under DANE, with enforce or without

    @property
    def failures(self) -> int:
        """Give all that failed."""
        return sum(self)


def of_concern(concern: Concern) -> Q:
    """Give the condition on result types that are about this."""
    if concern is Concern.CONNECTION:
        return ~Q(result_type__in=sorted(_NOT_REFUSED))
    return Q(result_type__in=sorted(types_of(concern)))


def read_apart(scope: Scope, since: date, until: date, key: str) -> dict[Any, Apart]:
    """Give by `domain_id`, `reporter` or `day` what enforce would not have refused.

    Few rows are read: those of six result types. Where there are none, nothing is given.
    """
    rows = domain_failures_of(scope, since, until).filter(result_type__in=sorted(_NOT_REFUSED))
    groups = rows.order_by().values_list(key, "result_type")
    found: defaultdict[Any, Apart] = defaultdict(Apart)
    for value, result_type, failed in groups.annotate(Sum("counted_failed_sessions")):
        held = found[value]
        if concern_of(result_type) is Concern.POLICY:
            found[value] = held._replace(unread=held.unread + failed)
        else:
            found[value] = held._replace(under_dane=held.under_dane + failed)
    return dict(found)


def add_up(parts: Iterable[Apart]) -> Apart:
    """Give the sums of several days or domains."""
    held = list(parts)
    return Apart(sum(one.unread for one in held), sum(one.under_dane for one in held))


def split(failures: int, apart: Apart) -> UnderEnforce:
    """Tell failed sessions apart.

    They are from the summaries of reports and need not agree with the details: what no detail sets
    apart counts as refused, and never more is set apart than failed.
    """
    unread = min(failures, apart.unread)
    under_dane = min(failures - unread, apart.under_dane)
    return UnderEnforce(failures - unread - under_dane, unread, under_dane)
