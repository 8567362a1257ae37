"""The list page: filters in the address, a table, pages, and the same rows as CSV or XLSX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.request import QueryDict
from django_filters.views import FilterView
from django_tables2 import SingleTableMixin
from django_tables2.data import TableQuerysetData

from webui.exports import Format, asked_format, file_response
from webui.tables import PortalTable

EXPORT_BATCH = 2000


class KeysFirst(TableQuerysetData):  # type: ignore[misc]
    """Rows of a long list: first the keys of a page, which an index may give in order, then only
    that page's rows with all that belongs to them."""

    def __getitem__(self, at: int | slice) -> Any:
        """Give the rows of a page in their order."""
        if not isinstance(at, slice):
            return super().__getitem__(at)
        keys = list(self.data.values_list("pk", flat=True)[at])
        rows = {row.pk: row for row in self.data.order_by().filter(pk__in=keys)}
        return [rows[key] for key in keys if key in rows]


class InFullOrder(TableQuerysetData):  # type: ignore[misc]
    """Rows of which many are alike in what orders them: those come in the order of their keys.

    Otherwise PostgreSQL may give one of them on two pages, and another on none.
    """

    def order_by(self, aliases: Any) -> None:
        """Put the rows in order."""
        super().order_by(aliases)
        rows: QuerySet[Any] = self.data
        self.data: QuerySet[Any] = rows.order_by(*rows.query.order_by, "pk")


class ListPage(SingleTableMixin, FilterView):  # type: ignore[misc]
    """A list page; a screen names its model, filters, table and template.

    To htmx it gives the results only, so that filtering does not load the page anew.
    """

    request: HttpRequest
    template_name = "webui/list.html"
    results_template_name = "webui/_results.html"
    export_name = "table"
    table_pagination = {"per_page": 50}
    # The words of the pager: "1 domain", "3 domains".
    thing, things = "row", "rows"
    # What the address says beside the filters; narrowing and clearing leave it as it is.
    own_parameters: tuple[str, ...] = ()

    def get_template_names(self) -> list[str]:
        """Choose the whole page, or for htmx the results."""
        is_partial = bool(self.request.htmx) and not self.request.htmx.boosted  # type: ignore[attr-defined]
        return [self.results_template_name if is_partial else self.template_name]

    def get_filterset_kwargs(self, filterset_class: Any) -> dict[str, Any]:
        """Bind the filters even to an empty address: what they leave out by default stays out."""
        kwargs: dict[str, Any] = super().get_filterset_kwargs(filterset_class)
        kwargs["data"] = self.request.GET
        return kwargs

    def get_table_kwargs(self) -> dict[str, Any]:
        """Tell the table who looks at it."""
        return {"viewer": self.request.user}

    def get_table(self, **kwargs: Any) -> PortalTable:
        """Give the table with what the rows of this page need."""
        table: PortalTable = super().get_table(**kwargs)
        table.decorate([row.record for row in table.paginated_rows])
        return table

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the words, and whether anything is filtered."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["results_template"] = self.results_template_name
        context["thing"], context["things"] = self.thing, self.things
        context["is_filtered"] = is_filtered(self.request.GET, context["filter"].form.fields)
        own = {name: value for name in self.own_parameters if (value := self.request.GET.get(name))}
        context["own"] = own
        context["clear_href"] = (
            f"{self.request.path}?{urlencode(own)}" if own else self.request.path
        )
        return context

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Answer with the page, or with the file that was asked for."""
        if form := asked_format(self.request):
            return self.export(form)
        response: HttpResponse = super().render_to_response(context, **kwargs)
        return response

    def export(self, form: Format) -> HttpResponse:
        """Answer with all rows that match, as shown, in batches."""
        sort = self.request.GET.get("sort")
        table = self.table_class(
            data=self.get_table_data(),
            # Without one, the table's own.
            order_by=sort.split(",") if sort else None,
            **self.get_table_kwargs(),
        )
        return table_file(form, self.export_name, table)


def table_file(form: Format, name: str, table: PortalTable) -> HttpResponse:
    """Answer with all rows of a table, in its order and with its columns."""
    rows = _in_batches(table)
    return file_response(form, name, next(rows), rows)


def _in_batches(table: PortalTable) -> Iterator[Sequence[Any]]:
    """Give the header and the rows, some thousand at a time with what belongs to them."""
    yield table.header
    rows = iter(table.rows)
    while batch := list(islice(rows, EXPORT_BATCH)):
        table.decorate([row.record for row in batch])
        yield from table.values_of(batch)


def is_filtered(query: QueryDict, fields: Any) -> bool:
    """Say whether the address narrows the list."""
    return any(query.get(name) for name in fields)
