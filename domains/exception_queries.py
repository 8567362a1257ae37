"""Questions about exceptions: which run, which end soon, which ran out while the lack stands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from datetime import date, timedelta

from django.db.models import BooleanField, Case, Count, Q, When

from domains.history import states_on
from domains.lacks import EXPIRING_DAYS, Lack, excused_by
from domains.models import (
    CoverageException,
    CoverageExceptionQuerySet,
    DomainQuerySet,
    Status,
    StsMode,
)


def lacking(lack: Lack, path: str = "") -> Q:
    """Give the condition on domains that they lack this today; `path` leads to their state.

    What takes no mail lacks nothing: there is no delivery to protect and none to report on.
    """
    in_mode = {f"{path}mta_sts": Status.VALID}
    no_policy = Q(**{f"{path}mta_sts": Status.MISSING}) | Q(
        **in_mode, **{f"{path}sts_mode": StsMode.NONE}
    )
    match lack:
        case Lack.TLSRPT:
            lacks_it = Q(**{f"{path}tlsrpt": Status.MISSING})
        case Lack.MTA_STS:
            lacks_it = no_policy
        case Lack.ENFORCE:
            lacks_it = no_policy | Q(**in_mode, **{f"{path}sts_mode": StsMode.TESTING})
        case Lack.DANE:
            lacks_it = Q(**{f"{path}dane": Status.MISSING})
    return lacks_it & ~Q(**{f"{path}mx": Status.NULL_MX})


def _lacking_what_they_are_about() -> Q:
    """Give the condition on exceptions that their domains lack today what they are about."""
    condition = Q(pk__in=())
    for lack in Lack:
        condition |= Q(lack=lack) & lacking(lack, "domain__posture__")
    return condition


def count_excepted_without_tlsrpt(domains: DomainQuerySet, on: date) -> dict[str, int]:
    """Count the domains that may lack TLS-RPT on this day and do: `all`, and those in `enforce`."""
    running = CoverageException.objects.running_on(on).filter(lack=Lack.TLSRPT)
    excepted = domains.filter(lacking(Lack.TLSRPT), pk__in=running.order_by().values("domain"))
    enforcing = Q(mta_sts=Status.VALID, sts_mode=StsMode.ENFORCE)
    return excepted.order_by().aggregate(all=Count("pk"), enforce=Count("pk", filter=enforcing))


def running_exceptions(domains: DomainQuerySet, on: date) -> CoverageExceptionQuerySet:
    """Give the exceptions of these domains that held at the end of this day (UTC)."""
    return _of(domains).running_on(on)


def expiring_exceptions(
    domains: DomainQuerySet, on: date, within_days: int = EXPIRING_DAYS
) -> CoverageExceptionQuerySet:
    """Give the running ones whose last day is at most so many days ahead, soonest first."""
    last = on + timedelta(days=within_days)
    return running_exceptions(domains, on).filter(expires_on__lte=last)


def lapsed_exceptions(domains: DomainQuerySet, on: date) -> CoverageExceptionQuerySet:
    """Give those that ran out before this day while the domain still lacks it today."""
    return lacking_only(_of(domains).expired_on(on))


def with_lacking(exceptions: CoverageExceptionQuerySet) -> CoverageExceptionQuerySet:
    """Add `is_lacking`: whether the domain lacks today what the exception is about."""
    lacks_it = Case(
        When(_lacking_what_they_are_about(), then=True), default=False, output_field=BooleanField()
    )
    return exceptions.annotate(is_lacking=lacks_it)


def lacking_only(exceptions: CoverageExceptionQuerySet) -> CoverageExceptionQuerySet:
    """Narrow to those whose domain lacks today what they are about."""
    return exceptions.filter(_lacking_what_they_are_about())


def exceptions_by_domain(
    on: date, ids: Collection[int] | None = None
) -> dict[int, dict[Lack, CoverageException]]:
    """Give the exceptions that ran on this day, by domain and by what it may lack; one query.

    `ids` narrows to some domains; a page full, not all there are.
    """
    running = CoverageException.objects.running_on(on)
    held: defaultdict[int, dict[Lack, CoverageException]] = defaultdict(dict)
    for one in running if ids is None else running.filter(domain__in=ids):
        held[one.domain_id][Lack(one.lack)] = one
    return dict(held)


def excepted_by_team(
    domains: DomainQuerySet, on: date
) -> dict[int | None, Counter[tuple[str, str]]]:
    """Count the domains of each team whose state on this day was excused, by aspect and value."""
    running = running_exceptions(domains, on)
    held: defaultdict[int, set[str]] = defaultdict(set)
    for domain_id, lack in running.order_by().values_list("domain", "lack"):
        held[domain_id].add(lack)
    if not held:
        return {}
    counts: defaultdict[int | None, Counter[tuple[str, str]]] = defaultdict(Counter)
    chosen = domains.filter(pk__in=running.order_by().values("domain"))
    for state in states_on(chosen, on):
        for aspect, value in (("tlsrpt", state.tlsrpt), ("sts", state.sts), ("dane", state.dane)):
            if held[state.domain_id] & excused_by(aspect, value):
                counts[state.team_id][aspect, value] += 1
    return dict(counts)


def _of(domains: DomainQuerySet) -> CoverageExceptionQuerySet:
    return CoverageException.objects.filter(domain__in=domains.order_by().values("pk"))
