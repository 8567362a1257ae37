"""What the TLSRPT and the MTA-STS record have in common: `version *(delim field) [delim]`.

Both grammars are the same but for the version and the required field (RFC 8460 section 3,
RFC 8461 section 3.1). This module cuts and classifies; the record modules name the codes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mailtls.findings import Finding

# field-delim = *WSP ";" *WSP
WSP = " \t"
# *-ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)
# *-ext-value = 1*(%x21-3A / %x3C / %x3E-7E): no "=", ";", blank or control character
_VALUE = re.compile(r"[\x21-\x3A\x3C\x3E-\x7E]+")
# "stsv" against "stsv1" is 0.89, "tlsv1" against "tlsrptv1" 0.77, "dmarc1" against both below 0.5.
_CLOSE = 0.77
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00a0"
_QUOTES = "\"'\u201c\u201d\u2018\u2019\u00ab\u00bb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which of the TXT records at a name counts.

    `text` is None where none does; `claimants` are the texts that mean to be the record.
    """

    text: str | None
    claimants: tuple[str, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """The records of one version among the TXT records at a name, before anything is worded.

    `records` have the version tag, `rivals` have it for readers that allow a blank before the
    first ";", `misses` mean to have it and do not, `others` are other text.
    """

    records: tuple[str, ...]
    rivals: tuple[str, ...]
    misses: tuple[str, ...]
    others: tuple[str, ...]


def pick_records(txt_rrset: Sequence[str], version: str) -> Pick:
    """Sort the texts of an RRset into records of `version`, near misses and the rest.

    The filter of both RFCs looks for the literal `version;`, while the ABNF lets blanks stand
    before the first ";". A text of the second kind counts when no text of the first is there.
    """
    starts = re.compile(re.escape(version) + r"[ \t]*(?:;|\Z)")
    broad = [text for text in txt_rrset if starts.match(text)]
    strict = [text for text in broad if text.startswith(version + ";")]
    records = strict if len(strict) == 1 else broad
    rest = list(txt_rrset)
    for text in records:
        rest.remove(text)
    rivals = [text for text in rest if text in broad]
    misses = [text for text in rest if text not in broad and find_version_fault(text, version)]
    return Pick(
        records=tuple(records),
        rivals=tuple(rivals),
        misses=tuple(misses),
        others=tuple(text for text in rest if text not in rivals and text not in misses),
    )


class Defect(StrEnum):
    """What is wrong with one field, by the grammar."""

    EMPTY = "empty"
    NO_EQUALS = "no-equals"
    BAD_NAME = "bad-name"
    EMPTY_VALUE = "empty-value"
    BAD_VALUE = "bad-value"
    SPACED_EQUALS = "spaced-equals"
    NON_ASCII = "non-ascii"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One `name=value` field as found, with blanks around it removed."""

    name: str
    value: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A record cut into fields."""

    fields: tuple[Field, ...]
    defects: tuple[tuple[Defect, Field], ...]
    has_space_before_semicolon: bool
    has_trailing_space: bool


def cut(rest: str, required: str) -> Cut:
    """Cut what follows the version tag; the value of the `required` field is left unjudged."""
    head = rest.lstrip(WSP)
    chunks = head[1:].split(";") if head.startswith(";") else []
    # One trailing delimiter is allowed; the blanks after it belong to it.
    ends_with_delimiter = bool(chunks) and not chunks[-1].strip(WSP)
    if ends_with_delimiter:
        chunks.pop()
    fields = []
    defects = []
    for chunk in chunks:
        text = chunk.strip(WSP)
        name, equals, value = text.partition("=")
        found = Field(name=name.strip(WSP), value=value.strip(WSP), text=text)
        defect = _classify(text, name, equals, value, required)
        if defect is None:
            fields.append(found)
        else:
            defects.append((defect, found))
    return Cut(
        fields=tuple(fields),
        defects=tuple(defects),
        has_space_before_semicolon=head.startswith(";") and len(head) != len(rest),
        has_trailing_space=rest.endswith((" ", "\t")) and not ends_with_delimiter,
    )


def _classify(text: str, name: str, equals: str, value: str, required: str) -> Defect | None:
    if not text:
        return Defect.EMPTY
    if not text.isascii() and name != required:
        return Defect.NON_ASCII
    if not equals:
        return Defect.NO_EQUALS
    if name.rstrip(WSP) != name or value.lstrip(WSP) != value:
        return Defect.SPACED_EQUALS
    if name == required:
        return None
    if not _NAME.fullmatch(name):
        return Defect.BAD_NAME
    if not value:
        return Defect.EMPTY_VALUE
    return None if _VALUE.fullmatch(value) else Defect.BAD_VALUE


class VersionFault(StrEnum):
    """How a text that means to be the record misses its version tag."""

    LEADING_SPACE = "leading-space"
    CASE = "case"
    SPACED_EQUALS = "spaced-equals"
    NOT_FIRST = "not-first"
    OTHER = "other"
    QUOTED = "quoted"
    ESCAPED = "escaped"
    MISSPELT = "misspelt"
    MISSING_SEMICOLON = "missing-semicolon"


def find_version_fault(text: str, version: str) -> VersionFault | None:
    """Say how `text` tries and fails to be a record of `version` ("v=TLSRPTv1"), or None.

    None for a proper record as well as for a text that is something else altogether.
    """
    if re.match(re.escape(version) + r"[ \t]*(?:;|\Z)", text):
        return VersionFault.ESCAPED if "\\" in text else None
    trimmed = text.strip().strip(_INVISIBLE).strip()
    value = version.removeprefix("v=")
    checks = (
        (VersionFault.QUOTED, trimmed[:1] in _QUOTES and value.lower() in trimmed.lower()),
        (VersionFault.ESCAPED, "\\" in trimmed and value.lower() in trimmed.lower()),
        (VersionFault.MISSING_SEMICOLON, _lacks_semicolon(text, version)),
        (VersionFault.LEADING_SPACE, trimmed != text and trimmed.startswith(version)),
        (VersionFault.OTHER, _is_other_version(trimmed, version)),
        (VersionFault.CASE, trimmed.lower().startswith(version.lower())),
        (VersionFault.SPACED_EQUALS, _has_spaced_equals(trimmed, version)),
        (VersionFault.NOT_FIRST, version.lower() in trimmed.lower()),
        (VersionFault.MISSPELT, _is_misspelt(trimmed, value)),
    )
    return next((fault for fault, applies in checks if applies), None)


def _lacks_semicolon(text: str, version: str) -> bool:
    # `v=STSv1 id=1`, `v=STSv1, id=1`, `v=STSv1:id=1`; not `v=STSv10` and not `v=STSv1.1`.
    return re.match(re.escape(version) + r"(?:[ \t,:|/&]|[a-z])", text) is not None


def _is_other_version(text: str, version: str) -> bool:
    stem = re.escape(version.rstrip("0123456789"))
    return re.match(rf"{stem}\d[\w.]*\s*(;|$)", text, re.IGNORECASE) is not None and not re.match(
        re.escape(version) + r"\s*(;|$)", text, re.IGNORECASE
    )


def _has_spaced_equals(text: str, version: str) -> bool:
    value = re.escape(version.removeprefix("v="))
    return re.match(rf"v\s*=\s*{value}", text, re.IGNORECASE) is not None


def _is_misspelt(text: str, value: str) -> bool:
    token = re.split(r"[;\s,]", text, maxsplit=1)[0]
    token = re.sub(r"^v\s*[=:]\s*", "", token, flags=re.IGNORECASE)
    folded = re.sub(r"[^a-z0-9]", "", token.lower())
    if not folded or len(folded) > 2 * len(value):
        return False
    plain = value.lower()
    return sorted(folded) == sorted(plain) or (
        difflib.SequenceMatcher(None, folded, plain, autojunk=False).ratio() >= _CLOSE
    )
