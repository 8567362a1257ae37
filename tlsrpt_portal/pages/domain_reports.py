"""What reports say of one domain, as its page needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.urls import reverse

from domains.models import Domain, HostedPolicy, StateChange
from mailtls.catalogue.result_types import (
    Concern,
    ResultType,
    concern_of,
    describe_result_type,
    explain_reason,
)
from reports import cause_queries, queries, reporter_queries
from reports.cause_queries import Cause
from reports.charts import reports_href, sessions_chart
from reports.models import FailureDetail, PolicyKind
from reports.queries import DayFigures, Totals
from reports.reporter_queries import ReporterFigures
from reports.signs import cause_name
from reports.under_enforce import Apart, UnderEnforce, apart_by_day, split
from tlsrpt_portal.pages.cadence import LOOK_BACK_DAYS, Cadence, find_cadence
from tlsrpt_portal.pages.diagnosis import NOTABLE_RATE
from tlsrpt_portal.pages.marks import marks_of
from tlsrpt_portal.pages.reported_policy import ReportedPolicy, read_reported_policies
from tlsrpt_portal.pages.span import Span
from tlsrpt_portal.pages.stages import EVIDENCE_DAYS, Evidence, evidence_of
from tlsrpt_portal.pages.week import Week, compare_weeks
from webui.charting import Chart
from webui.exports import Sheet

CHART_DAYS = 90
WEEK_DAYS = 7
MOST_CAUSES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCause:
    """One cause of failures with its words and where its reports are."""

    name: str
    result_type: str
    receiving_mx: str
    failed_sessions: int
    reporters: int
    first_day: date
    last_day: date
    words: ResultType
    reasons: tuple[str, ...]
    reports_href: str
    group_href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReporter:
    """One reporter of the domain: its figures in the span, its habit, and the policy it applies."""

    name: str
    figures: ReporterFigures | None  # None: it told of nothing in the span
    cadence: Cadence
    policy: ReportedPolicy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The sessions of the last complete seven days that failed of one thing."""

    sessions: int
    since: date | None  # the first day of the run of notable failures that lasts until now
    # Whether that is the first day looked at, so that it may have begun before.
    is_longer: bool
    cause: Cause | None  # with most of them


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainReports:
    """Figures, chart, causes and reporters of one domain."""

    chart: Chart
    totals: Totals
    week: Week
    every_cause: list[ShownCause]
    reporters: list[ShownReporter]
    # Of the last complete seven days, whatever the span.
    troubles: dict[Concern, Trouble]
    no_policy_sessions: int
    last_report_on: date | None
    # The days that the roll-out looks at.
    evidence: Evidence
    evidence_until: date

    @property
    def has_any(self) -> bool:
        """Say whether a report was ever counted."""
        return self.last_report_on is not None

    @property
    def causes(self) -> list[ShownCause]:
        """Give the causes that the page shows, most failed sessions first."""
        return self.every_cause[:MOST_CAUSES]

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Give the tables as files."""
        return (
            self.chart.sheet,
            Sheet(
                name="causes",
                file_name="causes",
                header=(
                    "Cause",
                    "Result type",
                    "Receiving MX",
                    "Failed sessions",
                    "Reporters",
                    "First day",
                    "Last day",
                ),
                rows=lambda: map(_cause_cells, self.every_cause),
            ),
            Sheet(
                name="reporters",
                file_name="reporters",
                header=(
                    "Reporter",
                    "Reports",
                    "State",
                    "Sessions",
                    "Failed",
                    "Last day",
                    "Policy it applies",
                ),
                rows=lambda: map(_reporter_cells, self.reporters),
            ),
        )


def read_reports(
    domain: Domain,
    changes: Sequence[StateChange],
    published: Sequence[HostedPolicy],
    span: Span,
) -> DomainReports:
    """Ask what reports say of a domain in the span, and what its diagnosis rests on."""
    one = Domain.objects.filter(pk=domain.pk)
    since, until = queries.last_complete_days(max(CHART_DAYS, span.days))
    long = queries.daily_figures(one, since, until)
    week_since, _ = queries.last_complete_days(WEEK_DAYS)
    apart = apart_by_day(one, since, until)
    causes = cause_queries.causes_by_receiving_mx(one, span.since, span.until).shown
    week_causes = cause_queries.causes_by_receiving_mx(one, week_since, until).shown
    reasons = _reasons(domain, span)
    shown = [_show(domain, cause, reasons, span) for cause in causes]
    types = {
        kind.policy_type: kind for kind in reporter_queries.by_policy_type(one, week_since, until)
    }
    no_policy = types.get(PolicyKind.NO_POLICY_FOUND)
    figures = reporter_queries.by_reporter(one, span.since, span.until)
    evidence_since, _ = queries.last_complete_days(EVIDENCE_DAYS)
    evidence = queries.per_domain_totals(one, evidence_since, until)
    return DomainReports(
        chart=sessions_chart(
            long[-span.days :],
            marks_of(changes, published, span.since, span.until),
            query={"domain": domain.name},
        ),
        totals=Totals(
            sessions=sum(row.sessions for row in figures),
            failures=sum(row.failures for row in figures),
            domains=1 if figures else 0,
            reporters=len(figures),
            first_day=min((row.first_day for row in figures), default=None),
        ),
        week=compare_weeks(long),
        every_cause=shown,
        reporters=_read_reporters(domain, figures, span),
        troubles=find_troubles(long, apart, week_causes),
        no_policy_sessions=no_policy.successes + no_policy.failures if no_policy else 0,
        last_report_on=queries.last_report_days(one).get(domain.pk),
        evidence=evidence_of(evidence.get(domain.pk, Totals())),
        evidence_until=until,
    )


def _cause_cells(cause: ShownCause) -> tuple[object, ...]:
    return (
        cause.name,
        cause.result_type,
        cause.receiving_mx,
        cause.failed_sessions,
        cause.reporters,
        cause.first_day,
        cause.last_day,
    )


def _reporter_cells(one: ShownReporter) -> tuple[object, ...]:
    figures = one.figures
    return (
        one.name,
        one.cadence.words,
        one.cadence.sign.word,
        figures.sessions if figures else None,
        figures.failures if figures else None,
        figures.last_day if figures else None,
        one.policy.held.value if one.policy else None,
    )


def _read_reporters(
    domain: Domain, told: Sequence[ReporterFigures], span: Span
) -> list[ShownReporter]:
    """Give who reported in the span, most sessions first, then who did before and stopped."""
    one = Domain.objects.filter(pk=domain.pk)
    since, until = queries.last_complete_days(LOOK_BACK_DAYS + 1)
    habits = reporter_queries.days_by_reporter(one, min(since, span.since), until)
    figures = {found.reporter: found for found in told}
    applied = {found.reporter: found for found in read_reported_policies(domain, since, until)}
    shown = [
        ShownReporter(
            name=name,
            figures=figures.get(name),
            cadence=find_cadence(habits[name], until),
            policy=applied.get(name),
        )
        for name in [*figures, *sorted(habits.keys() - figures.keys())]
    ]
    return [one for one in shown if one.figures or one.cadence.silent_since]


def find_troubles(
    figures: Sequence[DayFigures], apart: Mapping[date, Apart], causes: Sequence[Cause]
) -> dict[Concern, Trouble]:
    """Tell the failures of some days, the last seven and what came before, apart by what failed."""
    days = [split(one.failures, apart.get(one.day, Apart())) for one in figures]
    reads: dict[Concern, Callable[[UnderEnforce], int]] = {
        Concern.CONNECTION: lambda failed: failed.refused,
        Concern.POLICY: lambda failed: failed.unread,
        Concern.DANE: lambda failed: failed.under_dane,
    }
    found = {}
    for concern, read in reads.items():
        of_it = [
            one._replace(failures=read(failed)) for one, failed in zip(figures, days, strict=True)
        ]
        since = failing_since(of_it)
        found[concern] = Trouble(
            sessions=sum(one.failures for one in of_it[-WEEK_DAYS:]),
            since=since,
            is_longer=since is not None and since == figures[0].day,
            cause=next((one for one in causes if concern_of(one.result_type) is concern), None),
        )
    return found


def failing_since(figures: Sequence[DayFigures]) -> date | None:
    """Give the first day of the run of notable failures that lasts until now, or None."""
    first = None
    for one in reversed(figures):
        if one.failure_rate is None:
            continue  # a day without reports ends no trouble
        if one.failure_rate < NOTABLE_RATE:
            break
        first = one.day
    return first


def _reasons(domain: Domain, span: Span) -> dict[str, tuple[str, ...]]:
    """Give by result type what senders gave as reasons, decoded where we know the code."""
    rows = (
        FailureDetail.objects.filter(
            result__domain=domain, result__day__range=(span.since, span.until)
        )
        .exclude(failure_reason_code="")
        .order_by()
        .values_list("result_type", "failure_reason_code")
        .distinct()[:40]
    )
    found: dict[str, tuple[str, ...]] = {}
    for result_type, reason in rows:
        words = explain_reason(reason)
        text = f"{reason[:160]}: {words}" if words else reason[:160]
        found[result_type] = (*found.get(result_type, ()), text)[:3]
    return found


def _show(
    domain: Domain,
    cause: Cause,
    reasons: dict[str, tuple[str, ...]],
    span: Span,
) -> ShownCause:
    receiving_mx = cause.receiving_mx or ""
    group = {"cause": cause.result_type, "mx": receiving_mx, "days": str(span.days)}
    return ShownCause(
        name=cause_name(cause.result_type),
        result_type=cause.result_type,
        receiving_mx=receiving_mx,
        failed_sessions=cause.failed_sessions,
        reporters=cause.reporters,
        first_day=cause.first_day,
        last_day=cause.last_day,
        words=describe_result_type(cause.result_type),
        reasons=reasons.get(cause.result_type, ()),
        reports_href=reports_href(
            domain=domain.name,
            cause=cause.result_type,
            mx=receiving_mx,
            **span.in_reports,
        ),
        group_href=f"{reverse('failures:group')}?{urlencode(group)}",
    )
