"""The domains behind a number of the coverage: what each published on a day, to look at or save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from accounts.access import may_anywhere
from accounts.roles import Role
from domains.exception_queries import exceptions_by_domain, running_exceptions
from domains.filters import DANE_CHOICES, STS_CHOICES, TLSRPT_CHOICES, InventoryFilter
from domains.history import with_states_on
from domains.lacks import Lack, excused_by, implied_by
from domains.models import CoverageException, Domain, DomainQuerySet, Status
from domains.signs import sign_of_day
from domains.tables import DomainTable
from tlsrpt_portal.pages.coverage_scope import find_day_ahead, read_day
from webui.exports import Format
from webui.lists import KeysFirst, ListPage
from webui.status import Sign

EXCEPTION_CHOICES = [(lack.value, f"Excepted: {lack.label}") for lack in Lack]


class DayFilter(InventoryFilter):
    """What narrows the list: names, owners and teams of today, states and exceptions of the day."""

    tlsrpt = django_filters.ChoiceFilter(
        field_name="tlsrpt_then",
        choices=TLSRPT_CHOICES,
        empty_label="Any TLS-RPT",
        label="TLS-RPT",
    )
    sts = django_filters.ChoiceFilter(
        field_name="sts_then", choices=STS_CHOICES, empty_label="Any MTA-STS", label="MTA-STS"
    )
    dane = django_filters.ChoiceFilter(
        field_name="dane_then",
        choices=DANE_CHOICES,
        method="by_dane",
        empty_label="Any DANE",
        label="DANE",
    )
    exception = django_filters.ChoiceFilter(
        choices=EXCEPTION_CHOICES,
        method="by_exception",
        empty_label="Any exception",
        label="Exception",
    )

    def by_dane(self, qs: DomainQuerySet, name: str, value: str) -> QuerySet[Domain]:
        """Narrow to a state of DANE; not looked at is unknown as well."""
        held = [Status.UNKNOWN, Status.NOT_CHECKED] if value == Status.UNKNOWN else [value]
        return qs.filter(**{f"{name}__in": held})

    def by_exception(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Narrow to domains with an exception from this lack that ran on the day."""
        seen = Domain.objects.visible_to(self.request.user)
        running = running_exceptions(seen, read_day(self.request))
        excused = running.filter(lack__in=implied_by(Lack(value)))
        return qs.filter(pk__in=excused.order_by().values("domain"))


class DayTable(DomainTable):
    """The columns of the domain list that a day knows of; the rows come from `with_states_on`."""

    tlsrpt = tables.Column(
        verbose_name="TLS-RPT", order_by=("tlsrpt_then", "name"), empty_values=()
    )
    mta_sts = tables.Column(verbose_name="MTA-STS", order_by=("sts_then", "name"), empty_values=())
    dane = tables.Column(verbose_name="DANE", order_by=("dane_then", "name"), empty_values=())

    class Meta(DomainTable.Meta):
        exclude = ("tick", "mx_provider")

    def __init__(self, *args: Any, on: date, **kwargs: Any) -> None:
        self.on = on
        super().__init__(*args, **kwargs)

    def decorate(self, records: Sequence[Domain]) -> None:
        """Fetch the exceptions that ran on the day."""
        self.exceptions = exceptions_by_domain(self.on, [record.pk for record in records])

    def _sign(self, record: Domain, aspect: str) -> Sign:
        return sign_of_day(*_then(record, aspect))

    def _excuse(self, record: Domain, aspect: str) -> CoverageException | None:
        excusing = excused_by(*_then(record, aspect))
        held = self.exceptions.get(record.pk, {})
        return next((one for lack, one in held.items() if lack in excusing), None)


def _then(record: Domain, aspect: str) -> tuple[str, str]:
    """Give an aspect as the history calls it, and its state on the day."""
    key = "sts" if aspect == "mta_sts" else aspect
    return key, getattr(record, f"{key}_then")


class DomainsOfDay(ListPage):
    """Which domains are behind a number of the coverage of this day?"""

    table_class = DayTable
    filterset_class = DayFilter
    template_name = "pages/coverage_domains.html"
    thing, things = "domain", "domains"
    own_parameters = ("on",)

    def get_queryset(self) -> QuerySet[Domain]:
        """Give the watched domains that this person may see and that were there on the day."""
        domains = Domain.objects.visible_to(self.request.user).active()
        return with_states_on(domains, read_day(self.request)).select_related("team").defer("notes")

    def get_table_data(self) -> KeysFirst:
        """Give the rows of a page, of however many."""
        return KeysFirst(super().get_table_data())

    def get_table_kwargs(self) -> dict[str, Any]:
        """Tell the table the day."""
        return super().get_table_kwargs() | {"on": read_day(self.request)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the day, and the words for a day that knows no domain."""
        context = super().get_context_data(**kwargs)
        day = read_day(self.request)
        team = self.request.GET.get("team")
        context["day"], context["is_today"] = day, day == timezone.now().date()
        context["day_ahead"] = find_day_ahead(self.request)
        query = {"on": day.isoformat()} | ({"team": team} if team else {})
        context["coverage_href"] = f"{reverse('coverage')}?{urlencode(query)}"
        context["may_manage"] = may_anywhere(self.request.user, Role.MANAGER)
        context["empty_template"] = "pages/_coverage_empty.html"
        return context

    def export(self, form: Format) -> HttpResponse:
        """Answer with the rows as a file; the day belongs to its name."""
        self.export_name = f"domains-{read_day(self.request).isoformat()}"
        return super().export(form)
