"""The list of domains: inventory and checks, with reports and incidents beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import django_tables2 as tables
from django.db.models import Count, Min, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import may_anywhere
from accounts.models import ViewedPage
from accounts.roles import Role
from accounts.saved_views import ViewedListPage
from alerts.lifecycle import ACTIVE_STATES
from alerts.models import IncidentDomain, Severity, severity_rank
from alerts.signs import SEVERITY
from domains.filters import DomainFilter
from domains.models import Domain
from domains.tables import DomainTable
from reports import queries
from webui.lists import KeysFirst
from webui.sparkline import sparkline
from webui.status import Sign
from webui.tables import END
from webui.wording import day, failure_rate, recent_day

SPARK_DAYS = 30
_SEVERITIES = list(Severity)
# A large import spreads its first checks over this time.
FIRST_CHECKS = timedelta(hours=1)


class FleetTable(DomainTable):
    """The domain list with what reports and alerts know of each domain."""

    last_report = tables.Column(
        verbose_name="Last report", accessor="pk", orderable=False, empty_values=()
    )
    rate = tables.Column(
        verbose_name="Failed, 30 days", accessor="pk", orderable=False, empty_values=()
    )
    incidents = tables.Column(
        verbose_name="Incidents", accessor="pk", orderable=False, attrs=END, empty_values=()
    )

    class Meta(DomainTable.Meta):
        sequence = (
            "tick",
            "name",
            "incidents",
            "team",
            "owner",
            "tlsrpt",
            "mta_sts",
            "dane",
            "mx_provider",
            "...",
            "ascii_name",
        )

    def decorate(self, records: Sequence[Domain]) -> None:
        """Fetch the daily figures of 30 days, the last reports, and the incidents not over."""
        super().decorate(records)
        self.today = timezone.now().date()
        chosen = Domain.objects.filter(pk__in=[record.pk for record in records])
        since, until = queries.last_complete_days(SPARK_DAYS)
        self.daily = queries.per_domain_daily(chosen, since, until)
        self.last_days = queries.last_report_days(chosen)
        held = (
            IncidentDomain.objects.filter(
                domain__in=records,
                incident__part_of=None,
                incident__state__in=sorted(ACTIVE_STATES),
            )
            .order_by()
            .values_list("domain")
            .annotate(count=Count("incident"), worst=Min(severity_rank("incident__")))
        )
        # How many, and the rank of the worst.
        self.incidents_at: dict[int, tuple[int, int]] = {
            domain: (count, rank) for domain, count, rank in held
        }

    def render_last_report(self, record: Domain) -> SafeString | str:
        """Give the newest reported day."""
        last = self.last_days.get(record.pk)
        if not last:
            return "–"
        return format_html(
            '<span class="nowrap" title="{}">{}</span>', day(last), recent_day(last, self.today)
        )

    def value_last_report(self, record: Domain) -> date | None:
        """Give the day for files."""
        return self.last_days.get(record.pk)

    def render_rate(self, record: Domain) -> SafeString | str:
        """Draw the failure rate by day, with the rate of all days beside it."""
        days = self.daily.get(record.pk)
        if not days:
            return "–"
        text = self.value_rate(record)
        bars = sparkline(queries.daily_rates(days), f"Failure rate by day, {text} in all")
        return format_html(
            '<a class="with-spark" href="{}">{}<span class="num">{}</span></a>',
            f"{record.get_absolute_url()}#failures",
            bars,
            text,
        )

    def value_rate(self, record: Domain) -> str:
        """Give the rate for files."""
        days = self.daily.get(record.pk)
        if not days:
            return failure_rate(0, 0)
        _, sessions, failures = zip(*days, strict=True)
        return failure_rate(sum(failures), sum(sessions))

    def render_incidents(self, record: Domain) -> SafeString | str:
        """Give the number with the sign of the worst, a link to the incidents."""
        if record.pk not in self.incidents_at:
            return "–"
        count, rank = self.incidents_at[record.pk]
        worst = SEVERITY[_SEVERITIES[rank]]
        meaning = f"{'The worst: ' if count > 1 else ''}{worst.word}. {worst.meaning}"
        sign = Sign(worst.tone, str(count), worst.icon, meaning)
        return format_html('<a href="{}#incidents">{}</a>', record.get_absolute_url(), sign.html())

    def value_incidents(self, record: Domain) -> int:
        """Give the number for files."""
        count, _ = self.incidents_at.get(record.pk, (0, 0))
        return count


class DomainList(ViewedListPage):
    """All domains a person may see."""

    viewed_page = ViewedPage.DOMAINS
    fixed_columns = ("tick", "name")

    table_class = FleetTable
    filterset_class = DomainFilter
    template_name = "domains/list.html"
    results_template_name = "domains/_results.html"
    export_name = "domains"
    thing, things = "domain", "domains"

    def get_queryset(self) -> QuerySet[Domain]:
        """Give the domains with their team and posture."""
        domains = Domain.objects.visible_to(self.request.user)
        return domains.select_related("team", "posture").defer(
            "posture__judgement",
            "posture__observed",
            "posture__facts",
            "posture__confirmed_facts",
            "notes",
        )

    def get_table_data(self) -> KeysFirst:
        """Give the rows of a page, of however many."""
        return KeysFirst(super().get_table_data())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what this person may do with the chosen ones."""
        context = super().get_context_data(**kwargs)
        user = self.request.user
        context["may_manage"] = may_anywhere(user, Role.MANAGER)
        context["may_check"] = context["may_manage"] or may_anywhere(user, Role.ANALYST)
        if context["may_check"]:
            context["bulk_action"] = reverse("domains:check_chosen")
            context["bulk_template"] = "domains/_bulk.html"
        context["empty_template"] = "domains/_list_empty.html"
        # Those wait among the due ones, for which there is an index.
        waiting = Domain.objects.visible_to(user).filter(
            is_active=True, next_check_at__lte=timezone.now() + FIRST_CHECKS, posture=None
        )
        context["unchecked"] = waiting.order_by().count()
        return context
