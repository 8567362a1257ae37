"""The forms about reports: upload, intakes and mailboxes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.forms.models import model_to_dict

from accounts.forms import offer_managed_teams
from accounts.models import Team, User
from reports.models import Intake, Mailbox, MailSecurity
from reports.services.edit_mailboxes import EDITABLE, SECRET_GOES_BY


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
        offer_managed_teams(self, user)

    def clean_name(self) -> str:
        """Refuse a name that is taken."""
        name: str = self.cleaned_data["name"].strip()
        if Intake.objects.filter(name=name).exists():
            raise forms.ValidationError(f"There is an intake named {name} already.")
        return name


class MailboxForm(forms.Form):
    """A mailbox with its password, or with what an OAuth 2 access token is made from.

    Of one that is there already the stored secret stays where none is given.
    """

    name = forms.CharField(max_length=100, label="Name")
    host = forms.CharField(max_length=253, label="IMAP server")
    port = forms.IntegerField(min_value=1, max_value=65535, initial=993, label="Port")
    security = forms.ChoiceField(choices=MailSecurity.choices, label="Security")
    username = forms.CharField(max_length=254, label="User name")
    password = forms.CharField(
        required=False,
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted. Microsoft 365 and Google want OAuth 2 instead, below.",
    )
    token_url = forms.URLField(required=False, label="OAuth 2 token address", assume_scheme="https")
    client_id = forms.CharField(required=False, label="Client id")
    client_secret = forms.CharField(
        required=False, label="Client secret", widget=forms.PasswordInput()
    )
    refresh_token = forms.CharField(
        required=False, label="Refresh token", widget=forms.PasswordInput()
    )
    folder = forms.CharField(max_length=200, initial="INBOX", label="Folder")
    done_folder = forms.CharField(
        max_length=200,
        required=False,
        label="Folder for what was read",
        help_text="Mail is moved there a minute after. Empty: it stays and is marked as read.",
    )
    failed_folder = forms.CharField(
        max_length=200,
        required=False,
        label="Folder for what could not be read",
        help_text="Also for mail that was too large or held back. Empty: it stays.",
    )
    team = forms.ModelChoiceField(
        queryset=Team.objects.none(), required=False, empty_label="No team", label="Team"
    )

    _OAUTH = ("token_url", "client_id", "client_secret", "refresh_token")
    _FOLDED = {
        "OAuth 2 in place of a password": _OAUTH,
        "Where mail goes once it is read": ("done_folder", "failed_folder"),
    }

    def __init__(self, user: User, *args: Any, held: Mailbox | None = None, **kwargs: Any) -> None:
        if held is not None:
            kwargs["initial"] = model_to_dict(held, EDITABLE)
        super().__init__(*args, **kwargs)
        self.held = held
        offer_managed_teams(self, user)
        if held is not None:
            self.fields[
                "password"
            ].help_text = "Empty: the stored one stays, for the same server and user name."
            self.fields["token_url"].help_text = "Empty, like the next three: what is stored stays."

    @property
    def shown(self) -> list[forms.BoundField]:
        """Give the fields that every mailbox needs."""
        return [self[name] for name in self.fields if name not in self._folded()]

    @property
    def folded(self) -> list[tuple[str, list[forms.BoundField], bool]]:
        """Give the fields that few need: title, fields, and whether something stands there."""
        return [
            (title, fields, any(field.errors or field.value() for field in fields))
            for title, names in self._FOLDED.items()
            for fields in [[self[name] for name in names]]
        ]

    def _folded(self) -> set[str]:
        return {name for names in self._FOLDED.values() for name in names}

    def clean_name(self) -> str:
        """Refuse a name that is taken."""
        name: str = self.cleaned_data["name"].strip()
        others = Mailbox.objects.exclude(pk=self.held.pk) if self.held else Mailbox.objects.all()
        if others.filter(name=name).exists():
            raise forms.ValidationError(f"There is a mailbox named {name} already.")
        return name

    def clean(self) -> dict[str, Any]:
        """Ask for a password, or for all that OAuth 2 needs."""
        cleaned = super().clean() or self.cleaned_data
        given = [name for name in self._OAUTH if cleaned.get(name)]
        if given and not cleaned.get("password") and len(given) < len(self._OAUTH):
            missing = next(name for name in self._OAUTH if name not in given)
            self.add_error(missing, "OAuth 2 needs all four fields.")
        if not given and not cleaned.get("password"):
            if self.held is None:
                self.add_error("password", "Enter the password.")
            elif {*SECRET_GOES_BY} & {*self.changed_data}:
                self.add_error(
                    "password",
                    "Enter the password or what OAuth 2 needs again: what is stored goes to no "
                    "other server or user name, and by no other port or security.",
                )
        return cleaned

    def mailbox(self) -> Mailbox:
        """Give the mailbox, unsaved and without a new secret."""
        mailbox = self.held or Mailbox()
        for name in EDITABLE:
            setattr(mailbox, name, self.cleaned_data[name])
        return mailbox

    def secret(self) -> dict[str, str]:
        """Give the password, or what access tokens are made from; empty where none is given."""
        if self.cleaned_data["password"]:
            return {"password": self.cleaned_data["password"]}
        return {name: self.cleaned_data[name] for name in self._OAUTH if self.cleaned_data[name]}
