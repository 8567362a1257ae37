"""The exceptions of one domain, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from domains.exception_queries import with_lacking
from domains.lacks import Lack
from domains.models import CoverageException, Domain
from domains.signs import exception_sign
from webui.status import Sign

MOST_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainExceptions:
    """What runs today, by what may be lacking, and all of them with how each stands."""

    running: dict[Lack, CoverageException]
    rows: list[tuple[CoverageException, Sign]]


def read_exceptions(domain: Domain) -> DomainExceptions:
    """Give a domain's exceptions: running ones first, then the newest of the others."""
    today = timezone.now().date()
    found = list(
        with_lacking(CoverageException.objects.filter(domain=domain))
        .select_related("renewal")
        .order_by("-granted_at")
    )
    running = [one for one in found if one.is_running(today)]
    others = [one for one in found if not one.is_running(today)]
    return DomainExceptions(
        running={Lack(one.lack): one for one in running},
        rows=[(one, exception_sign(one, today)) for one in (running + others)[:MOST_ROWS]],
    )
