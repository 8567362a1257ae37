"""What is asked about causes of failures: which there are, how far they reach, and the evidence.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet, Sum

from reports.fleet import (
    Scope,
    causes_of,
    count_distinct,
    domain_failures_of,
    domains_of,
    failures_of,
)
from reports.models import FailureDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseKey:
    """A cause: a result type, at one receiving MX where `receiving_mx` is not None.

    As one reporter alone tells of it, where `reporter` is not empty.
    """

    result_type: str
    receiving_mx: str | None = None
    reporter: str = ""

    @property
    def in_address(self) -> dict[str, str]:
        """Give MX and reporter as addresses name them; an empty MX is where reporters name none."""
        mx = {} if self.receiving_mx is None else {"mx": self.receiving_mx}
        return mx | ({"reporter": self.reporter} if self.reporter else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause(CauseKey):
    """The failed sessions of a cause; an empty `receiving_mx` is where reporters name none."""

    failed_sessions: int
    receiving_mxs: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many domains a cause touches, and how many reporters tell of it."""

    domains: int
    reporters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The part of a cause that one domain, reporter or MX has."""

    key: Any
    failed_sessions: int
    domains: int
    reporters: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """What reporters give as the reason of failures; an empty `code` is where they give none.

    With the failed sessions of each domain and by each reporter, most first.
    """

    code: str
    failed_sessions: int
    by_domain: list[tuple[int, int]]
    by_reporter: list[tuple[str, int]]


# Reasons are counted in so many details: a cause of years may have millions.
NEWEST_DETAILS = 500
# More names of MX hosts than this are not worth a filter.
_MOST_NAMES = 500


def causes(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the result types that failed sessions had, most failed sessions first."""
    groups: defaultdict[str, list[Cause]] = defaultdict(list)
    for one in causes_by_receiving_mx(scope, since, until):
        groups[one.result_type].append(one)
    found = [
        Cause(
            result_type=result_type,
            failed_sessions=sum(one.failed_sessions for one in group),
            receiving_mxs=sum(one.receiving_mxs for one in group),
            first_day=min(one.first_day for one in group),
            last_day=max(one.last_day for one in group),
        )
        for result_type, group in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.failed_sessions, one.result_type))


def causes_by_receiving_mx(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the failed sessions by result type and receiving MX, most failed sessions first."""
    rows = failures_of(scope, since, until).values_list("result_type", "receiving_mx")
    summed = rows.annotate(Sum("counted_failed_sessions"), Min("day"), Max("day"))
    found = [
        Cause(
            result_type=result_type,
            receiving_mx=receiving_mx,
            failed_sessions=failed,
            receiving_mxs=1 if receiving_mx else 0,
            first_day=first_day,
            last_day=last_day,
        )
        for result_type, receiving_mx, failed, first_day, last_day in summed
    ]
    return sorted(found, key=lambda one: (-one.failed_sessions, one.result_type, one.receiving_mx))


def extents(scope: Scope, found: Sequence[Cause], since: date, until: date) -> list[Extent]:
    """Give how far each of these causes reaches; all have a receiving MX, or none has."""
    told = causes_of(scope, since, until)
    domains, reporters = _counts(told, found, "domain_id"), _counts(told, found, "reporter")
    return [
        Extent(domains=domain_count, reporters=reporter_count)
        for domain_count, reporter_count in zip(domains, reporters, strict=True)
    ]


def domain_counts(scope: Scope, found: Sequence[Cause], since: date, until: date) -> list[int]:
    """Give how many domains each of these causes touches, as `extents` does."""
    return _counts(causes_of(scope, since, until), found, "domain_id")


def _counts(told: QuerySet[Any], found: Sequence[Cause], name: str) -> list[int]:
    keys: tuple[str, ...] = ("result_type",)
    if any(one.receiving_mx is not None for one in found):
        keys += ("receiving_mx",)
        mxs = {one.receiving_mx for one in found}
        told = told.filter(receiving_mx__in=mxs) if len(mxs) <= _MOST_NAMES else told
    counts = count_distinct(told, keys, name)
    return [counts.get((one.result_type, one.receiving_mx)[: len(keys)], 0) for one in found]


def failed_by_day(
    scope: Scope, cause: CauseKey, since: date, until: date
) -> list[tuple[date, int]]:
    """Give every day of the span with its failed sessions, zero where there were none."""
    # The sums of teams do not tell by whom.
    told = domain_failures_of if cause.reporter else failures_of
    rows = of_cause(told(scope, since, until), cause).values_list("day")
    found: dict[date, int] = dict(rows.annotate(Sum("counted_failed_sessions")))
    span = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return [(day, found.get(day, 0)) for day in span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A cause taken apart, most failed sessions first."""

    by_domain: list[Part]
    by_reporter: list[Part]
    by_receiving_mx: list[Part]


def parts_of(scope: Scope, cause: CauseKey, since: date, until: date) -> Parts:
    """Take a cause apart by domain, by reporter and by MX."""
    rows = list(
        of_cause(domain_failures_of(scope, since, until), cause)
        .values_list("domain", "reporter", "receiving_mx")
        .annotate(Sum("counted_failed_sessions"), Min("day"), Max("day"))
    )
    return Parts(
        by_domain=_parts(rows, 0), by_reporter=_parts(rows, 1), by_receiving_mx=_parts(rows, 2)
    )


def _parts(rows: list[tuple[Any, ...]], at: int) -> list[Part]:
    """Group by the first (domain), second (reporter) or third (MX) of each row."""
    grouped: defaultdict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        grouped[row[at]].append(row)
    parts = [
        Part(
            key=key,
            failed_sessions=sum(row[3] for row in group),
            domains=len({row[0] for row in group}),
            reporters=len({row[1] for row in group}),
            first_day=min(row[4] for row in group),
            last_day=max(row[5] for row in group),
        )
        for key, group in grouped.items()
    ]
    return sorted(parts, key=lambda part: (-part.failed_sessions, part.key))


def worst_domains(scope: Scope, since: date, until: date, most: int) -> list[int]:
    """Give the ids of the domains with the most failed sessions, worst first."""
    rows = domain_failures_of(scope, since, until).values_list("domain")
    summed = rows.annotate(failed=Sum("counted_failed_sessions"))
    return [key for key, _ in summed.order_by("-failed", "domain")[:most]]


def evidence(scope: Scope, cause: CauseKey, since: date, until: date) -> QuerySet[FailureDetail]:
    """Give the failure details that reporters sent and that count, the last to arrive first."""
    counted = FailureDetail.objects.filter(
        result__day__range=(since, until), result__is_counted=True
    )
    rows = of_details(counted, cause)
    if (domains := domains_of(scope)) is not None:
        rows = rows.filter(result__domain__in=domains.order_by().values("pk"))
    return (
        rows.select_related("result__report", "result__domain")
        .defer("result__report__document")
        .order_by("-pk")
    )


def reasons_of(found: QuerySet[FailureDetail]) -> list[Reason]:
    """Give the reasons that the newest of these details name, most failed sessions first."""
    rows = found.select_related(None).values_list(
        "failure_reason_code", "failed_sessions", "result__domain", "result__reporter"
    )
    told: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for code, failed, domain, reporter in rows[:NEWEST_DETAILS]:
        told[code].append((failed or 0, domain, reporter))
    found_reasons = [
        Reason(
            code=code,
            failed_sessions=sum(failed for failed, _, _ in group),
            by_domain=_most_first((domain, failed) for failed, domain, _ in group),
            by_reporter=_most_first((reporter, failed) for failed, _, reporter in group),
        )
        for code, group in told.items()
    ]
    return sorted(found_reasons, key=lambda one: (-one.failed_sessions, one.code))


def _most_first(told: Iterable[tuple[Any, int]]) -> list[tuple[Any, int]]:
    summed: Counter[Any] = Counter()
    for key, failed in told:
        summed[key] += failed
    return sorted(summed.items(), key=lambda one: (-one[1], one[0]))


def of_details(rows: QuerySet[FailureDetail], cause: CauseKey) -> QuerySet[FailureDetail]:
    """Narrow failure details to those of a cause."""
    rows = rows.filter(result_type=cause.result_type)
    if cause.receiving_mx is not None:
        rows = rows.filter(receiving_mx_hostname=cause.receiving_mx)
    return rows.filter(result__reporter=cause.reporter) if cause.reporter else rows


def of_cause(rows: QuerySet[Any], cause: CauseKey) -> QuerySet[Any]:
    """Narrow daily figures or sums to those of a cause."""
    rows = rows.filter(result_type=cause.result_type)
    if cause.receiving_mx is not None:
        rows = rows.filter(receiving_mx=cause.receiving_mx)
    return rows.filter(reporter=cause.reporter) if cause.reporter else rows
