"""When the next check of a domain is due."""

from __future__ import annotations

import random
from datetime import datetime

from domains.models import Domain

JITTER = 0.1


def next_check_after(domain: Domain, now: datetime) -> datetime:
    """Give the time one interval on, up to a tenth earlier, so that checks spread out evenly."""
    return now + domain.check_interval * (1 - JITTER * random.random())  # noqa: S311 - no secret
