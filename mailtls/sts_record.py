"""The MTA-STS record at `_mta-sts.<domain>` (RFC 8461 section 3.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailtls.findings import Finding, Parsed, error, info, warning
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

VERSION = "v=STSv1"

# sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
# sts-version = %s"v=STSv1"
# Erratum 6285 (Reported): the ABNF lets blanks stand before the first ";", the filter for several
# records looks for the literal "v=STSv1;". Here the record counts, with a warning.
_STARTS = re.compile(r"v=STSv1(?=[ \t]*(?:;|\Z))")
# sts-id = %s"id=" 1*32(ALPHA / DIGIT)
_ID_MAX_CHARS = 32
_ID = re.compile(r"[A-Za-z0-9]{1,32}", re.ASCII)

_DEFECT_CODES = {
    Defect.EMPTY: "sts.field.empty",
    Defect.NO_EQUALS: "sts.field.no-equals",
    Defect.BAD_NAME: "sts.field.bad-name",
    Defect.EMPTY_VALUE: "sts.field.empty-value",
    Defect.BAD_VALUE: "sts.field.bad-value",
    Defect.SPACED_EQUALS: "sts.field.spaced-equals",
    Defect.NON_ASCII: "sts.field.non-ascii",
}

_VERSION_CODES = {
    VersionFault.LEADING_SPACE: "sts.version.leading-space",
    VersionFault.CASE: "sts.version.case",
    VersionFault.SPACED_EQUALS: "sts.version.spaced-equals",
    VersionFault.NOT_FIRST: "sts.version.not-first",
    VersionFault.OTHER: "sts.version.other",
    VersionFault.QUOTED: "sts.record.quoted",
    VersionFault.ESCAPED: "sts.record.escaped",
    VersionFault.MISSPELT: "sts.version.misspelt",
    VersionFault.MISSING_SEMICOLON: "sts.version.missing-semicolon",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StsRecord:
    """A usable record: the id that tells senders to fetch again, and unknown fields."""

    id: str
    extensions: tuple[tuple[str, str], ...] = ()


def select_record(txt_rrset: Sequence[str]) -> Selection:
    """Pick the one MTA-STS record of a TXT RRset, or say why there is none (section 3.1).

    Texts that are not MTA-STS records are dropped; unless exactly one remains, senders take it
    that the domain has no policy.
    """
    pick = pick_records(txt_rrset, VERSION)
    if len(pick.records) > 1:
        finding = error("sts.record.multiple", count=len(pick.records))
        return Selection(text=None, claimants=pick.records, findings=(finding,))
    if pick.records:
        beside = (
            *(warning("sts.record.rival", found=text[:120]) for text in pick.rivals),
            *(info("sts.record.near-miss-beside", found=text[:120]) for text in pick.misses),
            *(info("sts.record.unrelated", found=text[:120]) for text in pick.others),
        )
        return Selection(text=pick.records[0], claimants=pick.records, findings=beside)
    faults = tuple(finding for text in pick.misses for finding in parse_record(text).findings)
    others = tuple(_word_other(text) for text in pick.others)
    return Selection(text=None, claimants=pick.misses, findings=(*faults, *others))


def parse_record(text: str) -> Parsed[StsRecord]:
    """Read one MTA-STS record.

    Never raises for bad input; `value` is None when a conforming sender would ignore the record.
    """
    fault = find_version_fault(text, VERSION)
    if fault is not None:
        return Parsed(None, (error(_VERSION_CODES[fault], found=text[:120]),))
    start = _STARTS.match(text)
    if start is None:
        return Parsed(None, (error("sts.version.missing", found=text[:120]),))
    parts = cut(text[start.end() :], required="id")
    findings = [_word_defect(defect, field) for defect, field in parts.defects]
    ids = [field.value for field in parts.fields if field.name == "id"]
    # Fields after the first of a name are ignored (section 3.2, last paragraph). A later
    # `id=bad-x` is a well-formed extension by the grammar, a later `id=` is nothing.
    if "" in ids[1:]:
        findings.append(error("sts.field.empty-value", found="id="))
    fault_of_id = _explain_id(ids, parts)
    if fault_of_id:
        findings.append(fault_of_id)
    if parts.has_trailing_space:
        # Disputed. The ABNF has no blank at the end without a ";", and postfix-tlspol holds to
        # it; most other senders trim. The strict reading decides here because an unused policy
        # is the costlier surprise.
        findings.append(error("sts.record.trailing-space"))
    if any(finding.severity == "error" for finding in findings):
        return Parsed(None, tuple(findings))
    if parts.has_space_before_semicolon:
        findings.append(warning("sts.version.space-before-semicolon"))
    first_of: dict[str, str] = {}
    for field in parts.fields:
        if field.name in first_of:
            findings.append(warning("sts.field.duplicate", name=field.name))
        first_of.setdefault(field.name, field.value)
    return Parsed(
        StsRecord(id=first_of.pop("id"), extensions=tuple(first_of.items())), tuple(findings)
    )


def render_record(policy_id: str) -> str:
    """Give the record that announces a policy under this id; raises ValueError for a bad id.

    >>> render_record("20260101T000000")
    'v=STSv1; id=20260101T000000'
    """
    if not _ID.fullmatch(policy_id):
        raise ValueError(f"A policy id is 1 to 32 letters and digits, not {policy_id!r}")
    return f"{VERSION}; id={policy_id}"


def _explain_id(ids: Sequence[str], parts: Cut) -> Finding | None:
    if not ids:
        for field in parts.fields:
            if field.name.lower() == "id":
                return error("sts.id.case", found=field.name)
        # An id that is there but damaged has its finding already.
        is_damaged = any(field.name.lower() == "id" for _, field in parts.defects)
        return None if is_damaged else error("sts.id.missing")
    found = ids[0]
    if _ID.fullmatch(found):
        return None
    if not found:
        return error("sts.id.empty")
    if VERSION in found:
        return error("sts.field.run-together", found=found[:120])
    if " " in found or "\t" in found:
        return error("sts.field.bad-value", found=f"id={found[:116]}")
    if len(found) > _ID_MAX_CHARS and found.isascii() and found.isalnum():
        return error("sts.id.too-long", found=found[:80], length=len(found), limit=_ID_MAX_CHARS)
    suggestion = "".join(char for char in found if char.isascii() and char.isalnum())
    return error("sts.id.characters", found=found[:80], suggestion=suggestion[:_ID_MAX_CHARS])


def _word_other(text: str) -> Finding:
    if text.lower().startswith("v=spf1"):
        return warning("sts.record.wildcard-spf", found=text[:120])
    return info("sts.record.unrelated", found=text[:120])


def _word_defect(defect: Defect, field: Field) -> Finding:
    return error(_DEFECT_CODES[defect], found=field.text[:120])
