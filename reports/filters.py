"""The filters of the list of reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

import django_filters
from django import forms
from django.db.models import BigIntegerField, Q, QuerySet

from accounts.access import sees_everything
from domains.filters import NO_TEAM as NO_TEAM_WORD
from domains.models import Domain, DomainQuerySet, StsMode
from mailtls.names import fold_name
from reports.cause_key import CauseKey, details_condition
from reports.fleet import Fleet, Scope, in_scope
from reports.models import HAS_FAILED, PolicyKind, PolicyResult, Report, Trust
from reports.queries import first_kept_day
from reports.report_rows import ReportRows
from reports.report_totals import Asked, ReportTotals, add_up
from reports.sum_models import NO_TEAM

CONTENT_CHOICES = [
    ("failures", "With failures"),
    ("warnings", "With warnings"),
    ("conflicts", "In conflict with another"),
]
WATCHED, UNMANAGED = "watched", "unmanaged"
ABOUT_CHOICES = [(WATCHED, "Watched domains"), (UNMANAGED, "Domains not in the inventory")]


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _hidden(label: str) -> django_filters.CharFilter:
    return django_filters.CharFilter(widget=forms.HiddenInput(), label=label)


def hidden_key(label: str) -> django_filters.NumberFilter:
    """Give a filter by the key of a row; what is none that a database could hold is refused."""
    return django_filters.NumberFilter(
        widget=forms.HiddenInput(),
        label=label,
        min_value=1,
        max_value=BigIntegerField.MAX_BIGINT,
        decimal_places=0,
    )


class TeamKeyField(forms.DecimalField):
    """The key of a team, or the word for none."""

    def to_python(self, value: Any) -> Any:
        """Read it."""
        return super().to_python(NO_TEAM if value == NO_TEAM_WORD else value)


class TeamKeyFilter(django_filters.NumberFilter):  # type: ignore[misc]
    """A team, or the domains that belong to none."""

    field_class = TeamKeyField


class ReportFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the list of reports.

    What is asked of results is asked of one: a policy type and failures mean failures under it.
    Pages that show figures lead here with the hidden ones, so that the rows are those counted.
    """

    q = django_filters.CharFilter(label="Search reporter or report ID")
    domain = django_filters.CharFilter(
        label="Domain",
        widget=forms.TextInput(attrs={"placeholder": "Any domain", "size": 18}),
    )
    day = django_filters.DateFilter(label="Day", widget=_date_input())
    since = django_filters.DateFilter(widget=forms.HiddenInput(), label="First day")
    until = django_filters.DateFilter(widget=forms.HiddenInput(), label="Last day")
    about = django_filters.ChoiceFilter(
        choices=ABOUT_CHOICES, widget=forms.HiddenInput(), label="About"
    )
    team = TeamKeyFilter(
        widget=forms.HiddenInput(),
        label="Team",
        min_value=NO_TEAM,
        max_value=BigIntegerField.MAX_BIGINT,
        decimal_places=0,
    )
    sts = django_filters.ChoiceFilter(
        choices=StsMode.choices, widget=forms.HiddenInput(), label="MTA-STS mode"
    )
    provider = _hidden("MX provider")
    reporter = _hidden("Reporter")
    cause = _hidden("Result type")
    operator = _hidden("Operator of the MX")
    mx = _hidden("Receiving MX")
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
        of_results = self.of_results & self._of_content(asked)
        rows: QuerySet[Any] = Report.objects.filter(_of_reports(asked))
        if of_results:
            rows = PolicyResult.objects.filter(of_results, _of_reports(asked, "report__"))
        since, until = self._days
        return ReportRows(
            matching=rows, key="report" if of_results else "pk", since=since, until=until
        )

    @cached_property
    def of_results(self) -> Q:
        """Give the conditions on the results whose figures are shown; empty where on none."""
        asked, user, condition = self.form.cleaned_data, self.request.user, Q()
        if self.scope is not None:
            condition &= in_scope(self.scope)
        elif not sees_everything(user):
            visible = Domain.objects.visible_to(user).order_by()
            condition &= Q(domain__in=visible.values("pk"))
        elif self.is_of_strangers:
            condition &= Q(domain=None)
            if self.name:
                condition &= Q(policy_domain=self.name)
        if asked["policy"]:
            condition &= Q(policy_type=asked["policy"])
        return condition

    @cached_property
    def cause_key(self) -> CauseKey | None:
        """Give the cause that is asked for; an empty MX or operator means that none is named."""
        cause = self.form.cleaned_data["cause"]
        operator, mx = self.data.get("operator"), self.data.get("mx")
        return CauseKey(result_type=cause, operator=operator, receiving_mx=mx) if cause else None

    @cached_property
    def scope(self) -> Scope:
        """Give the domains that are asked for; None where any."""
        asked, user = self.form.cleaned_data, self.request.user
        # A name that the inventory lacks is no domain; see `of_results`.
        if self.is_of_strangers:
            return None
        narrowed = self.find_named()
        if not self.is_of_inventory:
            return narrowed
        fleet = Fleet(
            user,
            None if asked["team"] is None else int(asked["team"]),
            StsMode(asked["sts"]) if asked["sts"] else None,
            asked["provider"],
        )
        return fleet if narrowed is None else fleet.domains & narrowed

    def find_named(self) -> DomainQuerySet | None:
        """Give the domain that is asked for by its name, to those who may see it; None for any."""
        if not self.name:
            return None
        return Domain.objects.visible_to(self.request.user).filter(name=self.name)

    @property
    def name(self) -> str:
        """Give the name of a domain that is asked for, as the inventory has names."""
        return fold_name(self.form.cleaned_data["domain"])

    @cached_property
    def is_of_strangers(self) -> bool:
        """Say whether reports on domains that the inventory lacks are asked for, of somebody who
        may see them: in so many words, or by the name of one."""
        if not sees_everything(self.request.user):
            return False
        if self.form.cleaned_data["about"] == UNMANAGED:
            return True
        may_be = self.name and not self.is_of_inventory
        return bool(may_be) and not Domain.objects.filter(name=self.name).exists()

    @property
    def is_of_inventory(self) -> bool:
        """Say whether something is asked for that only domains of the inventory have."""
        asked = self.form.cleaned_data
        is_of_watched = asked["about"] == WATCHED or asked["team"] is not None
        return bool(is_of_watched or asked["sts"] or asked["provider"])

    @property
    def gone_before(self) -> date | None:
        """Give the day before which reports may be gone, where earlier days are asked for."""
        asked, first = self.form.cleaned_data, first_kept_day()
        since = asked["day"] or asked["since"]
        return first if since and since < first else None

    @property
    def _days(self) -> tuple[date, date]:
        """Give the first and the last day that are asked for; an open end is the end of time."""
        asked = self.form.cleaned_data
        since = max(asked["since"] or date.min, asked["day"] or date.min)
        return since, min(asked["until"] or date.max, asked["day"] or date.max)

    @cached_property
    def totals(self) -> ReportTotals | None:
        """Give what the reports add up to; None where a condition is not on daily figures, or so
        many days of so many domains are asked for that nobody counts them by hand."""
        asked = self.form.cleaned_data
        is_narrowed_otherwise = asked["q"].strip() or asked["trust"]
        if is_narrowed_otherwise or asked["content"] not in {"", "failures"} or self.scope is None:
            return None
        since, until = self._days
        is_open = since == date.min or until == date.max
        if is_open and not asked["domain"].strip():
            return None
        return add_up(
            Asked(
                scope=self.scope,
                since=since,
                until=until,
                reporter=asked["reporter"],
                policy_type=asked["policy"],
                cause=self.cause_key,
                is_failing=asked["content"] == "failures",
            )
        )

    def _of_content(self, asked: Mapping[str, Any]) -> Q:
        """Give the conditions that leave reports out, but no figures of those that stay."""
        condition = Q()
        if self.cause_key is not None:
            condition &= details_condition(self.cause_key, "details__", "")
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
