"""What is wrong with a domain's records, by consequence; pure. (filled in below)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureRule:
    """What of a domain's confirmed state is told."""

    clean_checks: int = 2
    certificate_days: int = 21
    tells_small: bool = False
