"""The overview: is our mail transport safe today, and what needs me?"""

from __future__ import annotations

from datetime import timedelta
from heapq import nlargest

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.access import may_anywhere
from accounts.roles import Role
from domains.exception_queries import count_excepted_without_tlsrpt
from domains.history import DayCounts, counts_by_day
from domains.models import DomainQuerySet
from domains.queries import TeamCoverage, add_up, coverage_by_team
from reports import cause_queries, intake_queries, queries
from reports.charts import sessions_chart
from reports.fleet import Fleet
from tlsrpt_portal.pages.attention import attention
from tlsrpt_portal.pages.coverage_strip import coverage_strips
from tlsrpt_portal.pages.marks import fleet_marks
from tlsrpt_portal.pages.span import read_span
from tlsrpt_portal.pages.week import compare_weeks
from webui.exports import Sheet, asked_file

MONTH = timedelta(days=30)
MOST_CAUSES = 6
MOST_CHANGES = 8


def overview(request: HttpRequest) -> HttpResponse:
    """Show the state of the fleet, or how to begin."""
    fleet = Fleet(request.user)
    active = fleet.domains
    teams = coverage_by_team(active)
    if not teams:
        may_manage = may_anywhere(request.user, Role.MANAGER)
        return render(request, "pages/overview_empty.html", {"may_manage": may_manage})
    now = add_up(one.coverage for one in teams)
    span = read_span(request)
    since, until = queries.last_complete_days(max(span.days, 14))
    figures = queries.daily_figures(fleet, since, until)
    week_since, _ = queries.last_complete_days(7)
    marks = fleet_marks(active, span.since, span.until)
    chart = sessions_chart(figures[-span.days :], marks, query={"about": "watched"})
    if file := asked_file(request, _teams_sheet(teams), chart.sheet):
        return file
    causes = cause_queries.causes(fleet, week_since, until, MOST_CAUSES).shown
    excepted = count_excepted_without_tlsrpt(active, timezone.now().date())
    context = {
        "now": now,
        "strips": coverage_strips(now, _month_ago(active)),
        "span": span,
        "week": compare_weeks(figures),
        "week_totals": queries.totals(fleet, week_since, until),
        "chart": chart,
        "freshness": intake_queries.data_freshness(fleet),
        "causes": list(
            zip(causes, cause_queries.domain_counts(fleet, causes, week_since, until), strict=True),
        ),
        "changes": nlargest(MOST_CHANGES, marks, key=lambda mark: mark.day),
        "attention": attention(request.user, now, excepted),
        "teams": teams,
    }
    return render(request, "pages/overview.html", context)


def _month_ago(domains: DomainQuerySet) -> DayCounts | None:
    """Give the states of a month ago, or None where no domain was known then."""
    day = timezone.now().date() - MONTH
    [counts] = counts_by_day(domains, day, day)
    return counts if counts.total else None


def _teams_sheet(teams: list[TeamCoverage]) -> Sheet:
    return Sheet(
        name="teams",
        file_name="teams",
        header=(
            "Team",
            "Domains",
            "TLS-RPT",
            "Enforce",
            "Testing",
            "Without MTA-STS",
            "With errors",
        ),
        rows=lambda: (
            (
                row.team,
                row.coverage.total,
                row.coverage.tlsrpt_valid,
                row.coverage.sts_enforce,
                row.coverage.sts_testing,
                row.coverage.sts_missing,
                row.coverage.with_errors,
            )
            for row in teams
        ),
    )
