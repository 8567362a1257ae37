"""Which domains should have records by now and have none; pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domains.lacks import Lack


class CoverageKind(StrEnum):
    """What an incident about coverage tells."""

    NEW = "new-uncovered"
    ENDING = "exceptions-end"
    ENDED = "exceptions-ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRule:
    """How long a new domain may go without TLS-RPT or MTA-STS, and how early the end of an
    exception is told."""

    days: int = 14
    expects_tlsrpt: bool = True
    expects_mta_sts: bool = True
    warn_days: int = 14

    def missing(
        self,
        added_at: datetime,
        now: datetime,
        tlsrpt: str,
        mta_sts: str,
        excepted: Collection[Lack] = (),
    ) -> list[Lack]:
        """Give what a domain lacks though it had the time and nobody excepted it."""
        if now - added_at < timedelta(days=self.days):
            return []
        lacks = []
        if self.expects_tlsrpt and tlsrpt == "missing":
            lacks.append(Lack.TLSRPT)
        if self.expects_mta_sts and mta_sts == "missing":
            lacks.append(Lack.MTA_STS)
        return [lack for lack in lacks if lack not in excepted]
