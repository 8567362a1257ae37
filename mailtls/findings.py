"""What a reader or a judge has to say: codes with parameters; the words stand in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

Param = str | int | float | bool | None


class Severity(StrEnum):
    """What a finding means to a conforming sender."""

    ERROR = "error"  # a conforming sender ignores the thing, or cannot use it
    WARNING = "warning"  # it works, but some senders differ or it is risky
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement about one thing, by code. Title, meaning and remedy: `mailtls.catalogue`."""

    code: str
    severity: Severity
    params: Mapping[str, Param] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """Give the JSON form: `{"code", "severity", "params"}`."""
        return {"code": self.code, "severity": self.severity.value, "params": dict(self.params)}


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """What a parser gives back: a value, None where nothing usable remains, and findings."""

    value: T | None
    findings: tuple[Finding, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Say whether a conforming sender would refuse what was read."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def error(code: str, **params: Param) -> Finding:
    """Give a finding that says: a conforming sender does without the thing."""
    return Finding(code, Severity.ERROR, params)


def warning(code: str, **params: Param) -> Finding:
    """Give a finding that says: it works, but not everywhere or not for long."""
    return Finding(code, Severity.WARNING, params)


def info(code: str, **params: Param) -> Finding:
    """Give a finding that only informs."""
    return Finding(code, Severity.INFO, params)
