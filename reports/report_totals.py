"""What the reports of a list add up to, from the daily figures that the charts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from reports.cause_key import CauseKey, failures_telling, of_cause
from reports.fleet import Scope, domain_failures_of, sessions_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whose reports, of which days, and which of their sessions."""

    scope: Scope
    since: date
    until: date
    reporter: str = ""
    policy_type: str = ""
    cause: CauseKey | None = None
    is_failing: bool = False  # reports without failures are left out


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTotals:
    """Failed sessions, and all of them where the list leaves none of them out."""

    failed: int
    sessions: int | None = None


def add_up(asked: Asked) -> ReportTotals:
    """Give what the reports say together; it equals what a page says that links to them."""
    if asked.cause is not None:
        return ReportTotals(failed=_failed_so(asked, asked.cause))
    rows: QuerySet[Any] = sessions_of(asked.scope, asked.since, asked.until)
    if asked.reporter:
        rows = rows.filter(reporter=asked.reporter)
    # Policy types are never added up, so under one type all of its sessions are meant.
    good, bad = F("counted_successes"), F("counted_failures")
    if asked.policy_type:
        rows = rows.filter(policy_type=asked.policy_type)
        good, bad = F("successes"), F("failures")
    sums = rows.aggregate(failed=Coalesce(Sum(bad), 0), sessions=Coalesce(Sum(good + bad), 0))
    return ReportTotals(
        failed=sums["failed"], sessions=None if asked.is_failing else sums["sessions"]
    )


def _failed_so(asked: Asked, cause: CauseKey) -> int:
    # The sums of teams do not tell reporters apart.
    read = domain_failures_of if asked.reporter else failures_telling(cause)
    rows = of_cause(read(asked.scope, asked.since, asked.until), cause)
    if asked.reporter:
        rows = rows.filter(reporter=asked.reporter)
    failed: int = rows.aggregate(failed=Coalesce(Sum("counted_failed_sessions"), 0))["failed"]
    return failed
