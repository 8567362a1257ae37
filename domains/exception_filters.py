"""The filters of the list of exceptions."""

from __future__ import annotations

from datetime import timedelta

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from domains.exception_queries import lacking_only
from domains.filters import NO_TEAM, TeamFilter, teams_of
from domains.lacks import EXPIRING_DAYS, Lack
from domains.models import CoverageException, CoverageExceptionQuerySet
from mailtls.names import fold_name

STATE_CHOICES = [
    ("expiring", f"Ending within {EXPIRING_DAYS} days"),
    ("expired", "Expired"),
    ("lapsed", "Expired, still lacking"),
    ("ended", "Ended or renewed"),
    ("any", "Any state"),
]


def approvers(request: HttpRequest | None) -> QuerySet[User]:
    """Give the people who approved something this person may see."""
    if request is None:
        return User.objects.none()
    seen = CoverageException.objects.visible_to(request.user)
    return User.objects.filter(pk__in=seen.order_by().values("approver"))


class ExceptionFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the list; without a state it shows what runs."""

    q = django_filters.CharFilter(method="search", label="Search domains, reasons, approvers")
    state = django_filters.ChoiceFilter(
        choices=STATE_CHOICES, method="by_state", empty_label="Running", label="State"
    )
    lack = django_filters.ChoiceFilter(
        choices=Lack.choices, empty_label="Any lack", label="May lack"
    )
    team = TeamFilter(
        queryset=teams_of,
        field_name="domain__team",
        empty_label="Any team",
        null_value=NO_TEAM,
        label="Team",
    )
    approver = django_filters.ModelChoiceFilter(
        queryset=approvers, empty_label="Any approver", label="Approved by"
    )

    class Meta:
        model = CoverageException
        fields: list[str] = []

    def filter_queryset(self, queryset: CoverageExceptionQuerySet) -> QuerySet[CoverageException]:
        """Leave out what is over unless a state is asked for."""
        if not self.form.cleaned_data.get("state"):
            queryset = queryset.running_on(timezone.now().date())
        narrowed: QuerySet[CoverageException] = super().filter_queryset(queryset)
        return narrowed

    def search(
        self, qs: CoverageExceptionQuerySet, _name: str, value: str
    ) -> QuerySet[CoverageException]:
        """Find the words in names, reasons and approvers."""
        text = value.strip()
        return qs.filter(
            Q(domain__name__icontains=text)
            | Q(domain__name__contains=fold_name(text) or text)
            | Q(reason__icontains=text)
            | Q(approver_name__icontains=text)
        )

    def by_state(
        self, qs: CoverageExceptionQuerySet, _name: str, value: str
    ) -> QuerySet[CoverageException]:
        """Narrow to what ends soon, ran out, or was ended."""
        today = timezone.now().date()
        if value == "expiring":
            soon = today + timedelta(days=EXPIRING_DAYS)
            return qs.running_on(today).filter(expires_on__lte=soon)
        if value == "expired":
            return qs.expired_on(today)
        if value == "lapsed":
            return lacking_only(qs.expired_on(today))
        if value == "ended":
            return qs.exclude(ended_on=None, renewal=None)
        return qs
