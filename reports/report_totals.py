"""What the reports of a list add up to, from the daily figures that the charts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Coalesce

from reports.cause_key import CauseKey, failures_telling, of_cause
from reports.fleet import Scope, domain_failures_of, reporter_sums_of, sessions_of


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
    # Policy types are never added up, so under one type all of its sessions are meant.
    good, bad = F("counted_successes"), F("counted_failures")
    narrowed = {}
    if asked.reporter:
        narrowed["reporter"] = asked.reporter
    if asked.policy_type:
        narrowed["policy_type"] = asked.policy_type
        good, bad = F("successes"), F("failures")
    sums = [
        rows.filter(**narrowed).aggregate(
            failed=Coalesce(Sum(bad), 0), sessions=Coalesce(Sum(good + bad), 0)
        )
        for rows in _rows(asked)
    ]
    return ReportTotals(
        failed=sum(one["failed"] for one in sums),
        sessions=None if asked.is_failing else sum(one["sessions"] for one in sums),
    )


def _rows(asked: Asked) -> list[QuerySet[Any]]:
    """Give rows of sessions; an open end has days of one domain only, and no spans that end."""
    is_open = asked.since == date.min or asked.until == date.max
    if is_open:
        return [sessions_of(asked.scope, asked.since, asked.until)]
    return reporter_sums_of(asked.scope, asked.since, asked.until)


def _failed_so(asked: Asked, cause: CauseKey) -> int:
    # The sums of teams do not tell reporters apart.
    read = domain_failures_of if asked.reporter else failures_telling(cause)
    rows = of_cause(read(asked.scope, asked.since, asked.until), cause)
    if asked.reporter:
        rows = rows.filter(reporter=asked.reporter)
    failed: int = rows.aggregate(failed=Coalesce(Sum("counted_failed_sessions"), 0))["failed"]
    return failed
