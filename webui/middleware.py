"""What is refused before any page sees it."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse


class ZeroByteMiddleware:
    """Refuse addresses that hold a zero byte: PostgreSQL knows no such text, and nothing means it.

    Forms refuse them by themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or raise BadRequest."""
        if "\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds a zero byte.")
        return self.get_response(request)
