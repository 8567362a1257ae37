"""Who did what."""

from __future__ import annotations

import json
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.access import visible_to
from accounts.models import AuditEntry
from webui.lists import ListPage
from webui.markup import unbroken
from webui.tables import PortalTable
from webui.wording import day

CHANNELS = [("web", "In the portal"), ("api", "API"), ("command", "Command line")]


class AuditFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the audit log."""

    q = django_filters.CharFilter(method="search", label="Search person, deed or thing")
    since = django_filters.DateFilter(
        field_name="at",
        lookup_expr="date__gte",
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = django_filters.DateFilter(
        field_name="at",
        lookup_expr="date__lte",
        label="To",
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    channel = django_filters.ChoiceFilter(
        choices=CHANNELS, empty_label="Any channel", label="Channel"
    )

    class Meta:
        model = AuditEntry
        fields: list[str] = []

    def search(self, qs: QuerySet[AuditEntry], _name: str, value: str) -> QuerySet[AuditEntry]:
        """Find the words in who, what and which."""
        text = value.strip()
        return qs.filter(
            Q(actor_name__icontains=text)
            | Q(verb__icontains=text)
            | Q(target_name__icontains=text)
            | Q(request_id=text)
        )


class AuditTable(PortalTable):
    """One row an entry."""

    at = tables.Column(verbose_name="When (UTC)", order_by=("at", "pk"))
    actor_name = tables.Column(verbose_name="Who", attrs={"td": {"class": "key"}})
    verb = tables.Column(verbose_name="Did what")
    target_name = tables.Column(verbose_name="To what", attrs={"td": {"class": "host"}})
    changes = tables.Column(
        verbose_name="From what to what",
        accessor="pk",
        orderable=False,
        empty_values=(),
        attrs={"td": {"class": "wide changes"}},
    )
    channel = tables.Column(verbose_name="Channel")

    class Meta(PortalTable.Meta):
        model = AuditEntry
        fields: tuple[str, ...] = ()
        order_by = "-at"
        caption = "Audit log"

    def render_at(self, record: AuditEntry) -> str:
        """Give the time to the second."""
        return f"{day(record.at.date())} {record.at:%H:%M:%S}"

    def render_target_name(self, value: str) -> SafeString:
        """Give the thing; the names of standards in it stay whole."""
        return unbroken(value)

    def value_target_name(self, value: str) -> str:
        """Give it for files."""
        return value

    def render_changes(self, record: AuditEntry) -> SafeString | str:
        """Give what changed, folded where it is long."""
        text = self.value_changes(record)
        if not text:
            return "–"
        if len(text) <= 90:
            return format_html("<code>{}</code>", text)
        return format_html(
            '<details class="more"><summary>{}…</summary>'
            '<pre class="record mt-1">{}</pre></details>',
            text[:80],
            text,
        )

    def value_changes(self, record: AuditEntry) -> str:
        """Give what changed for files."""
        before, after = record.before or {}, record.after or {}
        parts = []
        for name in dict.fromkeys([*before, *after]):
            old, new = before.get(name), after.get(name)
            if old == new:
                continue
            parts.append(
                f"{name}: {_plain(old)} → {_plain(new)}"
                if name in before
                else f"{name}: {_plain(new)}"
            )
        return "; ".join(parts)


class AuditLog(ListPage):
    """The entries about a person's teams; all of them for those with a role everywhere."""

    table_class = AuditTable
    filterset_class = AuditFilter
    template_name = "settings/audit.html"
    export_name = "audit-log"
    thing, things = "entry", "entries"

    def get_queryset(self) -> QuerySet[AuditEntry]:
        """Give the entries, newest first."""
        return visible_to(self.request.user, AuditEntry.objects.all())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Name the words for an empty log."""
        return super().get_context_data(**kwargs) | {"empty_template": "settings/_audit_empty.html"}


def _plain(value: object) -> str:
    if value is None or value == "":
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
