"""How bad a cause is by what it does to mail; pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from alerts.rules.kinds import Severity
from mailtls.catalogue.result_types import Concern, Urgency, describe_result_type

# How soon somebody should have dealt with it.
DUE_WITHIN = {
    Severity.CRITICAL: timedelta(hours=4),
    Severity.HIGH: timedelta(days=1),
    Severity.MEDIUM: timedelta(days=7),
    Severity.LOW: timedelta(days=30),
}
_OF_URGENCY = {
    Urgency.CRITICAL: Severity.CRITICAL,
    Urgency.HIGH: Severity.HIGH,
    Urgency.MEDIUM: Severity.MEDIUM,
}


def severity_of_failures(
    result_type: str, enforced: Collection[str], domains: Collection[str], rate: float
) -> Severity:
    """Give the severity of failing sessions; `enforced` are the domains with a policy in enforce.

    Under enforce and under DANE senders refuse to deliver; elsewhere mail goes out in clear. A
    policy that could not be read refuses nothing, whatever its mode.
    """
    words = describe_result_type(result_type)
    severity = _OF_URGENCY[words.urgency]
    match words.concern:
        case Concern.CONNECTION:
            is_refused = any(name in enforced for name in domains)
        case Concern.DANE:
            is_refused = True
        case Concern.POLICY:
            is_refused = False
    if is_refused and severity is Severity.HIGH and rate >= 0.5:
        return Severity.CRITICAL
    return severity
