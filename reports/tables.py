"""The list of reports as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

import django_tables2 as tables
from django.db.models import Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from reports import signs
from reports.cause_key import CauseKey, details_condition
from reports.models import FailureDetail, PolicyResult, Report, Trust
from webui.tables import END, KEY, PortalTable
from webui.wording import day, failure_rate, number, sentence_list


class ReportTable(PortalTable):
    """One row a report, with the figures of what the list is narrowed to.

    `of_results` are the conditions on results, `cause` is that of the list where it has one.
    """

    reporter = tables.Column(verbose_name="Reporter", attrs=KEY, empty_values=())
    day = tables.Column(verbose_name="Day", empty_values=())
    domains = tables.Column(
        verbose_name="Domains",
        accessor="pk",
        orderable=False,
        empty_values=(),
        attrs={"td": {"class": "host"}},
    )
    sessions = tables.Column(
        verbose_name="Sessions", accessor="pk", orderable=False, attrs=END, empty_values=()
    )
    failed = tables.Column(
        verbose_name="Failed", accessor="pk", orderable=False, attrs=END, empty_values=()
    )
    rate = tables.Column(
        verbose_name="Rate", accessor="pk", orderable=False, attrs=END, empty_values=()
    )
    of_cause = tables.Column(
        verbose_name="Of this cause", accessor="pk", orderable=False, attrs=END, empty_values=()
    )
    trust = tables.Column(verbose_name="Trust", orderable=False, empty_values=())
    received_at = tables.Column(verbose_name="Received (UTC)", orderable=False, empty_values=())

    class Meta(PortalTable.Meta):
        model = Report
        fields: tuple[str, ...] = ()
        order_by = "-day"
        caption = "Reports"

    def __init__(
        self,
        *args: Any,
        of_results: Q,
        cause: CauseKey | None,
        is_of_type: bool,
        exclude: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        self.of_results, self.cause, self.is_of_type = of_results, cause, is_of_type
        hidden = list(exclude) if cause else [*exclude, "of_cause"]
        super().__init__(*args, exclude=hidden, **kwargs)

    def decorate(self, records: Sequence[Report]) -> None:
        """Fetch the results of these reports that the list is about."""
        rows = PolicyResult.objects.filter(
            self.of_results, report__in=[record.pk for record in records]
        )
        self.results: defaultdict[int, list[PolicyResult]] = defaultdict(list)
        for row in rows.defer("policy_strings", "mx_hosts"):
            self.results[row.report_id].append(row)
        self.failed_so: defaultdict[int, int] = defaultdict(int)
        if self.cause is not None:
            counted = [row.pk for row in chain(*self.results.values()) if row.is_counted]
            details = FailureDetail.objects.filter(
                details_condition(self.cause), result__in=counted
            )
            told = details.values_list("result__report_id", "failed_sessions")
            for report, failed in told:
                self.failed_so[report] += failed or 0

    def _counts(self, record: Report) -> tuple[int, int]:
        # Policy types are never added up, so under one type all of its sessions are meant.
        rows = [row for row in self.results[record.pk] if row.is_counted or self.is_of_type]
        failed = sum(row.failed_sessions for row in rows)
        return failed, failed + sum(row.successes or 0 for row in rows)

    def render_reporter(self, record: Report) -> SafeString:
        """Give the reporter, a link to the report."""
        name = record.reporter or "Unnamed reporter"
        return format_html('<a href="{}">{}</a>', record.get_absolute_url(), name)

    def value_reporter(self, record: Report) -> str:
        """Give the reporter for files."""
        return record.reporter

    def render_day(self, record: Report) -> SafeString:
        """Give the day."""
        return format_html('<span class="nowrap">{}</span>', day(record.day))

    def value_day(self, record: Report) -> str:
        """Give the day for files."""
        return record.day.isoformat()

    def render_domains(self, record: Report) -> str:
        """Give the first names."""
        names = dict.fromkeys(row.display_domain for row in self.results[record.pk])
        return sentence_list(list(names), 2) or "–"

    def value_domains(self, record: Report) -> str:
        """Give all names for files."""
        return ", ".join(dict.fromkeys(row.display_domain for row in self.results[record.pk]))

    def render_sessions(self, record: Report) -> str:
        """Give the sessions that count."""
        return number(self._counts(record)[1])

    def value_sessions(self, record: Report) -> int:
        """Give the sessions for files."""
        return self._counts(record)[1]

    def render_failed(self, record: Report) -> str:
        """Give the failed sessions that count."""
        return number(self._counts(record)[0])

    def value_failed(self, record: Report) -> int:
        """Give the failed sessions for files."""
        return self._counts(record)[0]

    def render_rate(self, record: Report) -> str:
        """Give failed of all sessions."""
        return failure_rate(*self._counts(record))

    def render_of_cause(self, record: Report) -> str:
        """Give the sessions that failed for the cause of the list."""
        return number(self.failed_so[record.pk])

    def value_of_cause(self, record: Report) -> int:
        """Give the sessions for files."""
        return self.failed_so[record.pk]

    def render_trust(self, record: Report) -> SafeString:
        """Give how sure the sender is."""
        return signs.TRUST[Trust(record.trust)].html()

    def value_trust(self, record: Report) -> str:
        """Give the trust for files."""
        return record.trust

    def render_received_at(self, record: Report) -> SafeString:
        """Give when it arrived."""
        text = f"{day(record.received_at.date())} {record.received_at:%H:%M}"
        return format_html('<span class="nowrap">{}</span>', text)

    def value_received_at(self, record: Report) -> str:
        """Give when it arrived, for files."""
        return f"{record.received_at:%Y-%m-%d %H:%M:%S}"
