"""The whole opinion on one domain in one pure place."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from mailtls.aspects import (
    DaneAspect,
    Expected,
    MtaStsAspect,
    MxAspect,
    StarttlsAspect,
    Status,
    TlsrptAspect,
    format_time,
)
from mailtls.findings import Finding
from mailtls.observed import Observed, Validation
from mailtls.verdicts.combined import judge_together
from mailtls.verdicts.dane import judge_dane
from mailtls.verdicts.mta_sts import judge_mta_sts, judge_reporting
from mailtls.verdicts.mx import judge_mx
from mailtls.verdicts.starttls import judge_starttls
from mailtls.verdicts.tlsrpt import judge_tlsrpt

__all__ = ["Expected", "Posture", "Status", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """How a domain stands, by aspect.

    `consequence` is what real senders do where MTA-STS and DANE disagree; it stands among the
    findings of `dane` too.
    """

    domain: str
    checked_at: datetime
    took_ms: int
    dnssec: Validation
    tlsrpt: TlsrptAspect
    mta_sts: MtaStsAspect
    mx: MxAspect
    dane: DaneAspect
    starttls: StarttlsAspect
    consequence: Finding | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Give all findings, aspect after aspect."""
        aspects = (self.tlsrpt, self.mta_sts, self.mx, self.dane, self.starttls)
        return tuple(finding for aspect in aspects for finding in aspect.findings)

    def as_dict(self) -> dict[str, object]:
        """Give the JSON object that `checkdomain --json` prints."""
        return {
            "domain": self.domain,
            "checked_at": format_time(self.checked_at),
            "took_ms": self.took_ms,
            "tlsrpt": self.tlsrpt.as_dict(),
            "mta_sts": self.mta_sts.as_dict(),
            "mx": self.mx.as_dict(),
            "dane": self.dane.as_dict(),
            "starttls": self.starttls.as_dict(),
        }


def judge(observed: Observed, now: datetime, expected: Expected | None = None) -> Posture:
    """Give the opinion on an observation, new or stored.

    `now` decides about certificates; without `expected` nothing is said about our own rua.
    """
    tlsrpt = judge_tlsrpt(observed, expected)
    mta_sts = judge_mta_sts(observed, now)
    mta_sts = _add(mta_sts, judge_reporting(mta_sts, tlsrpt.status))
    mx = judge_mx(observed, mta_sts.policy)
    starttls = judge_starttls(observed, mta_sts.policy, now)
    dane = judge_dane(observed, now)
    consequence = judge_together(mta_sts, dane, starttls)
    if consequence is not None:
        dane = dataclasses.replace(dane, findings=(*dane.findings, consequence))
    return Posture(
        domain=observed.domain,
        checked_at=observed.checked_at,
        took_ms=observed.took_ms,
        dnssec=observed.dnssec,
        tlsrpt=tlsrpt,
        mta_sts=mta_sts,
        mx=mx,
        dane=dane,
        starttls=starttls,
        consequence=consequence,
    )


def _add(aspect: MtaStsAspect, findings: tuple[Finding, ...]) -> MtaStsAspect:
    return dataclasses.replace(aspect, findings=(*aspect.findings, *findings))
