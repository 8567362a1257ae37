"""Ties each request to who is acting and to an id that logs and audit entries share."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.audit import acting_as
from accounts.models import User
from accounts.services.tokens import find_user

API_PREFIX = "/api/"


class ActingAsMiddleware:
    """Record what services write during a request as its person's doing.

    The person is the one who is logged in or, under /api/, the owner of the bearer token. Cookies
    do not count there: a call of the API can then not be forged by another site.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request as its person."""
        request_id = str(uuid.uuid4())
        is_api = request.path_info.startswith(API_PREFIX)
        if is_api:
            user = _token_user(request)
            request.token_user = user  # type: ignore[attr-defined]
        # The session is looked at only where something may be written: `request.user` is lazy, and
        # pages without a person must not cost a query.
        elif request.method in {"GET", "HEAD", "OPTIONS"}:
            user = None
        else:
            user = request.user if isinstance(request.user, User) else None
        with acting_as(user, "api" if is_api else "web", request_id=request_id):
            response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response


def _token_user(request: HttpRequest) -> User | None:
    scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return find_user(secret.strip()) if scheme.lower() == "bearer" and secret else None
