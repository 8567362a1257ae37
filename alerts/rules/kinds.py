"""The closed sets of alerting: what rules look at, and how bad a thing is."""

from __future__ import annotations

from django.db.models import TextChoices


class RuleKind(TextChoices):
    """What a rule looks at."""

    REGRESSION = "regression", "Failure rate against its own past"
    FAILURE_RATE = "failure-rate", "Failure rate over a threshold"
    SILENCE = "silence", "Reports that stop coming"
    POSTURE = "posture", "Records, policies and certificates"
    COVERAGE = "coverage", "New domains without records, exceptions that end"


# Rules whose incidents are about failed sessions, the one that judges by the past first.
RATE_KINDS = (RuleKind.REGRESSION, RuleKind.FAILURE_RATE)


class Severity(TextChoices):
    """How bad it is, by consequence; worst first."""

    CRITICAL = "critical", "Critical: mail is refused"
    HIGH = "high", "High: mail goes out in clear, or soon is refused"
    MEDIUM = "medium", "Medium: we are blind, or protection is weak"
    LOW = "low", "Low: to be tidied"

    @property
    def rank(self) -> int:
        """Give 0 for the worst."""
        return list(Severity).index(self)
