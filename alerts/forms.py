"""The forms about incidents, rules and destinations."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from alerts.models import Incident


class CommentForm(forms.Form):
    """Some text for the timeline."""

    text = forms.CharField(
        max_length=5000,
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class QuietForm(forms.Form):
    """Until when to keep quiet, and why."""

    until = forms.DateField(
        label="Until the end of", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    text = forms.CharField(max_length=2000, required=False, label="Why")

    def __init__(
        self, *args: Any, days: int = 7, needs_reason: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.now().date()
        self.fields["until"].initial = today + timedelta(days=days)
        self.fields["until"].widget.attrs["min"] = today.isoformat()
        self.fields["text"].required = needs_reason

    @property
    def until_at(self) -> datetime:
        """Give the end of the chosen day, UTC."""
        return datetime.combine(self.cleaned_data["until"], time(23, 59, 59), UTC)


class ResolveForm(forms.Form):
    """What ended it."""

    text = forms.CharField(max_length=2000, required=False, label="What ended it")


class AssignForm(forms.Form):
    """Who takes it on."""

    assignee = forms.ModelChoiceField(
        queryset=User.objects.none(), required=False, empty_label="Nobody", label="Who has it"
    )

    def __init__(self, incident: Incident, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = _people_of(incident)


def _people_of(incident: Incident) -> QuerySet[User]:
    """Give the people who may see an incident: of the touched teams, or everywhere."""
    teams = incident.incident_domains.values("domain__team")
    allowed = Q(memberships__team__in=teams) | Q(is_superuser=True) | ~Q(role_everywhere="")
    return User.objects.filter(allowed, is_active=True).distinct().order_by("name", "email")
