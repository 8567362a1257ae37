"""From received bytes to the JSON documents in them: by content, never by label or name."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from mailtls import mail
from mailtls.findings import Finding, Severity
from mailtls.limits import DEFAULT_LIMITS, Limits
from mailtls.report.fields import normalise_domain
from mailtls.report.hints import Hints, label_of_name, parse_file_name
from mailtls.report.notes import Notes, RejectedError

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_UTF16_MAGICS = (b"\xff\xfe", b"\xfe\xff")
_BLANKS = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_CHUNK_BYTES = 256 * 1024

_XML_ROOT = re.compile(rb"<(?![?!])(?:\w+:)?([A-Za-z][\w.-]*)")


class DocumentKind(StrEnum):
    """What was found."""

    JSON = "json"  # `content` is the text of a report, yet to be read
    UNREADABLE = "unreadable"  # claimed to be a report; `reason` says what is wrong
    OTHER = "other"  # something else that arrives at report addresses; `reason` names it


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """One document of an arrival, and what its wrapping said about it."""

    kind: DocumentKind
    content: bytes = b""
    reason: Finding | None = None
    hints: Hints = Hints()
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Budget:
    """What one arrival may still unpack to."""

    limits: Limits
    bytes_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.bytes_left = self.limits.total_inflated_bytes

    def document_bytes(self) -> int:
        return min(self.limits.inflated_bytes, self.bytes_left)

    def spend(self, size: int) -> None:
        self.bytes_left -= size


class _OtherError(Exception):
    """It is something, and no report."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def unpack(data: bytes, *, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Iterator[Document]:
    """Yield the documents in received bytes: JSON, gzip, zip or a mail with any of them.

    At least one is yielded, never an exception raised: bytes without a report give one
    UNREADABLE or OTHER document. `name` is the file name, which may hold hints (section 5.1).
    """
    budget = _Budget(limits)
    if mail.is_mail(data):
        yield from _unpack_mail(data, budget)
        return
    hints = _hints_of_name(name)
    yield from _unpack_part(data, hints, Notes(), budget, label_of_name(name))


def _hints_of_name(name: str) -> Hints:
    submitter, domain = parse_file_name(name.replace("\\", "/").rpartition("/")[2])
    return Hints(
        policy_domains=(normalise_domain(domain)[0],) if domain else (),
        submitters=(submitter,) if submitter else (),
    )


def _unpack_mail(data: bytes, budget: _Budget) -> Iterator[Document]:
    try:
        message = mail.read_mail(data, budget.limits)
    except RejectedError as rejection:
        yield Document(kind=DocumentKind.UNREADABLE, reason=rejection.finding)
        return
    others = [message.other_kind] if message.other_kind else []
    is_report_found = False
    for part in message.parts:
        for document in _unpack_part(part.content, part.hints, Notes(), budget, part.label):
            if document.kind is DocumentKind.OTHER:
                others.append(_what(document))
            elif part.claims_to_be_a_report or b'"policies"' in document.content:
                is_report_found = True
                findings = (*part.findings, *document.findings)
                yield msgspec.structs.replace(document, findings=findings)
    if is_report_found:
        return
    if message.claims_to_be_a_report and not others:
        reason = Finding("mail.report-missing", Severity.ERROR)
        yield Document(kind=DocumentKind.UNREADABLE, reason=reason, hints=message.hints)
    else:
        yield _other(others[0] if others else "mail-without-report", message.hints)


def _what(document: Document) -> str:
    assert document.reason is not None
    return str(document.reason.params["what"])


def _other(what: str, hints: Hints) -> Document:
    reason = Finding("unpack.not-a-report", Severity.INFO, {"what": what})
    return Document(kind=DocumentKind.OTHER, reason=reason, hints=hints)


def _unpack_part(
    data: bytes, hints: Hints, notes: Notes, budget: _Budget, label: str = ""
) -> Iterator[Document]:
    """Yield what is in one part; `label` is what its wrapping says it is."""
    if label and label != _sniff(data):
        notes.warn("unpack.label-differs", label=label, found=_sniff(data))
    try:
        for content in _open_layers(data, notes, budget, budget.limits.archive_depth):
            yield Document(
                kind=DocumentKind.JSON, content=content, hints=hints, findings=notes.findings()
            )
    except RejectedError as rejection:
        yield Document(
            kind=DocumentKind.UNREADABLE,
            reason=rejection.finding,
            hints=hints,
            findings=notes.findings(),
        )
    except _OtherError as other:
        yield _other(other.what, hints)


def _sniff(data: bytes) -> str:
    if data.startswith(_GZIP_MAGIC):
        return "gzip"
    if data.startswith(_ZIP_MAGICS):
        return "zip"
    start = data[:256].removeprefix(_BOM).lstrip(_BLANKS)
    if start[:1] in (b"{", b"[") or start.startswith(_UTF16_MAGICS):
        return "json"
    if start[:1] == b"<":
        return "xml"
    return "unknown"


def _open_layers(data: bytes, notes: Notes, budget: _Budget, depth: int) -> Iterator[bytes]:
    found = _sniff(data)
    if found == "json":
        if len(data) > budget.limits.inflated_bytes:
            raise _too_large(len(data), budget.limits.inflated_bytes)
        yield data
    elif len(data) > budget.limits.report_bytes and found in ("gzip", "zip"):
        raise _too_large(len(data), budget.limits.report_bytes)
    elif found == "gzip":
        _check_depth(depth)
        if depth < budget.limits.archive_depth:
            notes.warn("unpack.nested")
        yield from _open_layers(_gunzip(data, notes, budget), notes, budget, depth - 1)
    elif found == "zip":
        _check_depth(depth)
        notes.warn("unpack.zip.used")
        yield from _open_zip(data, notes, budget, depth - 1)
    elif found == "xml":
        root = _XML_ROOT.search(data[:4096])
        is_dmarc = root is not None and root[1] == b"feedback"
        raise _OtherError("dmarc-report" if is_dmarc else "xml")
    elif not data.strip():
        raise RejectedError("unpack.empty")
    elif b'"policies"' in data:
        yield data  # text around a report: the reader looks for where it begins
    else:
        raise RejectedError("unpack.unrecognised", begins_with=data[:16].hex())


def _check_depth(depth: int) -> None:
    if depth <= 0:
        raise RejectedError("unpack.too-deep")


def _too_large(size: int, limit: int) -> RejectedError:
    return RejectedError("unpack.too-large", bytes=size, limit=limit)


def _gunzip(data: bytes, notes: Notes, budget: _Budget) -> bytes:
    """Inflate all members of a gzip file (RFC 1952), leaving aside what follows them."""
    limit = budget.document_bytes()
    pieces: list[bytes] = []
    size = members = 0
    rest = data
    while rest.startswith(_GZIP_MAGIC):
        members += 1
        if members > budget.limits.archive_members:
            raise RejectedError("unpack.too-many-members", limit=budget.limits.archive_members)
        member = zlib.decompressobj(wbits=31)
        pending = rest
        try:
            while not member.eof:
                piece = member.decompress(pending, min(_CHUNK_BYTES, limit - size + 1))
                size += len(piece)
                if size > limit:
                    raise _too_large(size, limit)
                pieces.append(piece)
                pending = member.unconsumed_tail
                if not piece and not pending and not member.eof:
                    raise RejectedError("unpack.gzip.truncated", bytes=len(data))
        except zlib.error as error:
            if members == 1:
                raise RejectedError("unpack.gzip.corrupt", reason=str(error)[:100]) from error
            members -= 1
            break
        rest = member.unused_data
    budget.spend(size)
    if rest:
        # Mimecast ends the stream with CRLF.
        notes.warn("unpack.gzip.trailing-bytes", bytes=len(rest))
    if members > 1:
        notes.warn("unpack.gzip.several-members", members=members)
    return b"".join(pieces)


def _open_zip(data: bytes, notes: Notes, budget: _Budget, depth: int) -> Iterator[bytes]:
    """Yield the documents of all members. Their names are never used as paths."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
            if len(members) > budget.limits.archive_members:
                limit = budget.limits.archive_members
                raise RejectedError("unpack.too-many-members", members=len(members), limit=limit)
            yield from _open_members(archive, members, notes, budget, depth)
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,
    ) as e:
        raise RejectedError("unpack.zip.corrupt", reason=str(e)[:100]) from e


def _open_members(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    notes: Notes,
    budget: _Budget,
    depth: int,
) -> Iterator[bytes]:
    found = False
    problem: RejectedError | _OtherError = RejectedError("unpack.zip.without-report")
    for member in members:
        try:
            content = _read_member(archive, member, budget)
            for document in _open_layers(content, notes, budget, depth):
                found = True
                yield document
        except (RejectedError, _OtherError) as error:
            # A read-me or a logo beside the report is no reason to refuse the report.
            problem = error
    if not found:
        raise problem


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: _Budget) -> bytes:
    if member.flag_bits & 0x1:
        raise RejectedError("unpack.zip.encrypted")
    limit = budget.document_bytes()
    with archive.open(member) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise _too_large(member.file_size, limit)
    budget.spend(len(content))
    return content
