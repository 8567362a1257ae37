"""The figures that rules look at, read from the rollups in a number of queries that does not
depend on the number of domains; the cost follows what fails."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from django.db.models import Count, F, Max, QuerySet, Sum
from django.db.models.functions import TruncDate

from alerts.causes import Figures
from alerts.rules.found import POLICY_HOST_TYPES, operator_of
from alerts.rules.history import History
from alerts.rules.regression import BASELINE_DAYS
from domains.models import Domain, DomainQuerySet, Posture
from mailtls.observed import decode_observed
from reports.models import Channel, DailyFailures, DailySessions, Receipt

# Below this share of a reporter's sessions of a day nothing is looked at, let alone told.
LOOK_FROM_RATE = 1 / 200
LOOK_FROM_FAILED_SESSIONS = 5
# A surge: so many failed sessions at so many domains, and so many times the most of four weeks.
SURGE_FAILED_SESSIONS = 10
SURGE_DOMAINS = 5
SURGE_GROWTH = 5
# Of a reporter that tells so many of 14 days it does at weekends, too, and may be a little late.
_DAILY_OF_TWO_WEEKS = 11
_CHUNK = 500

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
    failed = rows.values("domain").annotate(failed=Sum("failures")).order_by()
    enough = failed.filter(failed__gte=LOOK_FROM_FAILED_SESSIONS)
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


def presence_of(domains: DomainQuerySet, since: date, until: date) -> dict[tuple[str, str], int]:
    """Give by (domain, reporter) a number whose bit n says: reported on the day n after `since`."""
    names = dict(domains.order_by().values_list("pk", "name"))
    found: dict[tuple[int, str], int] = defaultdict(int)
    rows = _within(DailySessions.objects.all(), domains, since, until)
    days = {since + timedelta(days=n): 1 << n for n in range((until - since).days + 1)}
    for pk, reporter, day in rows.order_by().values_list("domain", "reporter", "day").iterator():
        found[pk, reporter] |= days[day]
    return {(names[pk], reporter): bits for (pk, reporter), bits in found.items() if pk in names}


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
    """Find result types and sites that fail on a day far more than in the four weeks before it.

    Many domains with few sessions each show together what none shows alone.
    """
    first = max(first_on, look_from - timedelta(days=BASELINE_DAYS))
    rows = _within(DailyFailures.objects.all(), domains, look_from, until)
    recent = _by_site(rows)
    types = {
        what[0] for what, days in recent.items() if max(days.values()) >= SURGE_FAILED_SESSIONS
    }
    if not types:
        return {}, set()
    whole = _by_site(
        _within(DailyFailures.objects.all(), domains, first, until).filter(result_type__in=types)
    )
    surges: Surges = {}
    touched: set[int] = set()
    for (result_type, site), days in whole.items():
        for day, failed in days.items():
            past = (day - first_on).days
            if day < look_from or past < 7 or failed < SURGE_FAILED_SESSIONS:
                continue
            before = (day - timedelta(days=n) for n in range(1, BASELINE_DAYS + 1))
            if failed < SURGE_GROWTH * max((days.get(one, 0) for one in before), default=0):
                continue
            there = {
                pk
                for pk, host in rows.filter(day=day, result_type=result_type).values_list(
                    "domain", "receiving_mx"
                )
                if _site_of(result_type, host) == site
            }
            if len(there) >= SURGE_DOMAINS:
                surges.setdefault(past, set()).add((result_type, site))
                touched |= there
    return surges, touched


def _by_site(rows: QuerySet[Any]) -> dict[tuple[str, str], Counter[date]]:
    found: dict[tuple[str, str], Counter[date]] = defaultdict(Counter)
    summed = rows.order_by().values_list("day", "result_type", "receiving_mx")
    for day, result_type, host, failed in summed.annotate(failed=Sum("failed_sessions")):
        found[result_type, _site_of(result_type, host)][day] += failed
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
