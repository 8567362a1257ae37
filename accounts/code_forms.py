"""The forms of allauth about one-time codes, in the words of the portal."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.core.exceptions import ValidationError

from accounts.lock_out import CodeTries


def _word(field: forms.Field, label: str, inputmode: str) -> None:
    field.label = label
    field.widget.attrs.pop("placeholder", None)
    field.widget.attrs["inputmode"] = inputmode


class FirstCodeForm(ActivateTOTPForm):  # type: ignore[misc]
    """The code with which a new authenticator app proves that it knows the key."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["code"], "Code that the app shows", "numeric")


class _Counted:
    """Allows few wrong codes: else somebody who knows the password could try all of them."""

    def clean_code(self) -> str:
        """Refuse any code after too many wrong ones, and count those."""
        tries = CodeTries(context.request, self.user)  # type: ignore[attr-defined]
        if tries.are_too_many:
            raise get_adapter().validation_error("too_many_login_attempts")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError:
            tries.count()
            raise
        tries.forget()
        return code


class CodeForm(_Counted, AuthenticateForm):  # type: ignore[misc]
    """The second step of a log-in: a code of the app, or one for recovery."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Both kinds of code are digits: a phone shows its keys for numbers.
        _word(self.fields["code"], "Code", "numeric")
        self.fields["code"].widget.attrs["autofocus"] = True


class CodeAgainForm(_Counted, ReauthenticateForm):  # type: ignore[misc]
    """The same, before something about the log-in is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["code"], "Code", "numeric")
