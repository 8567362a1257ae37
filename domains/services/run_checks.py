"""Checks domains that are due: claims them, has them observed, stores what was seen."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from domains.destinations import our_destinations, portal_host
from domains.models import Domain
from domains.services.record_check import Recorded, record_check
from mailtls.observed import Observed
from prober import Options, Request

logger = logging.getLogger(__name__)

# A worker that died while it checked: its domains are free again after this time.
CLAIM_ENDS_AFTER = timedelta(minutes=15)
BATCH = 100
BATCHES_A_TICK = 20


class Observe(Protocol):
    """What checks are made with: `prober.run_checks`, or the demo world's stand-in."""

    def __call__(self, requests: Iterable[Request], options: Options) -> Iterator[Observed]:
        """Give one observation for each request, as they come."""


def probe_options() -> Options:
    """Give the prober's options from the settings."""
    return Options(
        nameservers=tuple(settings.DNS_NAMESERVERS),
        allow_private_addresses=settings.PROBE_PRIVATE_ADDRESSES,
        ca_file=settings.PROBE_CA_FILE,
        probe_starttls=settings.PROBE_STARTTLS,
        ehlo_name=_own_name(),
    )


def _own_name() -> str:
    """Give the portal's host name to greet MX hosts with, unless it is one of this machine only."""
    name = portal_host()
    return name if "." in name and not name.replace(".", "").isdigit() else ""


def claim_due(now: datetime | None = None, limit: int = BATCH * BATCHES_A_TICK) -> list[int]:
    """Claim domains whose check is due and give their ids; nobody else gets them meanwhile."""
    now = now or timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_ENDS_AFTER)
    due = list(Domain.objects.due(now).filter(free).values_list("pk", flat=True)[:limit])
    claimed = []
    for start in range(0, len(due), BATCH):
        part = Domain.objects.filter(free, pk__in=due[start : start + BATCH])
        # The stamp tells whose claim won where two ticks see the same domains.
        stamp = timezone.now()
        if part.update(claimed_at=stamp):
            held = Domain.objects.filter(pk__in=due[start : start + BATCH], claimed_at=stamp)
            claimed += list(held.values_list("pk", flat=True))
    return claimed


def run_checks(ids: Sequence[int]) -> list[Recorded]:
    """Check these domains now and store what was seen, each in a transaction of its own."""
    started = time.monotonic()
    domains = {domain.name: domain for domain in Domain.objects.filter(pk__in=ids)}
    requests = [Request(domain=name, with_starttls=settings.PROBE_STARTTLS) for name in domains]
    observe = cast("Observe", import_string(settings.PROBE_WITH))
    our_rua = our_destinations()
    recorded = [
        record_check(domains[observed.domain], observed, timezone.now(), our_rua)
        for observed in observe(requests, probe_options())
    ]
    logger.info(
        "checked %s domains in %.1f s: %s changed, %s not fully seen",
        len(recorded),
        time.monotonic() - started,
        sum(one.has_changed for one in recorded),
        sum(not one.is_known for one in recorded),
    )
    return recorded
