"""What is asked about causes of failures: which there are, how far they reach, and the evidence.

Scope and days are as in reports.queries.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Max, Min, Q, QuerySet, Sum, Window

from reports.fleet import (
    Scope,
    cause_days_of,
    cause_reporters_of,
    causes_of,
    count_distinct,
    domain_failures_of,
    domains_of,
    failures_of,
)
from reports.models import FailureDetail, ReceivingHost
from reports.spans import day_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseKey:
    """A cause: a result type, at one operator or one receiving MX where these are not None.

    An operator runs MX hosts (mailtls.providers.operator_of). Both are empty where reporters name
    no host. As one reporter alone tells of it, where `reporter` is not empty.
    """

    result_type: str
    operator: str | None = None
    receiving_mx: str | None = None
    reporter: str = ""

    @property
    def in_address(self) -> dict[str, str]:
        """Give what narrows it as addresses name it."""
        return self._named("operator", "mx")

    @property
    def in_rows(self) -> dict[str, str]:
        """Give what narrows it as columns of daily figures name it."""
        return self._named("operator", "receiving_mx")

    def _named(self, operator: str, receiving_mx: str) -> dict[str, str]:
        named = {
            operator: self.operator,
            receiving_mx: self.receiving_mx,
            "reporter": self.reporter or None,
        }
        return {name: value for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause(CauseKey):
    """The failed sessions of a cause."""

    failed_sessions: int
    operators: int = 0
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many domains a cause touches, and how many reporters tell of it."""

    domains: int
    reporters: int


class Part(NamedTuple):
    """The part of a cause that one domain, reporter, operator or MX has; a fleet has thousands."""

    key: Any
    failed_sessions: int
    domains: int
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
# More names than this are not worth a filter.
_MOST_NAMES = 500


def causes(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the result types that failed sessions had, most failed sessions first."""
    groups: defaultdict[str, list[Cause]] = defaultdict(list)
    for one in causes_by_operator(scope, since, until):
        groups[one.result_type].append(one)
    found = [
        Cause(
            result_type=result_type,
            failed_sessions=sum(one.failed_sessions for one in group),
            operators=sum(one.operators for one in group),
            first_day=min(one.first_day for one in group),
            last_day=max(one.last_day for one in group),
        )
        for result_type, group in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.failed_sessions, one.result_type))


def causes_by_operator(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the failed sessions by result type and operator, most failed sessions first."""
    rows = failures_of(scope, since, until).values_list("result_type", "operator")
    summed = rows.annotate(Sum("counted_failed_sessions"), Min("day"), Max("day"))
    found = [
        Cause(
            result_type=result_type,
            operator=operator,
            failed_sessions=failed,
            operators=1 if operator else 0,
            first_day=first_day,
            last_day=last_day,
        )
        for result_type, operator, failed, first_day, last_day in summed
    ]
    return sorted(found, key=lambda one: (-one.failed_sessions, one.result_type, one.operator))


def causes_by_receiving_mx(scope: Scope, since: date, until: date) -> list[Cause]:
    """Give the failed sessions by result type and receiving MX, most failed sessions first.

    Not for a whole fleet: each of its domains may have hosts of its own.
    """
    rows = domain_failures_of(scope, since, until).values_list("result_type", "receiving_mx")
    summed = rows.annotate(Sum("counted_failed_sessions"), Min("day"), Max("day"))
    found = [
        Cause(
            result_type=result_type,
            receiving_mx=receiving_mx,
            failed_sessions=failed,
            first_day=first_day,
            last_day=last_day,
        )
        for result_type, receiving_mx, failed, first_day, last_day in summed
    ]
    return sorted(found, key=lambda one: (-one.failed_sessions, one.result_type, one.receiving_mx))


def extents(scope: Scope, found: Sequence[Cause], since: date, until: date) -> list[Extent]:
    """Give how far each of these causes reaches; all are of one kind of key."""
    reporters = _counts(_told_by(scope, found, since, until), found, "reporter")
    return [
        Extent(domains=domain_count, reporters=reporter_count)
        for domain_count, reporter_count in zip(
            domain_counts(scope, found, since, until), reporters, strict=True
        )
    ]


def domain_counts(scope: Scope, found: Sequence[Cause], since: date, until: date) -> list[int]:
    """Give how many domains each of these causes touches, as `extents` does."""
    if _is_at("receiving_mx", found):
        return _counts(domain_failures_of(scope, since, until), found, "domain_id")
    told = causes_of(scope, since, until)
    if not _is_at("operator", found):
        return _counts(told, found, "domain_id")
    # Each row is another domain: to look for equal ones would take most of the time.
    rows = _named(told, found, "result_type", "operator").values_list("result_type", "operator")
    counts = {tuple(key): domains for *key, domains in rows.annotate(Count("domain_id"))}
    return [counts.get((one.result_type, one.operator), 0) for one in found]


def _told_by(scope: Scope, found: Sequence[Cause], since: date, until: date) -> QuerySet[Any]:
    if _is_at("receiving_mx", found):
        return domain_failures_of(scope, since, until)
    return cause_reporters_of(scope, since, until)


def _is_at(name: str, found: Sequence[Cause]) -> bool:
    return any(getattr(one, name) is not None for one in found)


def _counts(told: QuerySet[Any], found: Sequence[Cause], name: str) -> list[int]:
    if not found:
        return []
    keys = "result_type", *(key for key in ("operator", "receiving_mx") if _is_at(key, found))
    counts = count_distinct(_named(told, found, *keys), keys, name)
    return [counts.get(tuple(getattr(one, key) for key in keys), 0) for one in found]


def _named(told: QuerySet[Any], found: Sequence[Cause], *keys: str) -> QuerySet[Any]:
    """Narrow rows to what these causes name, where that is not too much for a filter."""
    for key in keys:
        names = {getattr(one, key) for one in found}
        if len(names) <= _MOST_NAMES:
            told = told.filter(**{f"{key}__in": names})
    return told


def failed_by_day(
    scope: Scope, cause: CauseKey, since: date, until: date
) -> list[tuple[date, int]]:
    """Give every day of the span with its failed sessions, zero where there were none."""
    rows = of_cause(failures_telling(cause)(scope, since, until), cause).values_list("day")
    found: dict[date, int] = dict(rows.annotate(Sum("counted_failed_sessions")))
    span = (since + timedelta(days=n) for n in range((until - since).days + 1))
    return [(day, found.get(day, 0)) for day in span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a cause, most failed sessions first, and how many there are."""

    shown: list[Part]
    count: int


def parts_by_domain(
    scope: Scope, cause: CauseKey, since: date, until: date, most: int | None = None
) -> Parts:
    """Give the part that each domain has, by its id: the first ones, or all."""
    rows = of_cause(domain_failures_of(scope, since, until), cause)
    found = _first_parts(rows, "domain_id", most)
    parts = [Part(pk, failed, 1, first, last) for pk, failed, first, last, _ in found]
    return Parts(shown=parts, count=found[0][-1] if found else 0)


def parts_by_reporter(told: Iterable[Told]) -> list[Part]:
    """Give the part that each reporter told of, without how many domains it told of."""
    return _fold((one.reporter, one) for one in told)


def parts_by_operator(
    told: Iterable[Told], scope: Scope, cause: CauseKey, since: date, until: date
) -> list[Part]:
    """Give the part that each operator of MX hosts has."""
    parts = _fold((one.operator, one) for one in told)
    if not parts:
        return []
    # Which domains have a cause is held, but neither at which host nor by whom it was told.
    is_held = cause.receiving_mx is None and not cause.reporter
    held = (causes_of if is_held else domain_failures_of)(scope, since, until)
    rows = of_cause(held, cause)
    domains = count_distinct(rows, ("operator",), "domain_id")
    return [part._replace(domains=domains.get((part.key,), 0)) for part in parts]


def parts_by_host(
    scope: Scope, cause: CauseKey, since: date, until: date, most: int | None = None
) -> Parts:
    """Give the part that each receiving MX of a cause at one operator has: the first, or all."""
    rows = of_cause(domain_failures_of(scope, since, until), cause)
    one, other = Min("domain_id"), Max("domain_id")
    found = _first_parts(rows, "receiving_mx", most, one=one, other=other)
    shared = [host for host, *_, one, other, _ in found if one != other]
    domains: dict[Any, int] = {}
    # Where providers give each domain a host of its own there is hardly any to count.
    if shared:
        of_shared = rows.filter(receiving_mx__in=shared) if len(shared) <= _MOST_NAMES else rows
        domains = count_distinct(of_shared, ("receiving_mx",), "domain_id")
    parts = [
        Part(host, failed, domains.get((host,), 1), first, last)
        for host, failed, first, last, *_ in found
    ]
    return Parts(shown=parts, count=found[0][-1] if found else 0)


class Told(NamedTuple):
    """What one reporter told of a cause at one operator."""

    reporter: str
    operator: str
    failed_sessions: int
    first_day: date
    last_day: date


def _first_parts(
    rows: QuerySet[Any], name: str, most: int | None, **more: Any
) -> list[tuple[Any, ...]]:
    """Group rows of domains: key, failed, first and last day, `more`, the number of all groups."""
    groups = (
        rows.values_list(name)
        .annotate(failed=Sum("counted_failed_sessions"), first=Min("day"), last=Max("day"), **more)
        .annotate(count=Window(Count("*")))
        .order_by("-failed", name)
    )
    return list(groups[:most])


def told_of(scope: Scope, cause: CauseKey, since: date, until: date) -> list[Told]:
    """Give what reporters told of a cause, by operator."""
    names, failed = ("reporter", "operator"), Sum("counted_failed_sessions")
    held = None if cause.receiving_mx is not None else cause_days_of(scope, since, until)
    if held is None:
        rows = of_cause(domain_failures_of(scope, since, until), cause).values_list(*names)
        return [Told(*row) for row in rows.annotate(failed, Min("day"), Max("day"))]
    days = of_cause(held, cause).values_list(*names).annotate(failed, Min("span"), Max("span"))
    return [
        Told(reporter, operator, sessions, day_of(first), day_of(last))
        for reporter, operator, sessions, first, last in days
    ]


def _fold(told: Iterable[tuple[str, Told]]) -> list[Part]:
    parts: dict[str, Part] = {}
    for key, one in told:
        held = parts.get(key) or Part(key, 0, 0, one.first_day, one.last_day)
        parts[key] = Part(
            key,
            held.failed_sessions + one.failed_sessions,
            0,
            min(held.first_day, one.first_day),
            max(held.last_day, one.last_day),
        )
    return sorted(parts.values(), key=lambda part: (-part.failed_sessions, part.key))


def evidence(
    scope: Scope, cause: CauseKey, since: date, until: date, concerned: Parts
) -> QuerySet[FailureDetail]:
    """Give the failure details that reporters sent and that count, the last to arrive first.

    `concerned` are the domains that have a part in it: where these are few, the database need not
    look through the results of all others.
    """
    rows = details_with_reports().filter(
        details_condition(cause), result__day__range=(since, until), result__is_counted=True
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


class NewestDetail(NamedTuple):
    """What is counted of one of the newest failure details of a cause."""

    pk: int
    reason_code: str
    failed_sessions: int | None
    domain: int
    reporter: str


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


def details_condition(cause: CauseKey, path: str = "") -> Q:
    """Give the condition of a cause on failure details; `path` leads to them."""
    condition = Q(**{f"{path}result_type": cause.result_type})
    if cause.operator:
        hosts = ReceivingHost.objects.filter(operator=cause.operator).values("pk")
        condition &= Q(**{f"{path}receiving_mx_hostname__in": hosts})
    elif cause.operator is not None:
        condition &= Q(**{f"{path}receiving_mx_hostname": ""})
    if cause.receiving_mx is not None:
        condition &= Q(**{f"{path}receiving_mx_hostname": cause.receiving_mx})
    if cause.reporter:
        condition &= Q(**{f"{path}result__reporter": cause.reporter})
    return condition


def of_cause(rows: QuerySet[Any], cause: CauseKey) -> QuerySet[Any]:
    """Narrow daily figures or sums to those of a cause (see `failures_telling`)."""
    return rows.filter(result_type=cause.result_type, **cause.in_rows)


def failures_telling(cause: CauseKey) -> Callable[[Scope, date, date], QuerySet[Any]]:
    """Give what reads failed sessions by all that a cause names: daily sums tell neither hosts nor
    reporters apart."""
    is_of_sums = cause.receiving_mx is None and not cause.reporter
    return failures_of if is_of_sums else domain_failures_of
