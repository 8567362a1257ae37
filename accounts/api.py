"""Who a call of the API acts as: the owner of the bearer token."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.security import HttpBearer

from accounts.models import User


class TokenAuth(HttpBearer):
    """Let a call in that `TokenMiddleware` has recognised; its person is `request.auth`."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """Give the person, or None for a token that is unknown, over or revoked (401)."""
        return getattr(request, "token_user", None)


def person(request: HttpRequest) -> User:
    """Give the person a recognised call acts as."""
    user = getattr(request, "auth", None)
    if not isinstance(user, User):
        raise TypeError("This call has not passed TokenAuth.")
    return user
