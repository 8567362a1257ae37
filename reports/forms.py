"""The forms about reports: upload and intakes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from accounts import access
from accounts.models import Team, User
from accounts.roles import Role
from reports.models import Intake


class UploadForm(forms.Form):
    """One file with a report, a mail, or an archive of them."""

    file = forms.FileField(
        label="File",
        help_text="A report (JSON, gzip), a mail that carries one, or a zip of them.",
        widget=forms.FileInput(attrs={"accept": ".json,.gz,.zip,.eml,.mbox"}),
    )

    def clean_file(self) -> UploadedFile[Any]:
        """Refuse what an intake would refuse."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        limit = settings.INTAKE_MAX_MEGABYTES * 1024 * 1024
        if (file.size or 0) > limit:
            raise forms.ValidationError(
                f"The file has {(file.size or 0) / 1024**2:.1f} MB; the limit is "
                f"{settings.INTAKE_MAX_MEGABYTES} MB (INTAKE_MAX_MEGABYTES)."
            )
        return file


class IntakeForm(forms.Form):
    """A new intake."""

    name = forms.CharField(max_length=100, label="Name")
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(), required=False, empty_label="No team", label="Team"
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = access.teams_for(user, Role.MANAGER)
        if not access.may(user, Role.MANAGER, None):
            team.empty_label = None
            team.required = True

    def clean_name(self) -> str:
        """Refuse a name that is taken."""
        name: str = self.cleaned_data["name"].strip()
        if Intake.objects.filter(name=name).exists():
            raise forms.ValidationError(f"There is an intake named {name} already.")
        return name
