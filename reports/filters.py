"""The filters of the list of reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import django_filters
from django import forms
from django.db.models import Q

from accounts.access import sees_everything
from domains.models import Domain
from reports.models import HAS_FAILED, PolicyKind, PolicyResult, Report, Trust
from reports.report_rows import ReportRows

CONTENT_CHOICES = [
    ("failures", "With failures"),
    ("warnings", "With warnings"),
    ("conflicts", "In conflict with another"),
]


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ReportFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the list of reports.

    What is asked of results is asked of one: a policy type and failures mean failures under it.
    """

    q = django_filters.CharFilter(label="Search reporter or report ID")
    domain = django_filters.CharFilter(
        label="Domain",
        widget=forms.TextInput(attrs={"placeholder": "Any domain", "size": 18}),
    )
    day = django_filters.DateFilter(label="Day", widget=_date_input())
    since = django_filters.DateFilter(widget=forms.HiddenInput(), label="First day")
    until = django_filters.DateFilter(widget=forms.HiddenInput(), label="Last day")
    reporter = django_filters.CharFilter(widget=forms.HiddenInput(), label="Reporter")
    cause = django_filters.CharFilter(widget=forms.HiddenInput(), label="Result type")
    policy = django_filters.ChoiceFilter(
        choices=PolicyKind.choices, empty_label="Any policy", label="Policy type"
    )
    trust = django_filters.ChoiceFilter(
        choices=Trust.choices, empty_label="Any trust", label="Trust"
    )
    content = django_filters.ChoiceFilter(
        choices=CONTENT_CHOICES, empty_label="Any content", label="Content"
    )

    class Meta:
        model = Report
        fields: list[str] = []

    @property
    def qs(self) -> ReportRows:
        """Give the reports that match, of those that this person may see."""
        asked = self.form.cleaned_data
        if of_results := self._of_results(asked):
            results = PolicyResult.objects.filter(of_results, _of_reports(asked, "report__"))
            return ReportRows(matching=results, key="report")
        return ReportRows(matching=Report.objects.filter(_of_reports(asked)), key="pk")

    def _of_results(self, asked: Mapping[str, Any]) -> Q:
        """Give the conditions on results; empty where reports without any match, too."""
        user, condition = self.request.user, Q()
        domains = Domain.objects.visible_to(user).order_by()
        if name := asked["domain"].strip().lower():
            condition &= Q(domain__in=domains.filter(name=name).values("pk"))
        elif not sees_everything(user):
            condition &= Q(domain__in=domains.values("pk"))
        if asked["policy"]:
            condition &= Q(policy_type=asked["policy"])
        if asked["cause"]:
            condition &= Q(details__result_type=asked["cause"])
        if asked["content"] == "failures":
            condition &= HAS_FAILED
        return condition


def _of_reports(asked: Mapping[str, Any], path: str = "") -> Q:
    """Give the conditions on reports; `path` leads to them from rows with day and reporter."""
    condition = Q()
    if text := asked["q"].strip():
        condition &= Q(reporter__icontains=text) | Q(**{f"{path}report_id__icontains": text})
    if asked["day"]:
        condition &= Q(day=asked["day"])
    if asked["since"]:
        condition &= Q(day__gte=asked["since"])
    if asked["until"]:
        condition &= Q(day__lte=asked["until"])
    if asked["reporter"]:
        condition &= Q(reporter=asked["reporter"])
    if asked["trust"]:
        condition &= Q(**{f"{path}trust": asked["trust"]})
    if asked["content"] == "warnings":
        condition &= ~Q(**{f"{path}warnings": []})
    if asked["content"] == "conflicts":
        condition &= Q(**{f"{path}conflicts_with__isnull": False})
    return condition
