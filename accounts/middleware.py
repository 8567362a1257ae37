"""Ties each request to who is acting and to an id that logs and audit entries share."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from accounts.audit import acting_as
from accounts.models import User


class ActingAsMiddleware:
    """Record what services write during a request as the logged-in person's doing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request as its person."""
        request_id = str(uuid.uuid4())
        # The session is looked at only by views that need the person: `request.user` is lazy, and
        # static pages, health checks and the intake must not cost a query.
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            response = self.get_response(request)
        else:
            user = request.user if isinstance(request.user, User) else None
            with acting_as(user, "web", request_id=request_id):
                response = self.get_response(request)
        response["X-Request-Id"] = request_id
        return response
