"""The look of every table, and what its rows need besides their record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import django_tables2 as tables
from django.utils.html import format_html
from django.utils.safestring import SafeString

KEY = {"td": {"class": "key"}}
END = {"td": {"class": "end"}, "th": {"class": "end"}}


class PortalTable(tables.Table):  # type: ignore[misc]
    """A table that asks once for what all rows of a page need, however many there are."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.viewer = kwargs.pop("viewer", None)
        super().__init__(*args, **kwargs)

    class Meta:
        template_name = "webui/table.html"
        attrs = {"class": "grid-table"}
        empty_text = ""

    def decorate(self, records: Sequence[Any]) -> None:
        """Fetch what belongs to these records; called with the rows of one page, or all."""


class TickColumn(tables.Column):  # type: ignore[misc]
    """The box that chooses a row for a bulk action."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            accessor="pk",
            verbose_name="Choose",
            orderable=False,
            exclude_from_export=True,
            attrs={"td": {"class": "tick"}, "th": {"class": "tick"}},
            **kwargs,
        )

    @property
    def header(self) -> SafeString:
        """Give the box that chooses the whole page."""
        return format_html(
            '<input class="form-check-input js-only" type="checkbox" data-choose-page '
            'aria-label="{}"><span class="visually-hidden">{}</span>',
            "Choose all rows of this page",
            "Choose",
        )

    def render(self, value: Any, record: Any) -> SafeString:
        """Give the row's box."""
        return format_html(
            '<input class="form-check-input" type="checkbox" name="pk" value="{}" '
            'aria-label="Choose {}">',
            value,
            str(record),
        )
