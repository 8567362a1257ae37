"""The filters of the domain list; the same address parameters choose rows for bulk actions."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.access import sees_everything, teams_for
from accounts.models import Team
from domains.exception_queries import lacking
from domains.lacks import Lack, implied_by
from domains.models import (
    CoverageException,
    Domain,
    DomainQuerySet,
    Status,
    StsMode,
    Tag,
)
from mailtls.names import fold_name
from mailtls.providers import PROVIDER_NAMES

NO_TEAM = "none"

TLSRPT_CHOICES = [
    ("valid", "TLS-RPT: valid"),
    ("missing", "TLS-RPT: missing"),
    ("invalid", "TLS-RPT: invalid"),
    ("unknown", "TLS-RPT: unknown"),
]
STS_CHOICES = [
    ("enforce", "MTA-STS: enforce"),
    ("testing", "MTA-STS: testing"),
    ("none", "MTA-STS: mode none"),
    ("missing", "MTA-STS: missing"),
    ("invalid", "MTA-STS: invalid"),
    ("unknown", "MTA-STS: unknown"),
]
DANE_CHOICES = [
    ("valid", "DANE: valid"),
    ("missing", "DANE: none"),
    ("invalid", "DANE: invalid"),
    ("unknown", "DANE: unknown"),
]
ALL, PAUSED = "all", "paused"
UNEXCUSED = "unexcused"
# The lacks without an exception: what is asked for, and the lacks it may be.
UNEXCUSED_CHOICES = {
    UNEXCUSED: ("Lacking, not excepted", (Lack.TLSRPT, Lack.MTA_STS)),
    "unexcused-tlsrpt": ("No TLS-RPT, not excepted", (Lack.TLSRPT,)),
    "unexcused-mta-sts": ("No MTA-STS, not excepted", (Lack.MTA_STS,)),
}
EXCEPTION_CHOICES = [
    *((lack.value, f"Excepted: {lack.label}") for lack in Lack),
    *((value, words) for value, (words, _) in UNEXCUSED_CHOICES.items()),
]
STATE_CHOICES = [
    ("errors", "With errors"),
    ("stale", "Not seen lately"),
    ("unchecked", "Not checked yet"),
    ("uncovered", "MX not in its policy"),
    ("mail", "Takes mail"),
    ("no-mail", "Takes no mail"),
    (PAUSED, "Paused"),
    (ALL, "Watched and paused"),
]


class TeamFilter(django_filters.ModelChoiceFilter):  # type: ignore[misc]
    """One of the person's teams, or none where the person may see such domains."""

    @property
    def field(self) -> Any:
        """Give the choices; no team is for those with a role everywhere."""
        request = self.get_request()
        sees_all = request is not None and sees_everything(request.user)
        self.extra["null_label"] = "No team" if sees_all else None
        return super().field

    def filter(self, qs: QuerySet[Domain], value: Team | str | None) -> QuerySet[Domain]:
        """Narrow to the team."""
        if value == NO_TEAM:
            return qs.filter(**{self.field_name: None})
        return qs.filter(**{self.field_name: value}) if isinstance(value, Team) else qs


def teams_of(request: HttpRequest | None) -> QuerySet[Team]:
    """Give the teams to choose from."""
    return teams_for(request.user) if request is not None else Team.objects.none()


class InventoryFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows every list of domains."""

    q = django_filters.CharFilter(method="search", label="Search names, owners, providers")
    team = TeamFilter(
        queryset=teams_of,
        empty_label="Any team",
        null_value=NO_TEAM,
        label="Team",
    )

    class Meta:
        model = Domain
        fields: list[str] = []

    def search(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Find the words in names, owners and MX providers; U-labels are found as well."""
        text = value.strip().lower()
        found = Q(name__contains=text) | Q(owner__icontains=text)
        if (a_label := fold_name(text)) and a_label != text:
            found |= Q(name__contains=a_label)
        # There are only so many providers: any other word is not looked for among them.
        if providers := [name for name in PROVIDER_NAMES if text in name.lower()]:
            found |= Q(mx_provider__in=providers)
        return qs.filter(found)


class DomainFilter(InventoryFilter):
    """What narrows the domain list."""

    tlsrpt = django_filters.ChoiceFilter(
        choices=TLSRPT_CHOICES, method="by_tlsrpt", empty_label="Any TLS-RPT", label="TLS-RPT"
    )
    sts = django_filters.ChoiceFilter(
        choices=STS_CHOICES, method="by_sts", empty_label="Any MTA-STS", label="MTA-STS"
    )
    dane = django_filters.ChoiceFilter(
        choices=DANE_CHOICES, method="by_dane", empty_label="Any DANE", label="DANE"
    )
    tag = django_filters.ModelChoiceFilter(
        queryset=Tag.objects.all(),
        field_name="tags",
        to_field_name="name",
        empty_label="Any tag",
        label="Tag",
    )
    state = django_filters.ChoiceFilter(
        choices=STATE_CHOICES, method="by_state", empty_label="Watched", label="State"
    )

    exception = django_filters.ChoiceFilter(
        choices=EXCEPTION_CHOICES,
        method="by_exception",
        empty_label="Any exception",
        label="Exception",
    )

    def filter_queryset(self, queryset: DomainQuerySet) -> QuerySet[Domain]:
        """Leave out paused domains unless they are asked for, as the overview's figures do."""
        if self.form.cleaned_data.get("state") not in {ALL, PAUSED}:
            queryset = queryset.active()
        narrowed: QuerySet[Domain] = super().filter_queryset(queryset)
        return narrowed

    def by_tlsrpt(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Narrow to a state of the TLSRPT record."""
        return qs.filter(tlsrpt=value)

    def by_sts(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Narrow to a mode, or to a state without a usable policy."""
        if value in set(StsMode):
            return qs.filter(mta_sts=Status.VALID, sts_mode=value)
        return qs.filter(mta_sts=value)

    def by_dane(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Narrow to a state of DANE."""
        # Nobody asks whether it could not be looked up or was not: both are unknown.
        held = [Status.UNKNOWN, Status.NOT_CHECKED] if value == Status.UNKNOWN else [value]
        return qs.filter(dane__in=held)

    def by_exception(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Narrow to domains whose lack is excused, or to those that lack TLS-RPT or MTA-STS
        without an exception."""
        if value not in UNEXCUSED_CHOICES:
            return qs.filter(excepted_from(Lack(value)))
        _, lacks = UNEXCUSED_CHOICES[value]
        unexcused = Q(pk__in=())
        for lack in lacks:
            unexcused |= lacking(lack) & ~excepted_from(lack)
        return qs.filter(unexcused)

    def by_state(self, qs: DomainQuerySet, _name: str, value: str) -> QuerySet[Domain]:
        """Narrow to domains in a condition that deserves a look."""
        if value == "errors":
            return qs.filter(errors__gt=0)
        if value == "stale":
            return qs.filter(unknown_since__isnull=False)
        if value == "unchecked":
            return qs.filter(tlsrpt="")
        if value == "uncovered":
            return qs.filter(has_uncovered_mx=True)
        if value == "mail":
            return qs.exclude(mx=Status.NULL_MX)
        if value == "no-mail":
            return qs.filter(mx=Status.NULL_MX)
        return qs.filter(is_active=False) if value == PAUSED else qs


def excepted_from(lack: Lack) -> Q:
    """Give the domains that may lack this today."""
    running = CoverageException.objects.running_on(timezone.now().date())
    return Q(pk__in=running.filter(lack__in=implied_by(lack)).order_by().values("domain"))
