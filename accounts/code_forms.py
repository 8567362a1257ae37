"""The forms of allauth about one-time codes, in the words of the portal."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms


def _word(field: forms.Field, label: str, inputmode: str) -> None:
    field.label = label
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs["inputmode"] = inputmode


class FirstCodeForm(ActivateTOTPForm):  # type: ignore[misc]
    """The code with which a new authenticator app proves that it knows the key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["code"], "Code that the app shows", "numeric")


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """The second step of a log-in: a code of the app, or one for recovery."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Both kinds of code are digits: a phone shows its keys for numbers.
        _word(self.fields["code"], "Code", "numeric")
        self.fields["code"].widget.attrs["autofocus"] = True


class CodeAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The same, before something about the log-in is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["code"], "Code", "numeric")
