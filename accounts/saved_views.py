"""Lists that can be kept as views: their tabs, their columns, and the view they open with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import SavedView, ViewedPage
from accounts.requests import person
from accounts.services.saved_views import clean_query, may_change, visible_views
from webui.lists import ListPage
from webui.tables import PortalTable

# Opens a list with the view that the person has chosen for it, if any: the navigation asks for it.
# A number that leads to a list means all of its rows, and asks for none.
FIRST_VIEW = "view=first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One view of a list."""

    name: str
    href: str
    is_current: bool
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that can be hidden."""

    key: str
    title: str
    is_shown: bool


class KeptViews:
    """The views of one list that a person may open, beside what the address shows."""

    def __init__(self, request: HttpRequest, page: ViewedPage) -> None:
        self._request, self._page = request, page
        mine = SavedView.default_of.through.objects.filter(
            savedview=OuterRef("pk"), user=request.user
        )
        found = visible_views(person(request), page)
        self.views = list(found.select_related("team").annotate(is_default=Exists(mine)))

    @property
    def opens_with(self) -> SavedView | None:
        """Give the view that this person's list opens with, where the address asks for it."""
        if self._request.GET.urlencode() != FIRST_VIEW:
            return None
        return next((view for view in self.views if view.is_default), None)

    def columns(self, table: type[PortalTable], fixed: Sequence[str]) -> list[Column]:
        """Give the columns that can be hidden, and which the address shows."""
        chosen = self._request.GET.getlist("columns")
        return [
            Column(key=key, title=str(column.verbose_name), is_shown=not chosen or key in chosen)
            for key, column in table.base_columns.items()
            if key not in fixed
        ]

    def context(self, columns: Sequence[Column]) -> dict[str, Any]:
        """Give the tabs, the columns, and what can be done with the present filters."""
        asked = self._request.GET.get("view", "")
        current = next((view for view in self.views if str(view.pk) == asked), None)
        query = clean_query(self._request.GET.urlencode())
        is_changed = current is not None and query != clean_query(current.query)
        return {
            "columns": columns,
            "kept": [
                (name, value)
                for name, values in self._request.GET.lists()
                if name not in {"columns", "page", "export"}
                for value in values
                if value
            ],
            "tabs": self._tabs(current) if self.views else [],
            "view": current,
            "view_is_changed": is_changed,
            "may_change_view": current is not None and may_change(current, person(self._request)),
            "view_query": query,
            "new_view_href": f"{reverse('views:new')}?"
            + urlencode({"list": self._page, "query": query}),
        }

    def _tabs(self, current: SavedView | None) -> list[Tab]:
        whole = Tab(name="All", href="?", is_current=current is None)
        return [whole] + [
            Tab(
                name=view.name,
                href=view.get_absolute_url(),
                is_current=view == current,
                is_shared=view.is_for_everyone or view.team is not None,
            )
            for view in self.views
        ]


class ViewedListPage(ListPage):
    """A list whose filters, order and columns can be kept under a name."""

    viewed_page: ViewedPage
    # Always shown: the box, and what the row is about.
    fixed_columns: tuple[str, ...] = ("tick",)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list, or lead to the view of it that this person opens first."""
        self.kept_views = KeptViews(request, self.viewed_page)
        if first := self.kept_views.opens_with:
            return redirect(first)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_table_kwargs(self) -> dict[str, Any]:
        """Leave out the columns that were not chosen."""
        hidden = [column.key for column in self._columns() if not column.is_shown]
        return super().get_table_kwargs() | {"exclude": hidden}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the tabs, the columns, and what can be done with the present filters."""
        return super().get_context_data(**kwargs) | self.kept_views.context(self._columns())

    def _columns(self) -> list[Column]:
        return self.kept_views.columns(self.table_class, self.fixed_columns)
