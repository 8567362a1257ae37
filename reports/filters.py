"""The filters of the list of reports."""

from __future__ import annotations

import django_filters
from django import forms
from django.db.models import Q, QuerySet

from domains.models import Domain
from reports.models import FailureDetail, PolicyKind, PolicyResult, Report, Trust

CONTENT_CHOICES = [
    ("failures", "With failures"),
    ("warnings", "With warnings"),
    ("conflicts", "In conflict with another"),
]


# As PolicyResult.failed_sessions: the details count where the summary leaves failures out.
_HAS_FAILED = Q(failures__gt=0) | Q(failures=None, failures_in_details__gt=0)


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReportFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the list of reports."""

    q = django_filters.CharFilter(method="search", label="Search reporter or report ID")
    domain = django_filters.CharFilter(
        method="by_domain",
        label="Domain",
        widget=forms.TextInput(attrs={"placeholder": "Any domain", "size": 18}),
    )
    day = django_filters.DateFilter(field_name="day", label="Day", widget=_date_input())
    reporter = django_filters.CharFilter(
        field_name="reporter", widget=forms.HiddenInput(), label="Reporter"
    )
    cause = django_filters.CharFilter(
        method="by_cause", widget=forms.HiddenInput(), label="Result type"
    )
    policy = django_filters.ChoiceFilter(
        choices=PolicyKind.choices,
        method="by_policy",
        empty_label="Any policy",
        label="Policy type",
    )
    trust = django_filters.ChoiceFilter(
        choices=Trust.choices, empty_label="Any trust", label="Trust"
    )
    content = django_filters.ChoiceFilter(
        choices=CONTENT_CHOICES, method="by_content", empty_label="Any content", label="Content"
    )

    class Meta:
        model = Report
        fields: list[str] = []

    def search(self, qs: QuerySet[Report], _name: str, value: str) -> QuerySet[Report]:
        """Find the words in the reporter's name or the report's ID."""
        text = value.strip()
        return qs.filter(reporter__icontains=text) | qs.filter(report_id__icontains=text)

    def by_domain(self, qs: QuerySet[Report], _name: str, value: str) -> QuerySet[Report]:
        """Narrow to reports on a domain that the person may see."""
        domains = Domain.objects.visible_to(self.request.user).filter(name=value.strip().lower())
        results = PolicyResult.objects.filter(domain__in=domains.values("pk"))
        return qs.filter(pk__in=results.values("report"))

    def by_cause(self, qs: QuerySet[Report], _name: str, value: str) -> QuerySet[Report]:
        """Narrow to reports that name a result type."""
        details = FailureDetail.objects.filter(result_type=value)
        return qs.filter(pk__in=details.values("result__report"))

    def by_policy(self, qs: QuerySet[Report], _name: str, value: str) -> QuerySet[Report]:
        """Narrow to reports with a result under a policy type: a failing one, where asked so."""
        results = PolicyResult.objects.filter(policy_type=value)
        if self.data.get("content") == "failures":
            results = results.filter(_HAS_FAILED)
        return qs.filter(pk__in=results.values("report"))

    def by_content(self, qs: QuerySet[Report], _name: str, value: str) -> QuerySet[Report]:
        """Narrow to reports that hold something worth a look."""
        if value == "failures":
            failing = PolicyResult.objects.filter(_HAS_FAILED)
            return qs.filter(pk__in=failing.values("report"))
        if value == "warnings":
            return qs.exclude(warnings=[])
        return qs.exclude(conflicts_with=None)
