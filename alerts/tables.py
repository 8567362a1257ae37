"""The incident list as a table."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import django_tables2 as tables
from django.db.models import Case, Count, DateTimeField, F, QuerySet, When
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import visible_to
from alerts import signs
from alerts.lifecycle import ASKING_STATES, State
from alerts.models import Incident, IncidentDomain, Severity, severity_rank
from alerts.readers import reader_of, see_all
from alerts.words import between
from webui.markup import unbroken
from webui.tables import END, PortalTable
from webui.wording import ago, day, failure_rate, number, plural, recent_day

# What files have and the screen shows beside other things.
FILE_COLUMNS = ("quiet_until", "seen_sessions", "rate", "seen_first_on", "seen_last_on")


class IncidentTable(PortalTable):
    """One row an incident."""

    title = tables.Column(
        verbose_name="Incident", attrs={"td": {"class": "key wide"}}, empty_values=()
    )
    severity = tables.Column(verbose_name="Severity", empty_values=())
    state = tables.Column(verbose_name="State", empty_values=())
    assignee = tables.Column(verbose_name="Who has it", default="–")
    teams = tables.Column(verbose_name="Team", accessor="pk", orderable=False, empty_values=())
    domains = tables.Column(
        verbose_name="Domains", accessor="pk", orderable=False, attrs=END, empty_values=()
    )
    failed_sessions = tables.Column(
        verbose_name="Failed sessions", accessor="seen_failed", attrs=END, empty_values=()
    )
    since_on = tables.Column(verbose_name="Since", empty_values=())
    due_at = tables.Column(verbose_name="Due", empty_values=())
    last_seen_on = tables.Column(verbose_name="Last seen", empty_values=())
    # FILE_COLUMNS.
    quiet_until = tables.Column(verbose_name="Until", visible=False)
    seen_sessions = tables.Column(verbose_name="Sessions", visible=False, empty_values=())
    rate = tables.Column(verbose_name="Rate", accessor="pk", visible=False, empty_values=())
    seen_first_on = tables.Column(verbose_name="First failing day", visible=False)
    seen_last_on = tables.Column(verbose_name="Last failing day", visible=False)

    class Meta(PortalTable.Meta):
        model = Incident
        fields: tuple[str, ...] = ()
        sequence = ("title", "severity", "state", "assignee", "teams", "...")
        order_by = ("severity", "-failed_sessions")
        caption = "Incidents"

    def decorate(self, records: Sequence[Incident]) -> None:
        """Count the touched domains that the viewer may see, by team, and give titles as they
        may."""
        rows = IncidentDomain.objects.filter(incident__in=[record.pk for record in records])
        held = (
            visible_to(self.viewer, rows, "domain__team")
            .order_by()
            .values_list("incident", "domain__team__name")
            .annotate(Count("pk"))
        )
        self.domain_counts: Counter[int] = Counter()
        self.team_names: dict[int, list[str]] = defaultdict(list)
        for pk, team, count in held:
            self.domain_counts[pk] += count
            if team:
                self.team_names[pk].append(team)
        seen = see_all(reader_of(self.viewer), records)
        self.today = timezone.now().date()
        self.titles = {one.incident.pk: one.title for one in seen}

    def _recent(self, value: date) -> str:
        return recent_day(value, self.today)

    def _day(self, value: date) -> SafeString:
        words = '<span class="nowrap" title="{}">{}</span>'
        return format_html(words, day(value), self._recent(value))

    def render_title(self, record: Incident) -> SafeString:
        """Give the title, a link to the page."""
        return format_html(
            '<a href="{}">{}</a>', record.get_absolute_url(), unbroken(self.titles[record.pk])
        )

    def value_title(self, record: Incident) -> str:
        """Give the title for files."""
        return self.titles[record.pk]

    def render_severity(self, record: Incident) -> SafeString:
        """Give the severity as sign."""
        return signs.SEVERITY[Severity(record.severity)].html()

    def value_severity(self, record: Incident) -> str:
        """Give the severity for files."""
        return signs.SEVERITY[Severity(record.severity)].word

    def order_severity(
        self, queryset: QuerySet[Any], is_descending: bool
    ) -> tuple[QuerySet[Any], bool]:
        """Sort by consequence, not by the alphabet."""
        rank = severity_rank()
        order = rank.desc() if is_descending else rank.asc()
        return queryset.order_by(order, "-seen_failed"), True

    def render_state(self, record: Incident) -> SafeString:
        """Give the state as sign."""
        sign = signs.STATE[State(record.state)].html()
        if record.quiet_until is None or not record.is_laid_aside:
            return sign
        until = day(record.quiet_until.date())
        return format_html(
            '{}<span class="muted small nowrap d-block">until {}</span>', sign, until
        )

    def value_state(self, record: Incident) -> str:
        """Give the state for files."""
        return State(record.state).label

    def value_quiet_until(self, record: Incident) -> str:
        """Give until when it is muted or accepted, for files."""
        until = record.quiet_until
        return until.date().isoformat() if until and record.is_laid_aside else ""

    def render_domains(self, record: Incident) -> SafeString:
        """Give how many domains it touches, a link to them."""
        count = number(self.value_domains(record))
        return format_html('<a href="{}#domains">{}</a>', record.get_absolute_url(), count)

    def value_domains(self, record: Incident) -> int:
        """Give the count for files."""
        return self.domain_counts[record.pk]

    def render_teams(self, record: Incident) -> str:
        """Give whose domains it touches, or of how many teams."""
        names = self.team_names[record.pk]
        if len(names) > 1:
            return plural(len(names), "team")
        return names[0] if names else "–"

    def value_teams(self, record: Incident) -> str:
        """Give all of them for files."""
        return ", ".join(sorted(self.team_names[record.pk]))

    def render_failed_sessions(self, record: Any) -> SafeString | str:
        """Give count and rate of the domains the viewer may see, with the days where it is seen on
        others as well; none where the incident is not about sessions."""
        if not record.seen_sessions:
            return "–"
        failed: int = record.seen_failed
        rate = failure_rate(failed, record.seen_sessions)
        cell = format_html('{} <span class="muted small">{}</span>', number(failed), rate)
        days = (record.seen_first_on, record.seen_last_on)
        if days == (record.since_on, record.last_seen_on):
            return cell
        shown = between(*days, write=self._recent)
        return format_html('{}<span class="muted small nowrap d-block">{}</span>', cell, shown)

    def value_failed_sessions(self, record: Any) -> int | None:
        """Give the count for files; nothing where the incident is not about sessions."""
        failed: int = record.seen_failed
        return failed if record.seen_sessions else None

    def value_seen_sessions(self, record: Any) -> int | None:
        """Give of how many sessions, for files; nothing where it is not about sessions."""
        return record.seen_sessions or None

    def value_rate(self, record: Any) -> str:
        """Give the rate for files."""
        if not record.seen_sessions:
            return ""
        return failure_rate(record.seen_failed, record.seen_sessions)

    def value_seen_first_on(self, record: Any) -> date | None:
        """Give the first failing day for files."""
        first_on: date | None = record.seen_first_on
        return first_on

    def value_seen_last_on(self, record: Any) -> date | None:
        """Give the last failing day for files."""
        last_on: date | None = record.seen_last_on
        return last_on

    def render_due_at(self, record: Incident) -> SafeString | str:
        """Give when somebody should have dealt with it, while somebody has to."""
        due_at, now = record.asked_by, timezone.now()
        if due_at is None:
            return "–"
        tone = "delta-bad" if due_at < now else ""
        words = "overdue" if due_at < now else ago(due_at, now)
        return format_html('<span class="nowrap {}">{}</span>', tone, words)

    def value_due_at(self, record: Incident) -> str:
        """Give the moment for files."""
        return f"{record.asked_by:%Y-%m-%d %H:%M}" if record.asked_by else ""

    def order_due_at(
        self, queryset: QuerySet[Any], is_descending: bool
    ) -> tuple[QuerySet[Any], bool]:
        """Sort by what is shown: what nobody has to deal with now comes last either way."""
        asks = When(state__in=sorted(ASKING_STATES), then=F("due_at"))
        asked_by = Case(asks, default=None, output_field=DateTimeField())
        due = F("due")
        order = due.desc(nulls_last=True) if is_descending else due.asc(nulls_last=True)
        return queryset.annotate(due=asked_by).order_by(order), True

    def render_since_on(self, record: Incident) -> SafeString:
        """Give the first day of the figures that opened it."""
        return self._day(record.since_on)

    def value_since_on(self, record: Incident) -> str:
        """Give the day for files."""
        return record.since_on.isoformat()

    def render_last_seen_on(self, record: Incident) -> SafeString:
        """Give the last day it was seen."""
        return self._day(record.last_seen_on)

    def value_last_seen_on(self, record: Incident) -> str:
        """Give the day for files."""
        return record.last_seen_on.isoformat()
