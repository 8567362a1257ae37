"""The figures that rules look at, read from the rollups in a number of queries that does not
depend on the number of domains; the cost follows what fails."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from alerts.causes import Figures
from alerts.rules.history import History
from alerts.rules.regression import BASELINE_DAYS
from alerts.rules.silence import Volumes
from domains.models import Domain, DomainQuerySet, Posture
from domains.operators import operator_of
from mailtls.catalogue.result_types import POLICY_HOST_TYPES
from mailtls.observed import decode_observed
from reports.models import Channel, DailyFailures, DailySessions, Receipt

# Below this share of a reporter's sessions of a day nothing is looked at, let alone told.
LOOK_FROM_RATE = 1 / 200
LOOK_FROM_FAILED_SESSIONS = 5
# Where a reporter's sessions of those days mostly fail, so many are enough.
LOOK_FROM_FAILED_MOSTLY = 3
MOSTLY = 0.3
# A surge: so many failed sessions at so many domains, and so many times the most of four weeks.
SURGE_FAILED_SESSIONS = 10
SURGE_DOMAINS = 5
SURGE_GROWTH = 5
# Of a reporter that tells so many of 14 days it does at weekends, too, and may be a little late.
_DAILY_OF_TWO_WEEKS = 11
_CHUNK = 500
_EVERY_SEVENTH = sum(1 << n for n in range(0, 1_000, 7))

Surges = dict[int, set[tuple[str, str]]]


def load_figures(
    domains: DomainQuerySet,
    first_on: date,
    until: date,
    *,
    look_from: date,
    also: Iterable[int] = (),
    changed: set[int] | None = None,
) -> Figures:
    """Give the histories of the domains in which the days from `look_from` on may hold something.

    Domains without such a day are left out in the database. `also` are domains wanted in any case;
    `changed` narrows to domains whose figures are newer than the last look.
    """
    ids = suspicious_domains(domains, look_from, until) if changed is None else set()
    if changed:
        ids = suspicious_domains(domains.filter(pk__in=changed), look_from, until)
    surges: Surges = {}
    if changed is None or changed:
        surges, touched = _find_surges(domains, first_on, look_from, until)
        ids |= touched
    ids |= set(also)
    histories = load_histories(sorted(ids), first_on, until)
    span = (until - first_on).days + 1
    return Figures(first_on=first_on, span=span, histories=histories, surges=surges)


def suspicious_domains(domains: DomainQuerySet, since: date, until: date) -> set[int]:
    """Give the ids of domains with enough failed sessions to be worth a look."""
    rows = _within(DailySessions.objects.all(), domains, since, until)
    # Both: the index of what fails is for the first, the second is the floor.
    rows = rows.filter(failures__gte=1)
    rows = rows.filter(failures__gte=(F("successes") + F("failures")) * LOOK_FROM_RATE)
    failed = rows.values("domain").order_by()
    failed = failed.annotate(failed=Sum("failures"), good=Sum("successes"))
    enough = failed.filter(
        Q(failed__gte=LOOK_FROM_FAILED_SESSIONS)
        | Q(failed__gte=LOOK_FROM_FAILED_MOSTLY) & Q(failed__gte=(F("failed") + F("good")) * MOSTLY)
    )
    return set(enough.values_list("domain", flat=True))


def load_histories(ids: Sequence[int], first_on: date, until: date) -> dict[str, History]:
    """Give the histories of domains, by name, over a span of days."""
    span = (until - first_on).days + 1
    by_id: dict[int, History] = {}
    for chunk in _chunks(ids):
        for pk, name, team in Domain.objects.filter(pk__in=chunk).values_list("pk", "name", "team"):
            by_id[pk] = History(name, span, team)
        sessions = DailySessions.objects.filter(domain__in=chunk, day__range=(first_on, until))
        for pk, day, reporter, policy_type, good, bad, counted_good, counted_bad in (
            sessions.order_by()
            .values_list(
                "domain",
                "day",
                "reporter",
                "policy_type",
                "successes",
                "failures",
                "counted_successes",
                "counted_failures",
            )
            .iterator()
        ):
            by_id[pk].add_sessions(
                (day - first_on).days,
                reporter,
                policy_type,
                (good, bad),
                (counted_good, counted_bad),
            )
        failures = DailyFailures.objects.filter(domain__in=chunk, day__range=(first_on, until))
        for pk, day, result_type, receiving_mx, reporter, failed, counted in (
            failures.order_by()
            .values_list(
                "domain",
                "day",
                "result_type",
                "receiving_mx",
                "reporter",
                "failed_sessions",
                "counted_failed_sessions",
            )
            .iterator()
        ):
            # What counts under another policy type of the report still failed under this one.
            by_id[pk].add_failures(
                (day - first_on).days, result_type, receiving_mx, reporter, counted or failed
            )
    _add_policy_sites(by_id)
    return {history.domain: history for history in by_id.values()}


@dataclass(kw_only=True)
class Presence:
    """Who reported on whom over a span, by (domain, reporter).

    `days` is a number whose bit n says: reported on the day n of the span. `volumes` are the mean
    sessions of the reports, by the number of their day modulo seven.
    """

    days: dict[tuple[str, str], int]
    volumes: dict[tuple[str, str], Volumes]


def presence_of(domains: DomainQuerySet, since: date, until: date) -> Presence:
    """Give who reported on these domains, and how much, on the days from `since` on."""
    names = dict(domains.order_by().values_list("pk", "name"))
    numbers = {since + timedelta(days=n): n for n in range((until - since).days + 1)}
    days: dict[tuple[int, str], int] = defaultdict(int)
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * 7)
    rows = _within(DailySessions.objects.all(), domains, since, until)
    columns = ("domain", "reporter", "day", "successes", "failures")
    for pk, reporter, day, good, bad in rows.order_by().values_list(*columns).iterator():
        number = numbers[day]
        days[pk, reporter] |= 1 << number
        sums[pk, reporter][number % 7] += good + bad
    known = [pair for pair in days if pair[0] in names]
    return Presence(
        days={(names[pk], reporter): days[pk, reporter] for pk, reporter in known},
        volumes={
            (names[pk], reporter): _means(days[pk, reporter], sums[pk, reporter])
            for pk, reporter in known
        },
    )


def _means(days: int, sums: Sequence[int]) -> list[float]:
    """Give the mean sessions by weekday; that of all days where one has no report."""
    overall = sum(sums) / days.bit_count()
    counts = [(days & (_EVERY_SEVENTH << n)).bit_count() for n in range(7)]
    return [one / count if count else overall for one, count in zip(sums, counts, strict=True)]


@dataclass(kw_only=True)
class RecentPairs:
    """What two weeks say of the pairs of domain and reporter.

    `missing` are domains that some reporter told of and no longer does, `regular` says how many
    domains each reporter tells of regularly, `ages` how many days ago it last told of those of
    which it tells daily.
    """

    missing: set[int]
    regular: Counter[str]
    ages: dict[str, Counter[int]]


def recent_pairs(domains: DomainQuerySet, today: date) -> RecentPairs:
    """Give what the last two weeks say of who reports on whom, in one pass."""
    rows = _within(DailySessions.objects.all(), domains, today - timedelta(days=14), today)
    pairs = rows.order_by().values_list("domain", "reporter")
    quiet = today - timedelta(days=2)
    missing: set[int] = set()
    regular: Counter[str] = Counter()
    ages: dict[str, Counter[int]] = defaultdict(Counter)
    summed = pairs.annotate(last=Max("day"), days=Count("day", distinct=True))
    for pk, reporter, last, days in summed.iterator():
        regular[reporter] += days >= 6
        if last < quiet and days >= 4:
            missing.add(pk)
        if days >= _DAILY_OF_TWO_WEEKS:
            ages[reporter][(today - last).days] += 1
    return RecentPairs(missing=missing, regular=+regular, ages=ages)


def last_arrival(now: datetime, *, days: int) -> datetime | None:
    """Give when the last report came in; None where none or few do, so that none is expected.

    What people upload says nothing about the ways in from outside.
    """
    since = now - timedelta(days=days)
    rows = Receipt.objects.filter(received_at__gte=since, received_at__lte=now)
    outside = rows.exclude(channel__in=[Channel.UPLOAD, Channel.COMMAND])
    found = outside.aggregate(
        last=Max("received_at"), days=Count(TruncDate("received_at"), distinct=True)
    )
    return found["last"] if found["days"] * 2 >= BASELINE_DAYS else None


def _within(
    rows: QuerySet[Any], domains: DomainQuerySet, since: date, until: date
) -> QuerySet[Any]:
    return rows.filter(domain__in=domains.order_by().values("pk"), day__range=(since, until))


def _find_surges(
    domains: DomainQuerySet, first_on: date, look_from: date, until: date
) -> tuple[Surges, set[int]]:
    """Find result types and hosts that fail on a day far more than in the four weeks before it.

    Many domains with few sessions each show together what none shows alone. Asked is of all hosts
    of an operator together, as some give each domain its own; named are those that fail more.
    """
    first = max(first_on, look_from - timedelta(days=BASELINE_DAYS))
    rows = _within(DailyFailures.objects.all(), domains, look_from, until)
    recent = _by_host(rows)
    types = {
        what[0]
        for what, days in _by_site(recent).items()
        if max(days.values()) >= SURGE_FAILED_SESSIONS
    }
    if not types:
        return {}, set()
    whole = _by_host(
        _within(DailyFailures.objects.all(), domains, first, until).filter(result_type__in=types)
    )
    surges: Surges = {}
    touched: set[int] = set()
    for (result_type, site), days in _by_site(whole).items():
        for day, failed in days.items():
            past = (day - first_on).days
            if day < look_from or past < 7 or failed < SURGE_FAILED_SESSIONS:
                continue
            if not _is_surge(days, day):
                continue
            hosts = {
                host
                for (name, host), by_day in whole.items()
                if name == result_type
                and _site_of(result_type, host) == site
                and by_day.get(day)
                and _is_surge(by_day, day)
            }
            failing = rows.filter(day=day, result_type=result_type)
            there = {
                pk
                for pk, host in failing.values_list("domain", "receiving_mx")
                if ("" if result_type in POLICY_HOST_TYPES else host) in hosts
            }
            if len(there) >= SURGE_DOMAINS:
                surges.setdefault(past, set()).update((result_type, host) for host in hosts)
                touched |= there
    return surges, touched


def _is_surge(days: Mapping[date, int], day: date) -> bool:
    """Say whether so much more failed on a day than on the worst of the four weeks before."""
    before = (day - timedelta(days=n) for n in range(1, BASELINE_DAYS + 1))
    return days[day] >= SURGE_GROWTH * max((days.get(one, 0) for one in before), default=0)


def _by_host(rows: QuerySet[Any]) -> dict[tuple[str, str], Counter[date]]:
    found: dict[tuple[str, str], Counter[date]] = defaultdict(Counter)
    summed = rows.order_by().values_list("day", "result_type", "receiving_mx")
    for day, result_type, host, failed in summed.annotate(failed=Sum("failed_sessions")):
        found[result_type, "" if result_type in POLICY_HOST_TYPES else host][day] += failed
    return found


def _by_site(
    by_host: Mapping[tuple[str, str], Counter[date]],
) -> dict[tuple[str, str], Counter[date]]:
    found: dict[tuple[str, str], Counter[date]] = defaultdict(Counter)
    for (result_type, host), days in by_host.items():
        found[result_type, _site_of(result_type, host)].update(days)
    return found


def _site_of(result_type: str, host: str) -> str:
    return "" if result_type in POLICY_HOST_TYPES else operator_of(host)


def _add_policy_sites(by_id: dict[int, History]) -> None:
    """Say who operates the policy host of the domains whose policy host is complained of."""
    ids = [pk for pk, held in by_id.items() if held.types.keys() & POLICY_HOST_TYPES]
    for chunk in _chunks(ids):
        rows = Posture.objects.filter(domain__in=chunk).values_list("domain", "observed")
        for pk, observed in rows.iterator():
            by_id[pk].policy_site = policy_site_of(bytes(observed))


def policy_site_of(observed: bytes) -> str:
    """Give who operates the policy host: the operator a CNAME leads to, else its address."""
    if not observed:
        return ""
    try:
        policy = decode_observed(observed).policy
    except msgspec.DecodeError:
        return ""  # stored by another version; the grouping does without it
    for answer in (policy.v4, policy.v6) if policy is not None else ():
        if answer is not None and answer.cnames:
            return operator_of(answer.cnames[-1])
    addresses = [
        address
        for answer in ((policy.v4, policy.v6) if policy is not None else ())
        if answer is not None
        for address in answer.addresses
    ]
    return min(addresses, default="")


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
