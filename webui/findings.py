"""Findings in words for a page, worst first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mailtls.catalogue import describe
from mailtls.findings import Finding, Severity
from webui.status import Sign, Tone

_SIGNS = {
    Severity.ERROR: Sign(Tone.BAD, "Error"),
    Severity.WARNING: Sign(Tone.WARN, "Warning"),
    Severity.INFO: Sign(Tone.INFO, "Note"),
}
_ORDER = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordedFinding:
    """One finding as it is shown."""

    code: str
    severity: Severity
    sign: Sign
    title: str
    meaning: str
    remedy: str
    section: str


def word(stored: Mapping[str, Any]) -> WordedFinding:
    """Give the words of a finding in its JSON form."""
    severity = Severity(stored.get("severity", "info"))
    finding = Finding(str(stored["code"]), severity, stored.get("params") or {})
    words = describe(finding)
    return WordedFinding(
        code=finding.code,
        severity=severity,
        sign=_SIGNS[severity],
        title=words.title,
        meaning=words.meaning,
        remedy=words.remedy,
        section=words.section,
    )


def word_all(stored: Iterable[Mapping[str, Any]]) -> list[WordedFinding]:
    """Give all in words, errors first, each as often as it was found."""
    return worst_first(word(one) for one in stored)


def worst_first(findings: Iterable[WordedFinding]) -> list[WordedFinding]:
    """Give errors first, else in their order."""
    return sorted(findings, key=lambda one: _ORDER.index(one.severity))
