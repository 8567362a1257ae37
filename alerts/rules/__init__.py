"""What the portal alerts on, one module a kind of rule; pure.

Figures and facts go in, findings come out. Joining them into causes: `alerts.causes`. Opening and
closing incidents: `alerts.services`.
"""

from __future__ import annotations

from alerts.rules.kinds import RuleKind, Severity
from alerts.rules.parameters import (
    PARAMETERS,
    Parameter,
    ParameterType,
    read_failure_rate_rule,
    read_rule,
)

__all__ = [
    "PARAMETERS",
    "Parameter",
    "ParameterType",
    "RuleKind",
    "Severity",
    "read_failure_rate_rule",
    "read_rule",
]
