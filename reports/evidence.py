"""The failure details behind a cause, and the reasons that they name.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import QuerySet

from reports.cause_key import CauseKey, details_condition
from reports.cause_parts import Parts
from reports.fleet import (
    Scope,
    domains_of,
)
from reports.models import FailureDetail

# Reasons are counted in so many details: a cause of years may have millions.
NEWEST_DETAILS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What reporters give as the reason of failures; an empty `code` is where they give none.

    With the failed sessions of each domain and by each reporter, most first.
    """

    code: str
    failed_sessions: int
    by_domain: list[tuple[int, int]]
    by_reporter: list[tuple[str, int]]


class NewestDetail(NamedTuple):
    """What is counted of one of the newest failure details of a cause."""

    pk: int
    reason_code: str
    failed_sessions: int | None
    domain: int
    reporter: str


def evidence(
    scope: Scope, cause: CauseKey, since: date, until: date, concerned: Parts
) -> QuerySet[FailureDetail]:
    """Give the failure details that reporters sent and that count, the last to arrive first.

    `concerned` are the domains that have a part in it: where these are few, the database need not
    look through the results of all others.
    """
    rows = details_with_reports().filter(
        details_condition(cause),
        result__day__range=(since, until),
        result__is_counted=True,
    )
    if len(concerned.shown) == concerned.count:
        return rows.filter(result__domain__in=[part.key for part in concerned.shown])
    domains = domains_of(scope)
    if domains is None:
        return rows
    return rows.filter(result__domain__in=domains.order_by().values("pk"))


def details_with_reports() -> QuerySet[FailureDetail]:
    """Give failure details with what they belong to, the last to arrive first."""
    return (
        FailureDetail.objects.select_related("result__report", "result__domain")
        .defer("result__report__document")
        .order_by("-pk")
    )


def newest_details(found: QuerySet[FailureDetail]) -> list[NewestDetail]:
    """Give the newest of these details."""
    rows = found.select_related(None).values_list(
        "pk", "failure_reason_code", "failed_sessions", "result__domain", "result__reporter"
    )
    return [NewestDetail(*row) for row in rows[:NEWEST_DETAILS]]


def reasons_of(newest: Sequence[NewestDetail]) -> list[Reason]:
    """Give the reasons that these details name, most failed sessions first."""
    told: defaultdict[str, list[NewestDetail]] = defaultdict(list)
    for detail in newest:
        told[detail.reason_code].append(detail)
    found_reasons = [
        Reason(
            code=code,
            failed_sessions=sum(detail.failed_sessions or 0 for detail in group),
            by_domain=_most_first((one.domain, one.failed_sessions or 0) for one in group),
            by_reporter=_most_first((one.reporter, one.failed_sessions or 0) for one in group),
        )
        for code, group in told.items()
    ]
    return sorted(found_reasons, key=lambda one: (-one.failed_sessions, one.code))


def _most_first(told: Iterable[tuple[Any, int]]) -> list[tuple[Any, int]]:
    summed: Counter[Any] = Counter()
    for key, failed in told:
        summed[key] += failed
    return sorted(summed.items(), key=lambda one: (-one[1], one[0]))
