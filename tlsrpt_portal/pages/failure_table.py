"""The groups of failed sessions as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

from tlsrpt_portal.pages.failure_rows import Row
from webui.tables import END, KEY, PortalTable
from webui.wording import day, failure_rate, number


def _linked(text: str, href: str) -> SafeString | str:
    return format_html('<a href="{}">{}</a>', href, text) if href else text


def _count(count: int | None, href: str = "") -> SafeString | str:
    return "–" if count is None else _linked(number(count), href)


def _day(value: date | None) -> SafeString | str:
    return format_html('<span class="nowrap">{}</span>', day(value)) if value else "–"


class FailureTable(PortalTable):
    """One row a group."""

    name = tables.Column(verbose_name="Group", attrs=KEY, empty_values=())
    operator = tables.Column(
        verbose_name="MX operator", attrs={"td": {"class": "host muted"}}, empty_values=()
    )
    failed = tables.Column(verbose_name="Failed sessions", attrs=END, empty_values=())
    sessions = tables.Column(verbose_name="Of sessions", attrs=END, empty_values=())
    rate = tables.Column(
        verbose_name="Rate", accessor="failed", orderable=False, attrs=END, empty_values=()
    )
    domains = tables.Column(verbose_name="Domains", attrs=END, empty_values=())
    reporters = tables.Column(verbose_name="Reporters", attrs=END, empty_values=())
    first_day = tables.Column(verbose_name="First seen", empty_values=())
    last_day = tables.Column(verbose_name="Last seen", empty_values=())

    class Meta(PortalTable.Meta):
        order_by = "-failed"
        caption = "Groups of failed sessions"

    def render_name(self, record: Row) -> SafeString | str:
        """Give the name, a link to what it stands for."""
        return _linked(record.name, record.href)

    def value_name(self, record: Row) -> str:
        """Give the name for files."""
        return record.name

    def render_operator(self, record: Row) -> str:
        """Give who runs the MX hosts."""
        return record.operator or "–"

    def value_operator(self, record: Row) -> str | None:
        """Give the operator for files."""
        return record.operator

    def render_failed(self, record: Row) -> SafeString | str:
        """Give the count, a link to the same."""
        return _count(record.failed, record.failed_href)

    def value_failed(self, record: Row) -> int:
        """Give the count for files."""
        return record.failed

    def render_sessions(self, record: Row) -> str:
        """Give how many sessions the failed ones are a part of."""
        return _count(record.sessions)

    def value_sessions(self, record: Row) -> int | None:
        """Give the count for files."""
        return record.sessions

    def render_rate(self, record: Row) -> str:
        """Give failed of all sessions."""
        return failure_rate(record.failed, record.sessions)

    def render_domains(self, record: Row) -> SafeString | str:
        """Give how many domains, a link to them."""
        return _count(record.domains, record.domains_href)

    def value_domains(self, record: Row) -> int | None:
        """Give the count for files."""
        return record.domains

    def render_reporters(self, record: Row) -> SafeString | str:
        """Give how many reporters, a link to them."""
        return _count(record.reporters, record.reporters_href)

    def value_reporters(self, record: Row) -> int | None:
        """Give the count for files."""
        return record.reporters

    def render_first_day(self, record: Row) -> SafeString | str:
        """Give the first day."""
        return _day(record.first_day)

    def value_first_day(self, record: Row) -> date | None:
        """Give the day for files."""
        return record.first_day

    def render_last_day(self, record: Row) -> SafeString | str:
        """Give the last day."""
        return _day(record.last_day)

    def value_last_day(self, record: Row) -> date | None:
        """Give the day for files."""
        return record.last_day


# What a grouping may not tell of; the rate needs the sessions.
_OPTIONAL = ("operator", "sessions", "domains", "reporters", "first_day", "last_day")


def untold_columns(rows: Sequence[Row]) -> list[str]:
    """Give the columns that no row has anything for."""
    untold = [name for name in _OPTIONAL if all(getattr(row, name) is None for row in rows)]
    return [*untold, "rate"] if "sessions" in untold else untold
