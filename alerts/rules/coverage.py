"""Which domains should have records by now and have none; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRule:
    """How long a new domain may go without TLSRPT or MTA-STS."""

    days: int = 14
    expects_tlsrpt: bool = True
    expects_mta_sts: bool = True

    def missing(self, added_at: datetime, now: datetime, tlsrpt: str, mta_sts: str) -> list[str]:
        """Give which records a domain lacks though it had the time."""
        if now - added_at < timedelta(days=self.days):
            return []
        lacks = []
        if self.expects_tlsrpt and tlsrpt == "missing":
            lacks.append("tlsrpt")
        if self.expects_mta_sts and mta_sts == "missing":
            lacks.append("mta-sts")
        return lacks
