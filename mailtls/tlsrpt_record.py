"""The TLSRPT record at `_smtp._tls.<domain>` (RFC 8460 section 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailtls.findings import Finding, Parsed, error, info, warning
from mailtls.rua import judge_destinations, split_destinations
from mailtls.txt_record import (
    Cut,
    Defect,
    Field,
    Selection,
    VersionFault,
    cut,
    find_version_fault,
    pick_records,
)

VERSION = "v=TLSRPTv1"

# tlsrpt-record = tlsrpt-version 1*(field-delim tlsrpt-field) [field-delim]
# tlsrpt-version = %s"v=TLSRPTv1"
# The ABNF lets blanks stand before the first ";", the filter for several records looks for the
# literal "v=TLSRPTv1;" (both section 3). Here the record counts, with a warning.
_STARTS = re.compile(r"v=TLSRPTv1(?=[ \t]*(?:;|\Z))")

_DEFECT_CODES = {
    Defect.EMPTY: "tlsrpt.field.empty",
    Defect.NO_EQUALS: "tlsrpt.field.no-equals",
    Defect.BAD_NAME: "tlsrpt.field.bad-name",
    Defect.EMPTY_VALUE: "tlsrpt.field.empty-value",
    Defect.BAD_VALUE: "tlsrpt.field.bad-value",
    Defect.SPACED_EQUALS: "tlsrpt.field.spaced-equals",
    Defect.NON_ASCII: "tlsrpt.field.non-ascii",
}

_VERSION_CODES = {
    VersionFault.LEADING_SPACE: "tlsrpt.version.leading-space",
    VersionFault.CASE: "tlsrpt.version.case",
    VersionFault.SPACED_EQUALS: "tlsrpt.version.spaced-equals",
    VersionFault.NOT_FIRST: "tlsrpt.version.not-first",
    VersionFault.OTHER: "tlsrpt.version.other",
    VersionFault.QUOTED: "tlsrpt.record.quoted",
    VersionFault.ESCAPED: "tlsrpt.record.escaped",
    VersionFault.MISSPELT: "tlsrpt.version.misspelt",
    VersionFault.MISSING_SEMICOLON: "tlsrpt.version.missing-semicolon",
}

# What people write for rua, seen in the wild and in other standards' tags.
_RUA_LOOKALIKES = frozenset({"ruf", "rau", "uri", "url", "rui", "ura", "rue", "report", "mailto"})


# RFC 8460 names no limit; a longer record brings the answer near the 1232 octets of one packet.
_LONG_RECORD_CHARS = 450


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsrptRecord:
    """A usable record: where reports go, and the fields this version does not know."""

    rua: tuple[str, ...]
    extensions: tuple[tuple[str, str], ...] = ()


def select_record(txt_rrset: Sequence[str]) -> Selection:
    """Pick the one TLSRPT record of a TXT RRset, or say why there is none (RFC 8460 section 3).

    Texts that are not TLSRPT records are dropped; unless exactly one remains, the domain does
    not implement TLSRPT. Identical records are two records.
    """
    pick = pick_records(txt_rrset, VERSION)
    if len(pick.records) > 1:
        finding = error("tlsrpt.record.multiple", count=len(pick.records))
        return Selection(text=None, claimants=pick.records, findings=(finding,))
    if pick.records:
        beside = (
            *(warning("tlsrpt.record.rival", found=text[:120]) for text in pick.rivals),
            *(info("tlsrpt.record.near-miss-beside", found=text[:120]) for text in pick.misses),
            *(info("tlsrpt.record.unrelated", found=text[:120]) for text in pick.others),
        )
        return Selection(text=pick.records[0], claimants=pick.records, findings=beside)
    faults = tuple(finding for text in pick.misses for finding in parse_record(text).findings)
    others = tuple(_word_other(text) for text in pick.others)
    return Selection(text=None, claimants=pick.misses, findings=(*faults, *others))


def parse_record(text: str) -> Parsed[TlsrptRecord]:
    """Read one TLSRPT record.

    Never raises for bad input; `value` is None when a conforming sender would ignore the record.
    """
    fault = find_version_fault(text, VERSION)
    if fault is not None:
        return Parsed(None, (error(_VERSION_CODES[fault], found=text[:120]),))
    start = _STARTS.match(text)
    if start is None:
        return Parsed(None, (error("tlsrpt.version.missing", found=text[:120]),))
    parts = cut(text[start.end() :], required="rua")
    findings = [_word_defect(defect, field) for defect, field in parts.defects]
    rua_fields = [field for field in parts.fields if field.name == "rua"]
    destinations: list[str] = []
    for field in rua_fields:
        items, faults = split_destinations(field.value)
        destinations += items
        findings += faults
    findings += judge_destinations(destinations)
    # A rua that is there but damaged has its finding already.
    if not rua_fields and not any(f.text.lower().startswith("rua") for _, f in parts.defects):
        findings.append(_explain_missing_rua(parts))
    if any(finding.severity == "error" for finding in findings):
        return Parsed(None, tuple(findings))
    findings += _judge_style(text, parts, len(rua_fields))
    record = TlsrptRecord(
        rua=tuple(destinations),
        extensions=tuple((f.name, f.value) for f in parts.fields if f.name != "rua"),
    )
    return Parsed(record, tuple(findings))


def render_record(rua_uris: Sequence[str]) -> str:
    """Give the record that sends reports to these URIs; raises ValueError for an unusable one.

    >>> render_record(["mailto:tls@example.com"])
    'v=TLSRPTv1; rua=mailto:tls@example.com'
    """
    text = f"{VERSION}; rua={','.join(rua_uris)}"
    parsed = parse_record(text)
    if parsed.value is None or parsed.value.rua != tuple(rua_uris):
        codes = ", ".join(finding.code for finding in parsed.findings)
        raise ValueError(
            f"These destinations make no TLSRPT record: {', '.join(rua_uris)} ({codes})"
        )
    return text


def _word_other(text: str) -> Finding:
    """Say what another TXT record at the name is: harmless, but worth a look."""
    folded = text.lower()
    if folded.startswith("v=spf1"):
        return warning("tlsrpt.record.wildcard-spf", found=text[:120])
    if folded.startswith(("v=dmarc1", "v=stsv1", "v=dkim1")):
        return warning("tlsrpt.record.other-protocol", found=text[:120])
    return info("tlsrpt.record.unrelated", found=text[:120])


def _word_defect(defect: Defect, field: Field) -> Finding:
    # A second destination after ";" instead of ",": `rua=mailto:a@x;mailto:b@y`.
    if defect in (Defect.NO_EQUALS, Defect.BAD_NAME) and re.match(r"(mailto|https?):", field.text):
        return error("tlsrpt.rua.semicolon-separated", found=field.text[:120])
    if defect is Defect.NO_EQUALS and re.match(r"rua\s*:", field.text, re.IGNORECASE):
        return error("tlsrpt.rua.misspelt", found=field.text[:40])
    return error(_DEFECT_CODES[defect], found=field.text[:120])


def _explain_missing_rua(parts: Cut) -> Finding:
    names = [field.name for field in parts.fields]
    for name in names:
        # `RUA=` matches the extension rule, so the record is well-formed and has no rua at all.
        if name.lower() == "rua":
            return error("tlsrpt.rua.case", found=name)
    for name in names:
        if name.lower() in _RUA_LOOKALIKES:
            return error("tlsrpt.rua.misspelt", found=name)
    return error("tlsrpt.rua.missing")


def _judge_style(text: str, parts: Cut, rua_count: int) -> list[Finding]:
    findings = []
    if parts.has_space_before_semicolon:
        findings.append(warning("tlsrpt.version.space-before-semicolon"))
    if parts.has_trailing_space:
        findings.append(warning("tlsrpt.record.trailing-space"))
    if rua_count > 1:
        # RFC 8460 has no first-wins rule (RFC 8461 has one), and senders differ.
        findings.append(warning("tlsrpt.rua.repeated", count=rua_count))
    if len(text) > _LONG_RECORD_CHARS:
        findings.append(info("tlsrpt.record.long", length=len(text), limit=_LONG_RECORD_CHARS))
    return findings
