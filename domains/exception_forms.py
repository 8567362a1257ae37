"""The forms that grant, renew and end exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone

from accounts.access import people_with
from accounts.models import Team, User
from accounts.roles import Role
from domains.lacks import Lack
from domains.models import MOST_REASON_CHARS
from domains.services.coverage_exceptions import LONGEST

PROPOSED = timedelta(days=365)


class RenewForm(forms.Form):
    """Why, until when, and who approves."""

    reason = forms.CharField(
        max_length=MOST_REASON_CHARS,
        label="Reason",
        help_text="Stands in the list and in what is filed for an audit.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    expires_on = forms.DateField(
        label="Until",
        help_text="The last day it holds, at most two years ahead.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    approver = forms.ModelChoiceField(
        queryset=User.objects.none(),
        empty_label=None,
        label="Approved by",
        help_text="You, or another manager for all of these domains. Both names are kept.",
    )

    def __init__(self, user: User, teams: Iterable[Team | None], *args: Any, **kwargs: Any) -> None:
        today = timezone.now().date()
        initial = {"approver": user.pk, "expires_on": today + PROPOSED}
        kwargs["initial"] = initial | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)
        approver = self.fields["approver"]
        assert isinstance(approver, forms.ModelChoiceField)
        approver.queryset = people_with(Role.MANAGER, teams)
        span = {"min": today + timedelta(days=1), "max": today + LONGEST}
        self.fields["expires_on"].widget.attrs |= {
            name: day.isoformat() for name, day in span.items()
        }


class GrantForm(RenewForm):
    """The same, and what the domains may lack."""

    lacks = forms.MultipleChoiceField(
        choices=[(lack.value, f"{lack.label}: {lack.meaning}") for lack in Lack],
        label="What they may lack",
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("lacks",)

    def chosen_lacks(self) -> list[Lack]:
        """Give what was ticked."""
        return [Lack(value) for value in self.cleaned_data["lacks"]]
