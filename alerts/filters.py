"""The filters of the incident list."""

from __future__ import annotations

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.access import Person, visible_to
from alerts.lifecycle import ACTIVE_STATES, State
from alerts.models import Incident, IncidentDomain, IncidentQuerySet, Rule, Severity
from alerts.signs import SEVERITY
from mailtls.names import fold_name

ACTIVE = "active"
STATE_CHOICES = [
    ("any", "Any state"),
    *((state.value, str(state.label)) for state in State),
]
OWNER_CHOICES = [("me", "Mine"), ("nobody", "Nobody's")]


def rules_for(user: Person) -> QuerySet[Rule]:
    """Give the rules of a person's teams, and those that look at all domains."""
    mine = visible_to(user, Rule.objects.order_by())
    return Rule.objects.filter(Q(pk__in=mine.values("pk")) | Q(team=None))


class IncidentFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What narrows the incident list; without a state it shows what is not over."""

    q = django_filters.CharFilter(method="search", label="Search titles, domains, MX hosts")
    state = django_filters.ChoiceFilter(
        choices=STATE_CHOICES, method="by_state", empty_label="Not over", label="State"
    )
    severity = django_filters.ChoiceFilter(
        choices=[(one.value, SEVERITY[one].word) for one in Severity],
        empty_label="Any severity",
        label="Severity",
    )
    owner = django_filters.ChoiceFilter(
        choices=OWNER_CHOICES, method="by_owner", empty_label="Anybody's", label="Who has it"
    )

    rule = django_filters.ModelChoiceFilter(
        queryset=lambda request: rules_for(request.user), empty_label="Any rule", label="Rule"
    )

    class Meta:
        model = Incident
        fields: list[str] = []

    def filter_queryset(self, queryset: IncidentQuerySet) -> QuerySet[Incident]:
        """Leave out what is over unless a state is asked for."""
        if not self.form.cleaned_data.get("state"):
            queryset = queryset.filter(state__in=sorted(ACTIVE_STATES))
        narrowed: QuerySet[Incident] = super().filter_queryset(queryset)
        return narrowed

    def search(self, qs: IncidentQuerySet, _name: str, value: str) -> QuerySet[Incident]:
        """Find the words in the title, the cause or the names of touched domains the person may
        see; what others' names hold is not found out by searching for it."""
        text = value.strip()
        named = (
            IncidentDomain.objects.filter(incident=OuterRef("pk"))
            .filter(
                Q(domain__name__icontains=text) | Q(domain__name__contains=fold_name(text) or text)
            )
            .order_by()
        )
        mine = visible_to(self.request.user, named, "domain__team")
        told = Q(title__icontains=text) | Q(cause_key__icontains=text)
        return qs.filter(Exists(mine) | (told & ~Exists(named)))

    def by_state(self, qs: IncidentQuerySet, _name: str, value: str) -> QuerySet[Incident]:
        """Narrow to one state."""
        return qs if value == "any" else qs.filter(state=value)

    def by_owner(self, qs: IncidentQuerySet, _name: str, value: str) -> QuerySet[Incident]:
        """Narrow to the person's own, or to those that nobody has."""
        return qs.filter(assignee=self.request.user if value == "me" else None)
