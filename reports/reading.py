"""From received bytes to what will be stored; pure, so that other processes can do it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

import msgspec

from mailtls.findings import Finding, Param, Severity
from mailtls.limits import DEFAULT_LIMITS, Limits
from mailtls.report import Hints, Report, parse_report
from mailtls.unpack import Document, DocumentKind, unpack

# Reports are small and repetitive: the lowest level is nearly as good and twice as fast.
COMPRESSION_LEVEL = 1

# Raised by one with each change that reads what could not be read before: what earlier readers
# left in quarantine is then read again by itself.
READER_VERSION = 1


class Note(msgspec.Struct, frozen=True):
    """A finding as it is stored: code, severity, parameters."""

    code: str
    severity: str
    params: dict[str, Param]


class ReadDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document of an arrival. `report` is None where `reason` says why there is none."""

    sha256: str = ""
    compressed: bytes = b""
    report: Report | None = None
    is_not_a_report: bool = False
    reason: Note | None = None
    notes: tuple[Note, ...] = ()
    hints: Hints = Hints()

    @property
    def warnings(self) -> list[Note]:
        """Give the deviations, leaving out what is merely informative."""
        return [note for note in self.notes if note.severity != Severity.INFO]


class ReadArrival(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of received bytes without a database."""

    sha256: str
    compressed: bytes
    size_bytes: int
    documents: tuple[ReadDocument, ...]


def read_arrival(data: bytes, *, name: str = "", limits: Limits = DEFAULT_LIMITS) -> ReadArrival:
    """Read received bytes; never raises, whatever they are."""
    return ReadArrival(
        sha256=digest(data),
        compressed=compress(data),
        size_bytes=len(data),
        documents=read_documents(data, name=name, limits=limits),
    )


def read_documents(
    data: bytes, *, name: str = "", limits: Limits = DEFAULT_LIMITS
) -> tuple[ReadDocument, ...]:
    """Read the documents in received bytes: one at least, in their order."""
    return tuple(_read_document(found, limits) for found in unpack(data, name=name, limits=limits))


def digest(data: bytes) -> str:
    """Give the SHA-256 as hexadecimal text."""
    return hashlib.sha256(data).hexdigest()


def compress(data: bytes) -> bytes:
    """Make bytes smaller for storage."""
    return zlib.compress(data, COMPRESSION_LEVEL)


def _read_document(found: Document, limits: Limits) -> ReadDocument:
    if found.kind is not DocumentKind.JSON:
        assert found.reason is not None
        return ReadDocument(
            is_not_a_report=found.kind is DocumentKind.OTHER,
            reason=_note(found.reason),
            notes=_notes(found.findings),
            hints=found.hints,
        )
    parsed = parse_report(found.content, hints=found.hints, limits=limits)
    return ReadDocument(
        sha256=digest(found.content),
        compressed=b"" if parsed.value is None else compress(found.content),
        report=parsed.value,
        reason=_note(parsed.findings[-1]) if parsed.value is None else None,
        notes=_notes((*found.findings, *parsed.findings)),
        hints=found.hints,
    )


def _notes(findings: Iterable[Finding]) -> tuple[Note, ...]:
    return tuple(_note(finding) for finding in findings)


def _note(finding: Finding) -> Note:
    return Note(finding.code, finding.severity.value, dict(finding.params))
