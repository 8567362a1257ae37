"""The failure details behind a cause, and the reasons that they name.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from reports.cause_key import CauseKey, details_condition, details_naming, of_cause
from reports.cause_parts import Parts
from reports.cause_queries import CauseDay
from reports.fleet import Scope, domain_failures_of, domains_of
from reports.models import DailyFailures, FailureDetail, PolicyResult

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


class Newest(NamedTuple):
    """The newest failure details of a cause, and whether there are no others."""

    details: list[NewestDetail]
    are_all: bool


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


def newest_details(scope: Scope, cause: CauseKey, days: Sequence[CauseDay]) -> Newest:
    """Give details of the newest of these days, and no more days than it takes.

    Daily figures tell on which days and at which domains to look: each row of them has a detail, as
    long as its report is kept.
    """
    since, until = _since_enough(days), days[-1].day
    rows = of_cause(domain_failures_of(scope, since, until), cause).order_by("-day", "domain_id")
    newest = rows.values("domain_id", "day", "reporter").distinct()[:NEWEST_DETAILS]
    results = _results_on(newest)
    found = FailureDetail.objects.filter(details_naming(cause), result__in=results).order_by("-pk")
    told = found.values_list("pk", "failure_reason_code", "failed_sessions", "result_id")
    details = [
        NewestDetail(pk, code, failed, *results[result])
        for pk, code, failed, result in told[:NEWEST_DETAILS]
    ]
    return Newest(details, are_all=since == days[0].day and len(details) < NEWEST_DETAILS)


# By a join, which the ORM does not make with what is no table.
_RESULTS = """
SELECT r.id, r.domain_id, r.reporter
FROM ({told}) told JOIN {results} r
     ON r.domain_id = told.domain_id AND r.day = told.day AND r.reporter = told.reporter
WHERE r.is_counted AND (r.failures > 0 OR r.failures_in_details > 0)
"""


def _results_on(told: QuerySet[DailyFailures, dict[str, Any]]) -> dict[int, tuple[int, str]]:
    """Give domain and reporter of the results, by id, from which these daily figures come."""
    rows, params = told.query.sql_with_params()
    statement = _RESULTS.format(told=rows, results=PolicyResult._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {pk: (domain, reporter) for pk, domain, reporter in cursor.fetchall()}


def _since_enough(days: Sequence[CauseDay]) -> date:
    """Give the newest day since which there is enough."""
    rows = 0
    for one in reversed(days):
        rows += one.rows
        if rows >= NEWEST_DETAILS:
            return one.day
    return days[0].day


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
