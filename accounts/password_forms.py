"""The forms of allauth about passwords, in the words of the portal."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)

from accounts.forms import HOW_LONG
from accounts.services.set_up import is_set_up


class LogInForm(LoginForm):  # type: ignore[misc]
    """The address and the password of somebody who comes in."""

    @property
    def is_anybody_here(self) -> bool:
        """Is there an account with which to log in?"""
        return is_set_up()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail address"
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class PasswordAgainForm(ReauthenticateForm):  # type: ignore[misc]
    """The password once more, before something about the log-in is changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].widget.attrs.pop("placeholder", None)


class AskForPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """The address of somebody who has forgotten the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "E-mail address"
        del self.fields["email"].widget.attrs["placeholder"]


class ChoosePasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """The password that an invited person, or one who has forgotten it, chooses."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, again = self.fields["password1"], self.fields["password2"]
        first.label, again.label = "Password", "The same password again"
        first.help_text = HOW_LONG
        for field in (first, again):
            field.widget.attrs.pop("placeholder", None)


class ReplacePasswordForm(ChangePasswordForm):  # type: ignore[misc]
    """The password now, and the one to come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "oldpassword": "Password now",
            "password1": "New password",
            "password2": "The new password again",
        }
        for name, label in labels.items():
            self.fields[name].label = label
            self.fields[name].widget.attrs.pop("placeholder", None)
        self.fields["password1"].help_text = HOW_LONG
