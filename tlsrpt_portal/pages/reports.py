"""The list of reports, which an incident narrows to those on the domains it touches."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from alerts.models import Incident
from alerts.readers import reader_of, see
from domains.models import Domain, DomainQuerySet
from reports.filter_chips import Chip, address_without
from reports.filters import ReportFilter, hidden_key
from reports.views.reports import ReportList


class PortalReportFilter(ReportFilter):
    """What narrows the list; an incident leads here from each day of its chart."""

    incident = hidden_key("Incident")

    @cached_property
    def is_of_strangers(self) -> bool:
        """Say no of an incident: all that one touches is in the inventory."""
        return self.form.cleaned_data["incident"] is None and super().is_of_strangers

    def find_named(self) -> DomainQuerySet | None:
        """Give the domain of the name, those the incident touches, or what is both."""
        named, incident = super().find_named(), self.form.cleaned_data["incident"]
        if incident is None:
            return named
        found = Domain.objects.visible_to(self.request.user) if named is None else named
        touched: DomainQuerySet = found.filter(incident_domains__incident=int(incident))
        return touched


class PortalReports(ReportList):
    """All reports on domains that a person may see."""

    filterset_class = PortalReportFilter

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the incident to what the list is narrowed to."""
        context = super().get_context_data(**kwargs)
        asked = self.filterset.form.cleaned_data.get("incident")
        if self.filterset.is_valid() and asked is not None:
            user = self.request.user
            found = Incident.objects.visible_to(user).filter(pk=int(asked)).first()
            title = f", {see(reader_of(user), found).title}" if found else ""
            about = f"incident #{int(asked)}{title}"
            without = address_without(self.request.GET, "incident")
            context["chips"].insert(0, Chip(f"Domains of {about}", without))
        return context
