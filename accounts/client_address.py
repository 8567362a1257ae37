"""Which address a request came from."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """Give the client's IP address; the proxy's word counts only where TRUSTED_PROXY is set."""
    if settings.TRUSTED_PROXY:
        # The right-most entry is the one our own proxy added; those before it can be forged.
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        if forwarded:
            return str(forwarded)
    return str(request.META.get("REMOTE_ADDR", ""))
