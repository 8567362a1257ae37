"""Two versions of what a domain publishes, side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

from domains.models import RecordKind

# A field ends with a semicolon, a further address of `rua` begins with a comma: an address more at
# the end then leaves the one before it as it was.
_PARTS_OF_RECORD = re.compile(r",?[^;,]*;?")
_RECORDS = (RecordKind.TLSRPT, RecordKind.MTA_STS)


class Fate(StrEnum):
    """What became of a line."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffRow:
    """A line of the earlier version beside its like in the later one; empty where it has none."""

    before: str
    after: str
    fate: Fate


def split_lines(kind: str, content: str) -> list[str]:
    """Give what is compared as a whole: a record's fields and addresses, else lines."""
    if kind not in _RECORDS:
        return [line for line in content.splitlines() if line.strip()]
    lines = []
    # Several records at one name are kept one to a line.
    for record in content.splitlines():
        lines += [part.strip() for part in _PARTS_OF_RECORD.findall(record) if part.strip()]
    return lines


def compare_versions(kind: str, before: str, after: str) -> list[DiffRow]:
    """Give both versions row by row, in order."""
    left, right = split_lines(kind, before), split_lines(kind, after)
    rows = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        for old, new in zip_longest(left[i1:i2], right[j1:j2], fillvalue=""):
            rows.append(DiffRow(before=old, after=new, fate=_fate(tag, old, new)))
    return rows


def _fate(tag: str, old: str, new: str) -> Fate:
    if tag == "equal":
        return Fate.SAME
    if not old:
        return Fate.ADDED
    return Fate.CHANGED if new else Fate.REMOVED
