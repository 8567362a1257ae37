"""Whose figures are asked for, and from which rows the answer comes.

A page of whole teams, one mode or one provider asks for a `Fleet`: its figures are added up already
(reports.sum_models). Any other set of domains, and a fleet whose sums do not hold at the moment, is
added up domain by domain. Both give the same numbers; here alone is decided which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import DateField, Max, OuterRef, Q, QuerySet, Subquery

from accounts.access import Person, sees_everything, visible_to
from domains.models import Domain, DomainQuerySet, StsMode, provider_named
from reports.counted import Kind, moved_domains, narrowing_to
from reports.models import DailyFailures, DailySessions
from reports.spans import day_key, days_and_longer, last_day_around, longest_between, spans_between
from reports.sum_models import (
    ALL_TEAMS,
    CountedDomain,
    DomainCause,
    DomainCauseSpan,
    DomainReporter,
    DomainReporterSpan,
    DomainSpan,
    TeamCauseDomains,
    TeamCauseSpan,
    TeamFailures,
    TeamSessions,
)


@dataclass(frozen=True, eq=False)
class Fleet:
    """The watched domains that a person may see: of all their teams, of one, or of NO_TEAM; and of
    these all, or those in one mode or at one provider (as in addresses)."""

    person: Person
    team: int | None = None
    mode: StsMode | None = None
    provider: str = ""

    @cached_property
    def domains(self) -> DomainQuerySet:
        """Give the domains."""
        found = Domain.objects.visible_to(self.person).active()
        if self.team is not None:
            found = found.filter(team=self.team or None)
        if self.mode:
            found = found.in_mode(self.mode)
        return found.of_provider(self.provider) if self.provider else found

    @cached_property
    def kind(self) -> Kind | None:
        """Say what kind of sums its figures are added up in; None where in none."""
        if not (self.mode or self.provider):
            return Kind.ALL if self._is_of_all_teams else Kind.TEAM
        if (self.mode and self.provider) or not self._is_of_all_teams:
            return None
        return Kind.MODE if self.mode else Kind.PROVIDER

    @cached_property
    def _is_of_all_teams(self) -> bool:
        return self.team is None and sees_everything(self.person)

    @property
    def _narrowed_to(self) -> dict[Kind, str]:
        if self.mode:
            return {Kind.MODE: self.mode}
        return {Kind.PROVIDER: provider_named(self.provider)} if self.provider else {}

    def of_sums(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow sums of teams to those of this fleet."""
        if self.kind is Kind.TEAM:
            return self._of_teams(rows.filter(narrowing=""))
        narrowing = "".join(narrowing_to(*pair) for pair in self._narrowed_to.items())
        return rows.filter(team=ALL_TEAMS, narrowing=narrowing)

    def of_counted(self, rows: QuerySet[CountedDomain]) -> QuerySet[CountedDomain]:
        """Narrow what domains are counted for to the domains of this fleet."""
        if self.kind is Kind.TEAM:
            return self._of_teams(rows)
        return rows.filter(**self._narrowed_to)

    def _of_teams(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        mine = visible_to(self.person, rows)
        return mine if self.team is None else mine.filter(team=self.team)

    @cached_property
    def is_added_up(self) -> bool:
        """Say whether its sums are there and hold: no domain has moved since the last roll-up."""
        return self.kind is not None and not moved_domains([self.kind]).exists()

    @cached_property
    def is_whole(self) -> bool:
        """Say whether all that is counted belongs to it, but for paused domains."""
        return self.kind is Kind.ALL and self.is_added_up

    @cached_property
    def newest_day(self) -> date:
        """Give the newest day that anything is told of."""
        newest: date | None = DailySessions.objects.aggregate(newest=Max("day"))["newest"]
        return newest or date.min


# None: every domain, watched or not.
Scope = QuerySet[Domain] | Fleet | None


def domains_of(scope: Scope) -> QuerySet[Domain] | None:
    """Give the domains that are asked for, None for every one."""
    return scope.domains if isinstance(scope, Fleet) else scope


def of_domains(rows: QuerySet[Any], scope: Scope) -> QuerySet[Any]:
    """Narrow rows of figures, with a `domain_id`, to the domains that are asked for."""
    return rows.filter(in_scope(scope))


def in_scope(scope: Scope) -> Q:
    """Give the condition that `domain_id` is a domain that is asked for; none where any is."""
    if isinstance(scope, Fleet) and scope.is_whole:
        # To look for each row among the few that are paused is less than to find its domain.
        paused = CountedDomain.objects.filter(is_active=False)
        return Q(domain_id__isnull=False) & ~Q(domain_id__in=paused.values("pk"))
    domains = domains_of(scope)
    return Q() if domains is None else Q(domain_id__in=domains.order_by().values("pk"))


def sessions_of(scope: Scope, since: date, until: date) -> QuerySet[Any]:
    """Give rows of sessions by day, reporter and policy type: of teams, or of domains."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        return scope.of_sums(TeamSessions.objects.filter(day__range=(since, until)))
    return of_domains(DailySessions.objects.filter(day__range=(since, until)), scope)


def reporter_sums_of(scope: Scope, since: date, until: date) -> list[QuerySet[Any]]:
    """Give rows of sessions by reporter and policy type: of teams, or of domains by days and longer
    spans."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        return [sessions_of(scope, since, until)]
    days, longer = days_and_longer(_fewest_spans(scope, since, until))
    spans = DomainReporterSpan.objects.filter(span__in=longer)
    return [of_domains(DailySessions.objects.filter(day__in=days), scope), of_domains(spans, scope)]


def failures_of(scope: Scope, since: date, until: date) -> QuerySet[Any]:
    """Give rows of failed sessions that count, by day, cause and operator: of teams or domains."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        return scope.of_sums(TeamFailures.objects.filter(day__range=(since, until)))
    return domain_failures_of(scope, since, until)


def domain_failures_of(scope: Scope, since: date, until: date) -> QuerySet[DailyFailures]:
    """Give rows of failed sessions that count, by domain, day, cause, MX and reporter."""
    rows = DailyFailures.objects.filter(day__range=(since, until), counted_failed_sessions__gt=0)
    return of_domains(rows, scope)


def domain_cause_sums_of(scope: Scope, since: date, until: date) -> list[QuerySet[Any]]:
    """Give the same without reporters, as rows of long spans and of the days around them."""
    keys, around = longest_between(since, _last_day_held(scope, until))
    if not keys:
        return [domain_failures_of(scope, since, until)]
    spans = of_domains(DomainCauseSpan.objects.filter(span__in=keys), scope)
    days = [domain_failures_of(scope, *ends) for ends in around]
    return [spans, *days]


def spans_of(scope: Scope, since: date, until: date) -> QuerySet[DomainSpan]:
    """Give the rows that make up these days, a few for each domain."""
    rows = DomainSpan.objects.filter(span__in=_fewest_spans(scope, since, until))
    return of_domains(rows, scope)


def days_of(scope: Scope, days: Iterable[date]) -> QuerySet[DomainSpan]:
    """Give one row for each domain and day; `span` is the day's key."""
    return of_domains(DomainSpan.objects.filter(span__in=[day_key(day) for day in days]), scope)


def reporters_of(scope: Scope, since: date, until: date) -> QuerySet[DomainReporter]:
    """Give the pairs of domain and reporter of which there is a report in the span."""
    told = DailySessions.objects.filter(
        domain=OuterRef("domain_id"), reporter=OuterRef("reporter"), day__lte=until
    )
    return _seen(DomainReporter.objects.all(), told, scope, since, until)


def find_told_domains(scope: Scope, since: date, until: date) -> QuerySet[Any] | None:
    """Give one row for each domain that was reported on in the span, where such rows are held."""
    if not isinstance(scope, Fleet) or not scope.is_added_up or _is_told_of_after(scope, until):
        return None
    told = CountedDomain.objects.filter(is_active=True, last_day__range=(since, until))
    return scope.of_counted(told)


def cause_reporters_of(scope: Scope, since: date, until: date) -> QuerySet[Any]:
    """Give rows of failed sessions that count, by cause, operator and reporter, of some days."""
    if isinstance(scope, Fleet) and scope.is_added_up:
        spans = _fewest_spans(scope, since, until)
        return scope.of_sums(TeamCauseSpan.objects.filter(span__in=spans))
    return domain_failures_of(scope, since, until)


def cause_days_of(fleet: Fleet, days: Iterable[date]) -> QuerySet[TeamCauseSpan]:
    """Give the same of single days of a fleet that is added up; `span` is the day's key."""
    keys = [day_key(day) for day in days]
    return fleet.of_sums(TeamCauseSpan.objects.filter(span__in=keys))


def failures_on(fleet: Fleet, days: Iterable[date]) -> QuerySet[TeamFailures]:
    """Give rows of failed sessions of single days of a fleet that is added up, as failures_of."""
    return fleet.of_sums(TeamFailures.objects.filter(day__in=list(days)))


def causes_of(scope: Scope, since: date, until: date) -> QuerySet[DomainCause]:
    """Give each cause of a domain that was told of in the span."""
    told = DailyFailures.objects.filter(
        domain=OuterRef("domain_id"),
        result_type=OuterRef("result_type"),
        operator=OuterRef("operator"),
        counted_failed_sessions__gt=0,
        day__lte=until,
    )
    return _seen(DomainCause.objects.all(), told, scope, since, until)


def newest_causes_of(scope: Scope, since: date, until: date) -> QuerySet[DomainCause] | None:
    """Give one row for each result type and domain that had it in the span, where such are held."""
    if _is_told_of_after(scope, until):
        return None
    newest = DomainCause.objects.filter(is_newest=True, last_day__range=(since, until))
    return of_domains(newest, scope)


def cause_domains_of(scope: Scope, since: date, until: date) -> QuerySet[TeamCauseDomains] | None:
    """Give rows that add up to the domains that had each cause in the span, where such are held."""
    if not isinstance(scope, Fleet) or not scope.is_added_up or _is_told_of_after(scope, until):
        return None
    return scope.of_sums(TeamCauseDomains.objects.filter(last_day__range=(since, until)))


def _seen(
    rows: QuerySet[Any], told: QuerySet[Any], scope: Scope, since: date, until: date
) -> QuerySet[Any]:
    """Narrow to what was last told of in the span, or later and in the span as well.

    Spans end with yesterday, so hardly ever is anything later, and only then daily figures are
    read: the mere chance of it makes PostgreSQL plan badly. By a subquery for one row and not by
    EXISTS, which PostgreSQL may work out for all rows at once.
    """
    in_span = Q(last_day__range=(since, until))
    if not _is_told_of_after(scope, until):
        return of_domains(rows.filter(in_span), scope)
    newest = Subquery(told.order_by("-day").values("day")[:1], output_field=DateField())
    later = Q(last_day__gt=until, newest__gte=since)
    return of_domains(rows.annotate(newest=newest).filter(in_span | later), scope)


def _fewest_spans(scope: Scope, since: date, until: date) -> list[int]:
    """Name the spans that make up these days."""
    return spans_between(since, _last_day_held(scope, until))


def _last_day_held(scope: Scope, until: date) -> date:
    """Give the last day of the longest span around the last day, if no more is told of in it."""
    return until if _is_told_of_after(scope, until) else last_day_around(until)


def _is_told_of_after(scope: Scope, until: date) -> bool:
    if isinstance(scope, Fleet):
        return scope.newest_day > until
    return DailySessions.objects.filter(day__gt=until).exists()


def limit_of(most: int | None) -> int:
    """Give what a LIMIT says for these first rows, or for all."""
    return 2**31 - 1 if most is None else most


def count_distinct(rows: QuerySet[Any], keys: Sequence[str], name: str) -> dict[Any, int]:
    """Count by the values of `keys` how many different values of `name` there are.

    Grouped twice, because PostgreSQL sorts all rows for COUNT(DISTINCT …).
    """
    pairs, params = rows.order_by().values(*keys, name).distinct().query.sql_with_params()
    columns = ", ".join(connection.ops.quote_name(key) for key in keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}, COUNT(*) FROM ({pairs}) pairs GROUP BY {columns}",  # noqa: S608 — names of columns
            params,
        )
        return {tuple(key): count for *key, count in cursor.fetchall()}
