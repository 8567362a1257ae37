"""Serves hosted MTA-STS policies: `https://mta-sts.<domain>/.well-known/mta-sts.txt`."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from domains.services.publish_policy import live_policy, policy_text_of
from mailtls.names import fold_name

PATH = "/.well-known/mta-sts.txt"
HOST_PREFIX = "mta-sts."


class HostedPolicyMiddleware:
    """Answer for the policy hosts of all domains before anything else looks at the host name.

    Stands first: `mta-sts.<domain>` is in no list of allowed hosts, and the answer must be neither
    a redirect nor a challenge (RFC 8461 section 3.3).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the policy, 404 for domains without one, or pass on."""
        if request.path_info != PATH:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        host = fold_name(request.META.get("HTTP_HOST", "").rpartition("@")[2].split(":")[0])
        revision = live_policy(host.removeprefix(HOST_PREFIX))
        if not host.startswith(HOST_PREFIX) or revision is None:
            return HttpResponse(
                "No MTA-STS policy is hosted under this name.\n", status=404, content_type=_TEXT
            )
        return HttpResponse(policy_text_of(revision), content_type=_TEXT)


_TEXT = "text/plain; charset=utf-8"
