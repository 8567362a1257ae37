"""The columns of the list of exceptions."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_tables2 as tables
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from domains.models import CoverageException
from domains.signs import exception_sign, state_of_lack
from webui.status import Sign
from webui.tables import KEY, PortalTable
from webui.wording import day


class ExceptionTable(PortalTable):
    """One row an exception; the rows know `is_lacking`."""

    domain = tables.Column(verbose_name="Domain", order_by=("domain__name",), attrs=KEY)
    team = tables.Column(
        verbose_name="Team",
        accessor="domain__team",
        order_by=("domain__team__name", "domain__name"),
        default="–",
    )
    lack = tables.Column(verbose_name="May lack", order_by=("lack", "domain__name"))
    now = tables.Column(verbose_name="Now", accessor="pk", orderable=False, empty_values=())
    state = tables.Column(verbose_name="Exception", accessor="pk", orderable=False, empty_values=())
    expires_on = tables.Column(verbose_name="Until", order_by=("expires_on", "domain__name"))
    reason = tables.Column(verbose_name="Reason", orderable=False, attrs={"td": {"class": "wide"}})
    approver_name = tables.Column(verbose_name="Approved by")
    # In the files a column of its own.
    starts_on = tables.Column(verbose_name="From", visible=False)

    class Meta(PortalTable.Meta):
        model = CoverageException
        fields: tuple[str, ...] = ()
        order_by = "expires_on"
        caption = "Exceptions"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = timezone.now().date()

    def render_domain(self, record: CoverageException) -> SafeString:
        """Give the name, a link to the exception."""
        return format_html(
            '<a href="{}">{}</a>', record.get_absolute_url(), record.domain.display_name
        )

    def value_domain(self, record: CoverageException) -> str:
        """Give the name for files."""
        return record.domain.display_name

    def value_team(self, record: CoverageException) -> str:
        """Give the team for files."""
        return record.domain.team.name if record.domain.team else ""

    def render_now(self, record: CoverageException) -> SafeString:
        """Give the present state of what it is about."""
        return state_of_lack(record).html()

    def value_now(self, record: CoverageException) -> str:
        """Give the present state for files."""
        return state_of_lack(record).word

    def value_starts_on(self, record: CoverageException) -> date:
        """Give the first day for files."""
        return record.starts_on

    def render_expires_on(self, record: CoverageException) -> SafeString:
        """Give the last day, and below it the first."""
        return format_html(
            '<span class="nowrap">{}</span><span class="excepted nowrap">from {}</span>',
            day(record.expires_on),
            day(record.starts_on),
        )

    def value_expires_on(self, record: CoverageException) -> date:
        """Give the last day for files."""
        return record.expires_on

    def render_state(self, record: CoverageException) -> SafeString:
        """Give whether it runs."""
        return self._sign(record).html()

    def value_state(self, record: CoverageException) -> str:
        """Give whether it runs, for files."""
        return self._sign(record).word

    def _sign(self, record: CoverageException) -> Sign:
        return exception_sign(record, self.today)
