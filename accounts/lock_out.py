"""What failed log-ins and wrong codes are counted by. axes counts them, in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.utils import reset
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User

Credentials = Mapping[str, Any]
_SECOND_FACTOR = "second factor of account"


def who(request: HttpRequest, credentials: Credentials | None = None) -> str:
    """Name the account that somebody wants into, whatever letters they write it with."""
    named = (credentials or {}).get(settings.AXES_USERNAME_FORM_FIELD) or ""
    return str(named).strip().casefold()


def counted_by(request: HttpRequest, credentials: Credentials | None = None) -> list[Any]:
    """Passwords are counted for account and address: nobody can shut out another from afar.

    Who is asked for a code knows the password, so there it does not matter from where they try.
    """
    if who(request, credentials).startswith(_SECOND_FACTOR):
        return ["username"]
    return [["username", "ip_address"]]


class CodeTries:
    """The wrong codes that somebody has typed who knows the password of an account."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self._request = request
        self._credentials = {settings.AXES_USERNAME_FORM_FIELD: f"{_SECOND_FACTOR} {user.pk}"}

    @property
    def are_too_many(self) -> bool:
        """Say whether they have to wait."""
        return not AxesProxyHandler.is_allowed(self._request, self._credentials)

    def count(self) -> None:
        """Count one more; the last one that is allowed ends in the page that says to wait."""
        AxesProxyHandler.user_login_failed(CodeTries, self._credentials, self._request)

    def forget(self) -> None:
        """Begin anew, after a right one."""
        reset(username=who(self._request, self._credentials))
