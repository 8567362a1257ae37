"""The look of every table, and what its rows need besides their record."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from inspect import signature
from typing import Any

import django_tables2 as tables
from django.utils.encoding import force_str
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from webui.wording import NOTHING

KEY = {"td": {"class": "key"}}
END = {"td": {"class": "end"}, "th": {"class": "end"}}


class PortalTable(tables.Table):  # type: ignore[misc]
    """A table that asks once for what all rows of a page need, however many there are.

    Columns of long lists have `empty_values=()` and methods that take the record alone: so a cell
    takes a tenth of the time (see `_content`).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.viewer = kwargs.pop("viewer", None)
        super().__init__(*args, **kwargs)

    class Meta:
        template_name = "webui/table.html"
        attrs = {"class": "grid-table"}
        empty_text = ""

    @property
    def header(self) -> list[Any]:
        """Give the header for files."""
        return [one.header for one in self._columns_in_files]

    def values_of(self, rows: Iterable[Any]) -> Iterator[list[Any]]:
        """Give the values of each of these rows for files.

        Not by `as_values`, which looks at a method's signature again for each cell.
        """
        getters = [_value(one) for one in self._columns_in_files]
        for row in rows:
            yield [_plain(get(row)) for get in getters]

    @property
    def _columns_in_files(self) -> list[Any]:
        return [one for one in self.columns.iterall() if not one.column.exclude_from_export]

    def decorate(self, records: Sequence[Any]) -> None:
        """Fetch what belongs to these records; called with the rows of one page, or all."""

    @property
    def body(self) -> SafeString:
        """Give the rows of this page as markup.

        Not by a template: looping over cells there takes four times as long as all else of a list.
        """
        columns = [
            (_opening_tag(column), _opening_tag(column, "blank"), _content(column))
            for column in self.columns
        ]
        rows = [
            "".join(
                f"{blank if (held := content(row)) in NOTHING else opening}{_markup(held)}</td>"
                for opening, blank, content in columns
            )
            for row in self.paginated_rows
        ]
        return mark_safe("".join(f'<tr role="row">{cells}</tr>\n' for cells in rows))  # noqa: S308


def _markup(content: Any) -> str:
    """Give what a cell holds as markup; most of it is, and the rest is mostly text."""
    if type(content) is SafeString:
        return content
    return html.escape(content) if type(content) is str else conditional_escape(content)


def _opening_tag(column: Any, more: str = "") -> SafeString:
    """Give a cell's opening tag; on small screens a cell shows its column's name beside it, and
    one that holds nothing does not show at all."""
    kind = column.column.attrs.get("td", {}).get("class", "")
    classes = f"{kind} {more}".strip()
    return format_html(
        '<td role="cell"{}{}>',
        format_html(' class="{}"', classes) if classes else "",
        "" if "key" in kind or kind == "tick" else format_html(' data-label="{}"', column.header),
    )


def _content(column: Any) -> Callable[[Any], Any]:
    """Give what gives a row's cell: the table's own method at once where it asks for no more than
    the record, else whatever the library makes of it."""
    takes_record_only = set(signature(column.render).parameters) == {"record"}
    if takes_record_only and column.column.empty_values == () and not column.link:
        render = column.render
        return lambda row: render(record=row.record)
    name = column.name
    return lambda row: row.get_cell(name)


def _value(column: Any) -> Callable[[Any], Any]:
    """Give what gives a row's value for files, as `_content` does for its cell."""
    takes_record_only = set(signature(column.value).parameters) == {"record"}
    if takes_record_only and column.column.empty_values == ():
        value = column.value
        return lambda row: value(record=row.record)
    name = column.name
    return lambda row: row.get_cell_value(name)


def _plain(value: Any) -> Any:
    return force_str(value, strings_only=True)


class TickColumn(tables.Column):  # type: ignore[misc]
    """The box that chooses a row for a bulk action."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            accessor="pk",
            verbose_name="Choose",
            orderable=False,
            exclude_from_export=True,
            empty_values=(),
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

    def render(self, record: Any) -> SafeString:
        """Give the row's box."""
        return format_html(
            '<input class="form-check-input" type="checkbox" name="pk" value="{}" '
            'aria-label="Choose {}">',
            record.pk,
            str(record),
        )
