"""How allauth behaves here: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from accounts.client_address import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Log-in, log-out and passwords only; administrators make accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "There is no account with this address and password.",
        "enter_current_password": "This is not your password now.",
        "incorrect_password": "This is not your password.",
        "rate_limited": "Too many attempts. Wait some minutes and try again.",
        "too_many_login_attempts": "Too many attempts. Wait some minutes and try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse self-made accounts."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Give the address that rate limits count by."""
        return client_address(request)


class TwoFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """One-time codes, in the words of the portal."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": (
            "This code does not fit. Each is good for half a minute: type the one the app shows "
            "now, and see that the clock of the phone is right."
        ),
    }
