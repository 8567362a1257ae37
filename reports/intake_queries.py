"""What is asked of arrivals and of what they brought: how new, for whom, and what waits.

No scope (None) means every domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Least

from mailtls.names import display_name
from reports.fleet import Fleet, Scope, domains_of, of_domains
from reports.models import (
    MOST_SESSIONS,
    DailySessions,
    Intake,
    Outcome,
    PolicyResult,
    Receipt,
    Report,
)
from reports.sum_models import DomainReporter, TeamSessions


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmanagedDomain:
    """A domain that is reported on and not in the inventory."""

    name: str
    reports: int
    reporters: int
    successes: int
    failures: int
    first_day: date
    last_day: date

    @property
    def display_name(self) -> str:
        """Give the name as people read it."""
        return display_name(self.name)

    @property
    def sessions(self) -> int:
        """Give successes and failures together."""
        return self.successes + self.failures


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How recent the reports are, and whether any wait."""

    newest_day: date | None
    last_received_at: datetime | None
    waiting: int
    waiting_since: datetime | None


def unmanaged_domains() -> list[UnmanagedDomain]:
    """Give the names that are reported on and not in the inventory, most reported first."""
    most, counted = Value(MOST_SESSIONS), Q(is_counted=True)
    failed = Coalesce("failures", "failures_in_details")
    rows = (
        PolicyResult.objects.filter(domain=None)
        .exclude(policy_domain="")
        .values("policy_domain")
        .annotate(
            reports=Count("report", distinct=True),
            reporters=Count("reporter", distinct=True),
            good=Coalesce(Sum(Least("successes", most), filter=counted), 0),
            bad=Coalesce(Sum(Least(failed, most), filter=counted), 0),
            first_day=Min("day"),
            last_day=Max("day"),
        )
    )
    return [
        UnmanagedDomain(
            name=row["policy_domain"],
            reports=row["reports"],
            reporters=row["reporters"],
            successes=row["good"],
            failures=row["bad"],
            first_day=row["first_day"],
            last_day=row["last_day"],
        )
        for row in rows.order_by("-reports", "policy_domain")
    ]


def data_freshness(scope: Scope = None) -> Freshness:
    """Give the newest reported day, the last arrival, and what waits to be read."""
    waiting = Receipt.objects.filter(processed_at=None).aggregate(
        count=Count("pk"), oldest=Min("received_at")
    )
    newest = Receipt.objects.filter(outcome=Outcome.ACCEPTED).order_by("-received_at")
    return Freshness(
        newest_day=_newest_day(scope),
        last_received_at=newest.values_list("received_at", flat=True).first(),
        waiting=waiting["count"],
        waiting_since=waiting["oldest"],
    )


def _newest_day(scope: Scope) -> date | None:
    if scope is None:
        found = DailySessions.objects.aggregate(newest=Max("day"))
    elif isinstance(scope, Fleet) and scope.is_added_up:
        found = scope.of_sums(TeamSessions.objects.all()).aggregate(newest=Max("day"))
    else:
        told = of_domains(DomainReporter.objects.all(), scope)
        found = told.aggregate(newest=Max("last_day"))
    newest: date | None = found["newest"]
    return newest


def oldest_waiting_receipt() -> datetime | None:
    """Give when the receipt that waits longest arrived, None when none waits."""
    waiting = Receipt.objects.filter(processed_at=None).order_by("received_at")
    return waiting.values_list("received_at", flat=True).first()


def reports_for(scope: Scope) -> QuerySet[Report]:
    """Give the reports with a result for one of these domains, newest first."""
    domains = domains_of(scope)
    if domains is None:
        return Report.objects.all()
    results = PolicyResult.objects.filter(domain__in=domains.order_by().values("pk"))
    return Report.objects.filter(pk__in=results.values("report"))


def receipts_with(outcome: Outcome) -> QuerySet[Receipt]:
    """Give the receipts that ended so, newest first."""
    return Receipt.objects.filter(outcome=outcome).order_by("-received_at")


def find_intake(key: str) -> int | None:
    """Find the id of the intake that has this key and is not revoked."""
    found = Intake.objects.filter(key=key, revoked_at=None)
    return found.values_list("pk", flat=True).first()
