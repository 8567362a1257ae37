"""How allauth behaves here: nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from accounts.client_address import client_address


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Log-in, log-out and passwords only; administrators make accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse self-made accounts."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Give the address that rate limits count by."""
        return client_address(request)
