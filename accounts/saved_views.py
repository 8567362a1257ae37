"""Lists that can be kept as views: their tabs, their columns, and the view they open with."""

from __future__ import annotations

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

# Opens a list with all its rows, also where another view is the person's default.
ALL = "all"


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


class ViewedListPage(ListPage):
    """A list whose filters, order and columns can be kept under a name."""

    viewed_page: ViewedPage
    # Always shown: the box, and what the row is about.
    fixed_columns: tuple[str, ...] = ("tick",)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the list; without any parameter, with the view this person opens first."""
        mine = SavedView.default_of.through.objects.filter(
            savedview=OuterRef("pk"), user=request.user
        )
        found = visible_views(person(request), self.viewed_page)
        self.views = list(found.select_related("team").annotate(is_default=Exists(mine)))
        first = next((view for view in self.views if view.is_default), None)
        if first is not None and not request.GET:
            return redirect(first)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def get_table_kwargs(self) -> dict[str, Any]:
        """Leave out the columns that were not chosen."""
        hidden = [column.key for column in self._columns() if not column.is_shown]
        return super().get_table_kwargs() | {"exclude": hidden}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the tabs, the columns, and what can be done with the present filters."""
        context = super().get_context_data(**kwargs)
        asked = self.request.GET.get("view", "")
        current = next((view for view in self.views if str(view.pk) == asked), None)
        query = clean_query(self.request.GET.urlencode())
        is_changed = current is not None and query != clean_query(current.query)
        return context | {
            "columns": self._columns(),
            "kept": [
                (name, value)
                for name, values in self.request.GET.lists()
                if name not in {"columns", "page", "export"}
                for value in values
                if value
            ],
            "tabs": self._tabs(current) if self.views else [],
            "view": current,
            "view_is_changed": is_changed,
            "may_change_view": current is not None and may_change(current, person(self.request)),
            "view_query": query,
            "new_view_href": f"{reverse('views:new')}?"
            + urlencode({"list": self.viewed_page, "query": query}),
        }

    def _columns(self) -> list[Column]:
        chosen = self.request.GET.getlist("columns")
        columns = self.table_class.base_columns
        return [
            Column(key=key, title=str(column.verbose_name), is_shown=not chosen or key in chosen)
            for key, column in columns.items()
            if key not in self.fixed_columns
        ]

    def _tabs(self, current: SavedView | None) -> list[Tab]:
        whole = Tab(name="All", href=f"?view={ALL}", is_current=current is None)
        return [whole] + [
            Tab(
                name=view.name,
                href=view.get_absolute_url(),
                is_current=view == current,
                is_shared=view.is_for_everyone or view.team is not None,
            )
            for view in self.views
        ]
