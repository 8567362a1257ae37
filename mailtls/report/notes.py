"""Findings while they are being collected: one per code, however often it is met."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailtls.findings import Finding, Param, Severity

# What those who store reports find out besides: said here because the words stand in the kernel.
CONFLICTING = "report.conflicting"
MAIL_TOO_LARGE = "mail.too-large"
GAVE_UP = "report.reading.gave-up"
BYTES_GONE = "report.reading.bytes-gone"
HELD_BACK = "report.held-back"
IN_FUTURE = "report.date.in-future"
FILE_UNREADABLE = "report.reading.file-unreadable"


class RejectedError(Exception):
    """Nothing usable remains; carries the finding that says why."""

    def __init__(self, code: str, **params: Param) -> None:
        super().__init__(code)
        self.finding = Finding(code, Severity.ERROR, params)


@dataclass(slots=True)
class Notes:
    """Collects findings by code: the first one's parameters and how often it was met.

    A hostile report can deviate a hundred thousand times; its findings stay a handful.
    """

    _params: dict[str, dict[str, Param]] = field(default_factory=dict)
    _severities: dict[str, Severity] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def warn(self, code: str, **params: Param) -> None:
        """Note a deviation that was read around."""
        self._add(code, Severity.WARNING, params)

    def inform(self, code: str, **params: Param) -> None:
        """Note something worth knowing that is no deviation."""
        self._add(code, Severity.INFO, params)

    def error(self, code: str, **params: Param) -> None:
        """Note an entry that had to be dropped."""
        self._add(code, Severity.ERROR, params)

    def _add(self, code: str, severity: Severity, params: dict[str, Param]) -> None:
        self._counts[code] = self._counts.get(code, 0) + 1
        self._params.setdefault(code, params)
        self._severities.setdefault(code, severity)

    def findings(self) -> tuple[Finding, ...]:
        """Give what was collected, in the order it was first met."""
        return tuple(
            Finding(code, self._severities[code], self._with_count(code)) for code in self._params
        )

    def _with_count(self, code: str) -> dict[str, Param]:
        count = self._counts[code]
        return {**self._params[code], "count": count} if count > 1 else self._params[code]
