"""The forms about incidents, rules and destinations."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.forms import offer_managed_teams
from accounts.models import Team, User
from alerts.models import MOST_TEXT_CHARS, DestinationKind, Digest, Incident, Severity
from alerts.rules import PARAMETERS, Parameter, ParameterType, RuleKind
from alerts.services.handle import LONGEST_ACCEPTANCE, LONGEST_MUTE, people_who_may_handle
from domains.models import Tag

# What each means stands below the choice: on a phone a choice has no room for it.
_SEVERITIES = [(one.value, one.label.split(":")[0]) for one in Severity]
_SEVERITY_WORDS = ". ".join(one.label for one in Severity) + "."


class CommentForm(forms.Form):
    """Some text for the timeline."""

    text = forms.CharField(
        max_length=MOST_TEXT_CHARS,
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class QuietForm(forms.Form):
    """Until when to keep quiet, and why."""

    until = forms.DateField(
        label="Until the end of", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    text = forms.CharField(max_length=MOST_TEXT_CHARS, required=False, label="Why")

    def __init__(
        self,
        *args: Any,
        days: int = 7,
        longest: timedelta = LONGEST_MUTE,
        needs_reason: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.now().date()
        self.fields["until"].initial = today + timedelta(days=days)
        span = {"min": today, "max": today + longest}
        self.fields["until"].widget.attrs |= {name: on.isoformat() for name, on in span.items()}
        most = "two years" if longest == LONGEST_ACCEPTANCE else f"{longest.days} days"
        self.fields["until"].help_text = f"At most {most} ahead."
        self.fields["text"].required = needs_reason

    @property
    def until_at(self) -> datetime:
        """Give the end of the chosen day, UTC."""
        return datetime.combine(self.cleaned_data["until"], time(23, 59, 59), UTC)


class ResolveForm(forms.Form):
    """What ended it."""

    text = forms.CharField(max_length=MOST_TEXT_CHARS, required=False, label="What ended it")


class ReopenForm(forms.Form):
    """Why it is not over, or not to be kept quiet about."""

    text = forms.CharField(max_length=MOST_TEXT_CHARS, required=False, label="Why")


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
    """Give the people who may act on an incident, and whoever has it."""
    found = people_who_may_handle(incident).values("pk")
    people = User.objects.filter(Q(pk__in=found) | Q(pk=incident.assignee_id))
    return people.order_by("name", "email")


class _TeamScoped(forms.Form):
    """A form whose thing belongs to a team the person manages, or to none."""

    team = forms.ModelChoiceField(
        queryset=Team.objects.none(), required=False, empty_label="All domains", label="Team"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_managed_teams(self, user)


class RuleForm(_TeamScoped):
    """A rule of one kind; its kind says which parameters it has."""

    name = forms.CharField(max_length=100, label="Name")
    severity = forms.ChoiceField(
        choices=_SEVERITIES, initial=Severity.HIGH, label="Severity", help_text=_SEVERITY_WORDS
    )
    is_active = forms.BooleanField(
        required=False,
        initial=True,
        label="Active",
        help_text="A rule that is switched off opens no incident, and ends those that are open.",
    )

    def __init__(self, user: User, kind: RuleKind, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self._parameters = PARAMETERS[kind]
        for parameter in self._parameters:
            self.fields[parameter.name] = _parameter_field(parameter)
        names = [parameter.name for parameter in self._parameters]
        self.order_fields(["name", "team", *names, "severity", "is_active"])

    def parameters(self) -> dict[str, Any]:
        """Give the parameters as they are stored."""
        return {one.name: self.cleaned_data[one.name] for one in self._parameters}


class PlainNumberInput(forms.NumberInput):
    """Shows small numbers with their zeros: 0.00001 and not 1e-05."""

    def format_value(self, value: Any) -> str | None:
        """Give the number as people write it."""
        is_float = isinstance(value, float)
        return f"{Decimal(str(value)).normalize():f}" if is_float else super().format_value(value)


class PerCentInput(PlainNumberInput):
    """A number with the sign behind it."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        """Give the control and its unit."""
        control = super().render(*args, **kwargs)
        return format_html(
            '<div class="input-group">{}<span class="input-group-text">%</span></div>', control
        )


class ShareField(forms.FloatField):
    """Shows and takes per cent, and gives a share: 5 is 0.05, as rules store it."""

    widget = PerCentInput

    def prepare_value(self, value: Any) -> Any:
        """Give a stored share in per cent; what was typed stays as it is."""
        # The digits that are meant: 100 times 0.07 has more than anybody wrote.
        return float(f"{100 * value:.12g}") if isinstance(value, float) else value

    def clean(self, value: Any) -> float | None:
        """Give the share; raises ValidationError for what is no part of a whole."""
        percent = super().clean(value)
        if percent is not None and not 0 < percent < 100:
            raise forms.ValidationError("It takes more than 0 % and less than 100 %.")
        # By way of the decimal digits: 0.7 / 100 would be 0.006999999999999999.
        return None if percent is None else float(Decimal(str(percent)) / 100)


class FactorField(forms.FloatField):
    """How many times as much; once is no growth."""

    widget = PlainNumberInput

    def clean(self, value: Any) -> float | None:
        """Give the factor; raises ValidationError for 1 and less."""
        factor: float | None = super().clean(value)
        if factor is not None and not factor > 1:
            raise forms.ValidationError("It takes a number above 1.")
        return factor


def _parameter_field(parameter: Parameter) -> forms.Field:
    """Give the form field of a rule's parameter; the rule itself checks its limits again."""
    words: dict[str, Any] = {
        "label": parameter.label,
        "initial": parameter.default,
        "help_text": parameter.help,
    }
    if parameter.type is ParameterType.FLAG:
        return forms.BooleanField(required=False, **words)
    if parameter.type is ParameterType.COUNT:
        return forms.IntegerField(min_value=1, **words)
    field = ShareField if parameter.type is ParameterType.SHARE else FactorField
    if field is ShareField:
        words["help_text"] += " In per cent."
    return field(**words)


class DestinationForm(_TeamScoped):
    """Where messages go."""

    name = forms.CharField(max_length=100, label="Name")
    kind = forms.ChoiceField(choices=DestinationKind.choices, label="Kind")
    address = forms.CharField(
        max_length=1000,
        label="Address",
        help_text="An e-mail address, or an Apprise URL such as slack://TokenA/TokenB/TokenC. It "
        "is kept encrypted and not shown again.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    minimum_severity = forms.ChoiceField(
        choices=_SEVERITIES,
        initial=Severity.MEDIUM,
        label="From this severity on",
        help_text=_SEVERITY_WORDS,
    )
    secret = forms.CharField(
        required=False,
        max_length=200,
        label="Secret of a signed webhook",
        help_text="Signs each message (HMAC-SHA256), so that the receiver knows it is ours.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    tag = forms.ModelChoiceField(
        queryset=Tag.objects.all(),
        required=False,
        empty_label="Any",
        label="Only domains with the tag",
    )
    digest = forms.ChoiceField(choices=Digest.choices, required=False, label="Digest")
    quiet_from = forms.TimeField(
        required=False,
        label="Quiet from (UTC)",
        help_text="Messages of the quiet hours arrive at their end.",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    quiet_until = forms.TimeField(
        required=False,
        label="Quiet until (UTC)",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    escalate_after_minutes = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10080,
        label="Only when nobody has acknowledged for (minutes)",
        help_text="For an escalation. Empty: hears at once.",
    )
    is_active = forms.BooleanField(required=False, initial=True, label="Active")
    field_order = ("name", "kind", "address", "secret", "team", "tag", "minimum_severity")

    def __init__(self, user: User, *args: Any, has_address: bool = False, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        if has_address:
            self.fields["address"].required = False
            for name in ("address", "secret"):
                self.fields[name].help_text = "Empty: the stored one stays."
