"""The person behind a request, as the pages need them."""

from __future__ import annotations

from django.http import HttpRequest

from accounts.models import User


def person(request: HttpRequest) -> User:
    """Give the person who is logged in; pages are behind the log-in, so there is one."""
    assert isinstance(request.user, User)
    return request.user
