"""The parameters of each kind of rule: what a form shows, and how stored ones are read; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from alerts.rules.coverage import CoverageRule
from alerts.rules.kinds import RuleKind
from alerts.rules.posture import PostureRule
from alerts.rules.regression import RegressionRule
from alerts.rules.silence import SilenceRule
from alerts.rules.threshold import FailureRateRule

AnyRule = RegressionRule | FailureRateRule | SilenceRule | PostureRule | CoverageRule


class ParameterType(StrEnum):
    """What a parameter takes."""

    SHARE = "share"  # above 0 and below 1
    COUNT = "count"  # a whole number from 1
    FACTOR = "factor"  # a number above 1
    FLAG = "flag"  # true or false


class Parameter(NamedTuple):
    """One field of a rule's form."""

    name: str
    label: str
    type: ParameterType
    default: float | int | bool
    help: str


_RULES: Mapping[RuleKind, type[AnyRule]] = MappingProxyType(
    {
        RuleKind.REGRESSION: RegressionRule,
        RuleKind.FAILURE_RATE: FailureRateRule,
        RuleKind.SILENCE: SilenceRule,
        RuleKind.POSTURE: PostureRule,
        RuleKind.COVERAGE: CoverageRule,
    }
)
_SHARE, _COUNT = ParameterType.SHARE, ParameterType.COUNT
_FACTOR, _FLAG = ParameterType.FACTOR, ParameterType.FLAG
_CLEAN_DAYS = ("clean_days", "Clean days", _COUNT, "Over after so many days without failures.")
_WORDS: Mapping[RuleKind, tuple[tuple[str, str, ParameterType, str], ...]] = MappingProxyType(
    {
        RuleKind.REGRESSION: (
            (
                "minimum_failed_sessions",
                "Least failed sessions",
                _COUNT,
                "Fewer failed sessions in a window are never told.",
            ),
            ("minimum_rate", "Least failure rate", _SHARE, "A lower rate is never told."),
            ("growth", "Growth", _FACTOR, "So many times the usual rate; chronic failures pass."),
            (
                "sensitivity",
                "Chance",
                _SHARE,
                "The most likely that chance alone may make a rise that is told.",
            ),
            _CLEAN_DAYS,
        ),
        RuleKind.FAILURE_RATE: (
            ("threshold", "Threshold", _SHARE, "A day with a higher failure rate is told."),
            ("minimum_sessions", "Least sessions", _COUNT, "Days with fewer are not looked at."),
            (
                "minimum_failed_sessions",
                "Least failed sessions",
                _COUNT,
                "Days with fewer are not told.",
            ),
            _CLEAN_DAYS,
        ),
        RuleKind.SILENCE: (
            ("missed_days", "Missed days", _COUNT, "Expected reports of one domain missed."),
            (
                "missed_days_everywhere",
                "Missed days everywhere",
                _COUNT,
                "The same, where a reporter is silent for most domains at once.",
            ),
            ("chance", "Chance", _SHARE, "The most likely that chance alone made the silence."),
            (
                "intake_hours",
                "Hours without any report",
                _COUNT,
                "The portal itself receives nothing, though it does every day.",
            ),
        ),
        RuleKind.POSTURE: (
            (
                "clean_checks",
                "Clean checks",
                _COUNT,
                "Over after so many checks in a row that find it mended.",
            ),
            (
                "certificate_days",
                "Days before a certificate ends",
                _COUNT,
                "From then on it is told; high at 7 days, at 1 critical for an MX under enforce.",
            ),
            ("tells_small", "Tell small things", _FLAG, "Changes that weaken little, too."),
        ),
        RuleKind.COVERAGE: (
            ("days", "Days", _COUNT, "How long a new domain may go without records."),
            ("expects_tlsrpt", "TLSRPT", _FLAG, "Every domain is to have a TLSRPT record."),
            ("expects_mta_sts", "MTA-STS", _FLAG, "Every domain is to have MTA-STS."),
            (
                "warn_days",
                "Days before an exception ends",
                _COUNT,
                "From then on it is told, unless the domain has what it was excepted from.",
            ),
        ),
    }
)


def _defaults(kind: RuleKind) -> dict[str, Any]:
    return {field.name: field.default for field in dataclasses.fields(_RULES[kind])}


PARAMETERS: Mapping[RuleKind, tuple[Parameter, ...]] = MappingProxyType(
    {
        kind: tuple(
            Parameter(name, label, type_, _defaults(kind)[name], words)
            for name, label, type_, words in rows
        )
        for kind, rows in _WORDS.items()
    }
)


def read_rule(kind: str, parameters: Mapping[str, object]) -> AnyRule:
    """Build a rule from its stored parameters, with defaults for those left out.

    Raises ValueError naming the wrong one.
    """
    held = RuleKind(kind)
    known = {parameter.name: parameter for parameter in PARAMETERS[held]}
    unknown = set(parameters) - set(known)
    if unknown:
        raise ValueError(f"The rule knows no parameter {sorted(unknown)[0]!r}.")
    values = {name: _read(known[name], value) for name, value in parameters.items()}
    return _RULES[held](**values)


def read_failure_rate_rule(parameters: Mapping[str, object]) -> FailureRateRule:
    """Build a threshold rule; raises ValueError naming the wrong parameter."""
    rule = read_rule(RuleKind.FAILURE_RATE, parameters)
    assert isinstance(rule, FailureRateRule)
    return rule


def _read(parameter: Parameter, value: object) -> Any:
    name = parameter.name
    if parameter.type is ParameterType.FLAG:
        if not isinstance(value, bool):
            raise ValueError(f"{name} is {value!r}; it takes true or false.")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}; it takes a number.")  # noqa: TRY004
    if parameter.type is ParameterType.SHARE and not 0 < value < 1:
        raise ValueError(f"{name} is {value}; it takes a share between 0 and 1.")
    if parameter.type is ParameterType.FACTOR and not value > 1:
        raise ValueError(f"{name} is {value}; it takes a number above 1.")
    if parameter.type is ParameterType.COUNT:
        if value != int(value) or value < 1:
            raise ValueError(f"{name} is {value}; it takes 1 or more.")
        return int(value)
    return float(value)
