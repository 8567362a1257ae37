"""Mail that carries reports, in every shape gateways leave it in (RFC 8460 section 5.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import msgspec

from mailtls.findings import Finding
from mailtls.limits import Limits
from mailtls.mime import Entity, from_base64, parse_entity
from mailtls.report.fields import normalise_domain
from mailtls.report.hints import Hints, label_of_name, parse_file_name, parse_subject
from mailtls.report.notes import Notes, RejectedError

_FIRST_LINE = re.compile(rb"(?:>?From [^\r\n]*\r?\n)?[!-9;-~]+[ \t]*:")
# Mail begins with a header that mail begins with; "key: value" files begin with others.
_MAIL_HEADER = re.compile(
    rb"^(?:from|to|cc|subject|date|sender|reply-to|message-id|received|return-path|delivered-to|"
    rb"mime-version|content-[a-z-]+|contenttype|dkim-signature|authentication-results|arc-[a-z-]+|"
    rb"received-spf|tls-report-[a-z]+|x-[a-z0-9-]+|envelope-to|delivery-date)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_HEAD_BYTES = 64 * 1024
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_MAX_RECIPIENTS = 20
_ADDRESS_DOMAIN = re.compile(r"@([^\s<>,;:\"()@]+)")

_OTHER_REPORTS = {
    "delivery-status": "bounce",
    "disposition-notification": "read-receipt",
    "feedback-report": "complaint",
}
# RFC 8460 sections 6.4 and 6.5.
_REPORT_TYPES = ("application/tlsrpt+gzip", "application/tlsrpt+json")
_LABELS = {
    "application/tlsrpt+gzip": "gzip",
    "application/tlsrpt+json": "json",
    "application/gzip": "gzip",
    "application/json": "json",
    "application/zip": "zip",
}
# Base64 of a gzip file, a zip file and of `{"` and `{` with a line end, where the encoding's
# name was lost on the way.
_BASE64_STARTS = (b"H4sI", b"UEsD", b"eyJ", b"ewo", b"ewk", b"eyA", b"ew0")


class MailPart(msgspec.Struct, frozen=True, kw_only=True):
    """One decoded leaf that may be or hold a report."""

    content: bytes
    label: str  # what its type says it is: "gzip", "zip", "json" or nothing
    claims_to_be_a_report: bool
    hints: Hints
    findings: tuple[Finding, ...]


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a mail worth opening."""

    hints: Hints
    parts: tuple[MailPart, ...]
    claims_to_be_a_report: bool
    other_kind: str  # "bounce" and the like; empty for ordinary mail


def is_mail(data: bytes) -> bool:
    """Say whether bytes begin like a mail (RFC 5322), with or without a "From " line before."""
    if _FIRST_LINE.match(data) is None:
        return False
    head = _BLANK_LINE.split(data[:_HEAD_BYTES], maxsplit=1)[0]
    return _MAIL_HEADER.search(head) is not None


def sender_of(data: bytes) -> str:
    """Give what stands in From, or nothing; for people only, as anybody can write it."""
    return " ".join(parse_entity(_BLANK_LINE.split(data[:_HEAD_BYTES], 1)[0]).text("from").split())


def read_mail(data: bytes, limits: Limits) -> Mail:
    """Find the parts of a mail that may hold reports; raises `RejectedError` over a limit."""
    if len(data) > limits.mail_bytes:
        raise RejectedError("mail.too-large", bytes=len(data), limit=limits.mail_bytes)
    root = parse_entity(data)
    envelope = _Envelope(root)
    kind = _OTHER_REPORTS.get(_report_type(root), "")
    walk = _Walk(limits)
    if not kind:
        walk.visit(root, envelope, 0)
    return Mail(
        hints=envelope.hints(""),
        parts=tuple(walk.found),
        claims_to_be_a_report=envelope.claims_to_be_a_report,
        other_kind=kind,
    )


class _Envelope:
    """What the headers of one message say; a forwarded message has its own and its outer one's."""

    def __init__(self, message: Entity, outer: _Envelope | None = None) -> None:
        subject_submitter, subject_domain = parse_subject(message.text("subject"))
        report_domain = message.text("tls-report-domain")
        report_submitter = message.text("tls-report-submitter")
        self._domains = [report_domain, subject_domain]
        self._submitters = [report_submitter]
        self._late_submitters = [
            subject_submitter,
            *_ADDRESS_DOMAIN.findall(message.text("from"))[-1:],
        ]
        recipients = " ".join(message.text(name) for name in ("delivered-to", "to", "cc"))
        self._recipients = _ADDRESS_DOMAIN.findall(recipients)[:_MAX_RECIPIENTS]
        is_tlsrpt = _report_type(message) == "tlsrpt"
        self.claims_to_be_a_report = is_tlsrpt or bool(report_domain or subject_domain)
        notes = Notes()
        if not is_tlsrpt:
            notes.warn("mail.not-multipart-report")
        if not (report_domain and report_submitter):
            notes.warn("mail.headers-missing")
        if outer is not None:
            notes.warn("mail.forwarded")
            self._domains += outer._domains
            self._late_submitters += outer._submitters + outer._late_submitters
            self._recipients += outer._recipients
        self.findings = notes.findings()

    def hints(self, file_name: str) -> Hints:
        """Give the hints for a part with this file name."""
        file_submitter, file_domain = parse_file_name(file_name)
        return Hints(
            policy_domains=_names([*self._domains, file_domain]),
            submitters=_names([*self._submitters, file_submitter, *self._late_submitters]),
            recipients=_names(self._recipients),
            is_mail=True,
        )


def _names(texts: list[str]) -> tuple[str, ...]:
    normalised = (normalise_domain(text) for text in texts if text)
    return tuple(dict.fromkeys(name for name, is_valid in normalised if is_valid))


@dataclass(slots=True)
class _Walk:
    """Goes through the parts of a mail, at most so deep and so many."""

    limits: Limits
    found: list[MailPart] = field(default_factory=list)
    _parts: int = 0

    def visit(self, entity: Entity, envelope: _Envelope, depth: int) -> None:
        self._parts += 1
        if depth > self.limits.mime_depth:
            raise RejectedError("mail.too-deep", limit=self.limits.mime_depth)
        if self._parts > self.limits.mime_parts:
            raise RejectedError("mail.too-many-parts", limit=self.limits.mime_parts)
        parts = entity.parts()
        if parts is not None:
            for part in parts:
                self.visit(parse_entity(part), envelope, depth + 1)
            return
        media_type = entity.media_type
        content = entity.decoded()
        # A message inside this one, also where a gateway calls it something else.
        if media_type == "message/rfc822" or (media_type != "text/plain" and is_mail(content)):
            inner = parse_entity(content)
            self.visit(inner, _Envelope(inner, envelope), depth + 1)
        else:
            self._visit_leaf(entity, media_type, content, envelope)

    def _visit_leaf(
        self, entity: Entity, media_type: str, content: bytes, envelope: _Envelope
    ) -> None:
        file_name = entity.file_name[:500]
        claims = (
            "tlsrpt" in media_type
            or file_name.lower().endswith((".json", ".json.gz"))
            or parse_file_name(file_name) != ("", "")
        )
        if not (claims or _may_hold_a_report(content)):
            return
        notes = Notes()
        if media_type not in _REPORT_TYPES:
            notes.warn("mail.media-type", found=media_type[:80])
        if claims and content[:64].lstrip().startswith(_BASE64_STARTS):
            notes.warn("mail.encoding-differs")
            content = from_base64(content)
        self.found.append(
            MailPart(
                content=content,
                label=_LABELS.get(media_type) or label_of_name(file_name),
                claims_to_be_a_report=claims,
                hints=envelope.hints(file_name),
                findings=(*envelope.findings, *notes.findings()),
            )
        )


def _may_hold_a_report(content: bytes) -> bool:
    if content.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        return True
    return b'"policies"' in content or content[:64].lstrip()[:1] == b"<"


def _report_type(message: Entity) -> str:
    return message.parameter("report-type").strip().lower()
