"""The forms about people and teams."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts import access
from accounts.models import Team, User
from accounts.roles import Role
from accounts.services.saved_views import EVERYONE, Share

HOW_LONG = "At least 12 characters. A sentence is fine."


class SetUpForm(forms.Form):
    """Name, address and password of the first administrator."""

    name = forms.CharField(
        max_length=150, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label="E-mail address",
        help_text="You log in with it.",
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label="Password",
        help_text=HOW_LONG,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label="The same password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Compare the two passwords and hold them against the rules for passwords."""
        values = super().clean() or {}
        password, again = values.get("password"), values.get("password_again")
        if password and again and password != again:
            self.add_error("password_again", "The two passwords differ.")
        if password:
            person = User(email=values.get("email", ""), name=values.get("name", ""))
            try:
                validate_password(password, person)
            except ValidationError as error:
                self.add_error("password", error)
        return values


class TeamForm(forms.Form):
    """The name of a team."""

    name = forms.CharField(max_length=100, label="Name")


ROLES = [(role.value, role.short_label) for role in Role]
ROLES_HELP = (
    "Viewers see everything of the team. Analysts also check domains, handle incidents and "
    "upload reports. Managers also edit domains, rules, destinations and members."
)


class MemberForm(forms.Form):
    """Somebody's role in a team; the person has an account already."""

    email = forms.EmailField(label="E-mail address", help_text="Of a person who has an account.")
    role = forms.ChoiceField(
        choices=ROLES, label="Role", initial=Role.ANALYST, help_text=ROLES_HELP
    )

    def clean_email(self) -> User:
        """Find the person."""
        user = User.objects.filter(email=self.cleaned_data["email"].strip().lower()).first()
        if user is None:
            raise ValidationError(
                "Nobody with this address has an account. An administrator can invite them under "
                "Settings → People."
            )
        if not user.is_active:
            raise ValidationError(
                "This account has ended. An administrator can let its person log in again under "
                "Settings → People."
            )
        return user


class PersonForm(forms.Form):
    """What an administrator decides about a person."""

    name = forms.CharField(max_length=150, label="Name")
    role_everywhere = forms.ChoiceField(
        choices=[("", "None: only in teams"), *ROLES],
        required=False,
        label="Role everywhere",
        help_text="In every team and for domains without one: for security and audit.",
    )
    is_administrator = forms.BooleanField(
        required=False,
        label="Administrator",
        help_text="May do everything, also here.",
    )

    @property
    def role(self) -> Role | None:
        """Give the role everywhere."""
        value = self.cleaned_data["role_everywhere"]
        return Role(value) if value else None


class InviteForm(PersonForm):
    """A new person."""

    email = forms.EmailField(label="E-mail address")
    team = forms.ModelChoiceField(
        Team.objects.all(),
        required=False,
        empty_label="No team yet",
        label="Team",
        help_text="Whose domains the person sees; more teams can follow.",
    )
    role_in_team = forms.ChoiceField(
        choices=ROLES,
        required=False,
        initial=Role.ANALYST,
        label="Role in the team",
        help_text=ROLES_HELP,
    )
    field_order = ("email", "name", "team", "role_in_team", "role_everywhere", "is_administrator")

    @property
    def membership(self) -> tuple[Team, Role] | None:
        """Give the team and the role in it, None for no team."""
        team = self.cleaned_data["team"]
        role = self.cleaned_data["role_in_team"] or Role.ANALYST
        return None if team is None else (team, Role(role))


class TokenForm(forms.Form):
    """What a new API token is for and how long it lives."""

    LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "Without end")]

    name = forms.CharField(max_length=100, label="What it is for")
    days = forms.ChoiceField(choices=LIFETIMES, required=False, initial="90", label="Valid for")


class SavedViewForm(forms.Form):
    """The name of a view, who sees it, and whether the list opens with it."""

    name = forms.CharField(max_length=60, label="Name")
    share = forms.ChoiceField(required=False, label="Who sees it")
    is_first = forms.BooleanField(required=False, label="My list opens with it")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._teams = {str(team.pk): team for team in access.teams_for(user, Role.MANAGER)}
        share = self.fields["share"]
        assert isinstance(share, forms.ChoiceField)
        share.choices = [
            ("", "Only me"),
            *((key, f"The team {team}") for key, team in self._teams.items()),
        ]
        if access.may(user, Role.MANAGER, None):
            share.choices = [*share.choices, (EVERYONE, "Everybody")]

    def chosen_share(self) -> Share:
        """Give who sees it."""
        value = self.cleaned_data["share"]
        return Share(team=self._teams.get(value), is_for_everyone=value == EVERYONE)


def offer_managed_teams(form: forms.Form, user: User) -> None:
    """Let a form's `team` be one that this person manages; none only where they may have none."""
    team = form.fields["team"]
    assert isinstance(team, forms.ModelChoiceField)
    team.queryset = access.teams_for(user, Role.MANAGER)
    if not access.may(user, Role.MANAGER, None):
        team.empty_label = None
        team.required = True
