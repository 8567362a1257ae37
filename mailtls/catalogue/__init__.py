"""The words of every finding: title, meaning, remedy and section of the standard, by code."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mailtls.catalogue import (
    arrivals,
    changes,
    dane,
    mta_sts,
    mx,
    names,
    report,
    starttls,
    sts_fetch,
    sts_policy,
    tlsrpt,
)
from mailtls.catalogue.entry import Entry
from mailtls.findings import Finding, Param
from mailtls.limits import MIB

__all__ = ["ENTRIES", "Entry", "Words", "describe"]

# Parameters that hold a day or a moment (UTC) end so, or are called `start`.
_NAMES_OF_TIMES = ("_after", "_before", "_on", "_at", "start")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d:\d\d)(?::\d\d)?Z)?")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MODULES = (
    names,
    tlsrpt,
    mta_sts,
    sts_policy,
    sts_fetch,
    mx,
    dane,
    starttls,
    changes,
    arrivals,
    report,
)

ENTRIES: Mapping[str, Entry] = MappingProxyType(
    {code: entry for module in _MODULES for code, entry in module.ENTRIES.items()}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A finding in words."""

    title: str
    meaning: str
    remedy: str
    section: str


def describe(finding: Finding) -> Words:
    """Give the words of a finding with its parameters filled in.

    A parameter that an older stored finding lacks shows as "?"; a code this version no longer
    knows is shown as it is.
    """
    entry = ENTRIES.get(finding.code)
    if entry is None:
        return Words(title=finding.code, meaning="", remedy="", section="")
    return Words(
        title=_fill(entry.title, finding.params),
        meaning=_fill(entry.meaning, finding.params),
        remedy=_fill(entry.remedy, finding.params),
        section=entry.section,
    )


def _word_time(text: str) -> str:
    """Give a day as `26 Nov 2026`, a moment with its time; anything else as it is."""
    found = _TIME.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= len(_MONTHS):
        return text
    day = f"{int(found[3])} {_MONTHS[int(found[2]) - 1]} {found[1]}"
    return f"{day} {found[4]} UTC" if found[4] else day


class _Filler(string.Formatter):
    """Fills plain names only: no attribute or index of a parameter can be reached."""

    def get_field(
        self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Any, str]:
        value = kwargs.get(field_name)
        if isinstance(value, str):
            # Much of this was found in other people's DNS: no escape sequence of theirs may reach
            # a terminal.
            value = _CONTROL.sub("\ufffd", value)
            if field_name.endswith(_NAMES_OF_TIMES):
                value = _word_time(value)
        return ("?" if value is None else value), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        """Give the value; a format is the name of what is counted: `{days:day}` is `1 day`.

        Only whole days are counted: none is less than one. `{bytes:MB}` is `1.5 MB`.
        """
        if not format_spec or not isinstance(value, int):
            return str(value)
        if format_spec == "MB":
            return f"{value / MIB:.1f} MB"
        if value == 0 and format_spec == "day":
            return "less than a day"
        return f"{value} {format_spec}" if value == 1 else f"{value} {format_spec}s"


_filler = _Filler()


def _fill(template: str, params: Mapping[str, Param]) -> str:
    return _filler.vformat(template, (), params)
