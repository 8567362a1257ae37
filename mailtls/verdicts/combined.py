"""What real senders do where MTA-STS and DANE say different things (RFC 8461 section 2)."""

from __future__ import annotations

from mailtls.aspects import DaneAspect, MtaStsAspect, StarttlsAspect, Status
from mailtls.findings import Finding, Severity, error, warning
from mailtls.sts_policy import Mode

# Findings after which a DANE sender defers the mail, as opposed to going on without DANE.
_DANE_STOPS = frozenset(
    {
        "dane.tlsa.mismatch",
        "dane.ta.not-sent",
        "dane.ta.name",
        "dane.ta.expired",
        "dane.ta.broken-chain",
        "dane.tlsa.lookup-failed",
        "dane.no-starttls",
    }
)


def judge_together(sts: MtaStsAspect, dane: DaneAspect, starttls: StarttlsAspect) -> Finding | None:
    """Give the consequence for real senders where the two disagree, or None."""
    policy = sts.policy
    if policy is None or policy.mode is Mode.NONE:
        return None
    dane_stops = any(finding.code in _DANE_STOPS for finding in dane.findings)
    sts_fails = _sts_fails(sts, starttls)
    if dane_stops and not sts_fails:
        # "senders who implement both MUST NOT allow MTA-STS to override a failing DANE".
        return error("combined.dane-fails", mode=policy.mode.value)
    if sts_fails and dane.status is Status.VALID:
        if policy.mode is Mode.ENFORCE:
            return error("combined.sts-fails", mode=policy.mode.value)
        return warning("combined.sts-fails", mode=policy.mode.value)
    return None


def _sts_fails(sts: MtaStsAspect, starttls: StarttlsAspect) -> bool:
    """Say whether an MTA-STS sender refuses a host, or would under enforce."""
    if any(
        finding.code == "sts.mx.not-covered" and finding.severity is not Severity.INFO
        for finding in sts.findings
    ):
        return True
    return any(
        finding.code.startswith("starttls.cert.") and finding.code != "starttls.cert.expires-soon"
        for finding in starttls.findings
    )
