"""The fields of a report, each read as tolerantly as it can be without guessing."""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
from functools import lru_cache

from mailtls.findings import Param
from mailtls.names import MAX_NAME_LENGTH, fold_name, is_host
from mailtls.report.notes import Notes
from mailtls.report.values import MAX_COUNT

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# RFC 3339 section 5.6, and what is sent instead: no offset (Microsoft until March 2024), a blank
# for "T", no seconds, a date alone. "24:00" and ":60" are resolved by addition.
_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:([Tt ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?([Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)


class BadCountError(ValueError):
    """A count that can be neither read nor left out."""


def read_text(value: object, max_chars: int, notes: Notes, field: str) -> str:
    """Give a text that every database stores; empty for null and for what is no text."""
    if value is None:
        return ""
    if not isinstance(value, str):
        value = _text_of_other(value, notes, field)
    text = value.strip()
    if not text.isascii() or "\0" in text:
        clean = _UNSTORABLE.sub(lambda match: "" if match[0] == "\0" else "\ufffd", text)
        if clean != text:
            notes.warn("report.text.unstorable", field=field)
        text = clean
    if len(text) > max_chars:
        notes.warn("report.text.too-long", field=field, chars=len(text), limit=max_chars)
        text = text[:max_chars]
    return text


def _text_of_other(value: object, notes: Notes, field: str) -> str:
    notes.warn("report.text.wrong-type", field=field)
    if isinstance(value, bool | dict):
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return ", ".join(item for item in value if isinstance(item, str))
    return ""


def read_count(value: object, notes: Notes, field: str) -> int | None:
    """Give a number of sessions, None where it is left out; raises `BadCountError`."""
    if type(value) is int:
        number = value
    elif value is None:
        return None
    elif isinstance(value, str) and re.fullmatch(r"\s*\d{1,16}\s*", value, re.ASCII):
        notes.warn("report.count.text", field=field)
        number = int(value)
    elif isinstance(value, float) and math.isfinite(value) and value.is_integer():
        notes.warn("report.count.fraction", field=field)
        number = int(value)
    else:
        raise BadCountError(field)
    if not 0 <= number <= MAX_COUNT:
        raise BadCountError(field)
    return number


def read_time(value: object, notes: Notes, field: str) -> dt.datetime | None:
    """Give a time in UTC, None where it is left out or cannot be read."""
    if not isinstance(value, str):
        if value is not None:
            notes.warn("report.date.unreadable", field=field)
        return None
    match = _DATE_TIME.fullmatch(value.strip())
    time = None if match is None else _time_of(match, notes, field)
    if time is None:
        notes.warn("report.date.unreadable", field=field, value=_short(value))
    return time


def _time_of(match: re.Match[str], notes: Notes, field: str) -> dt.datetime | None:
    year, month, day, separator, hour, minute, second, fraction, zone = match.groups()
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 24 or minutes > 59 or seconds > 60:
        return None
    if separator is None:
        notes.warn("report.date.without-time", field=field)
        if field == "end-datetime":
            hours, minutes, seconds = 23, 59, 59
    elif zone is None:
        notes.warn("report.date.without-zone", field=field)
    if separator == " ":
        notes.warn("report.date.blank-for-t", field=field)
    microseconds = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = dt.datetime(int(year), int(month), int(day), tzinfo=dt.UTC) + dt.timedelta(
            hours=hours, minutes=minutes, seconds=seconds, microseconds=microseconds
        )
        return local - _offset(zone)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> dt.timedelta:
    if zone is None or zone in "Zz":
        return dt.timedelta()
    size = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -size if zone[0] == "-" else size


def read_address(value: object, notes: Notes, field: str) -> str:
    """Give an IP address in its canonical form; what is no address stays as it was sent."""
    text = read_text(value, 100, notes, field)
    if not text:
        return ""
    canonical = _canonical_address(text)
    if canonical is None:
        notes.warn("report.address.invalid", field=field, value=_short(text))
        return text
    return canonical


@lru_cache(maxsize=4096)
def _canonical_address(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def read_domain(value: object, notes: Notes, field: str) -> str:
    """Give a domain as A-labels in lower case without a final dot; empty where left out."""
    text = read_text(value, 300, notes, field)
    if not text:
        return ""
    name, is_valid = normalise_domain(text)
    if not is_valid:
        notes.warn("report.domain.invalid", field=field, value=_short(text))
    return name


@lru_cache(maxsize=16384)
def normalise_domain(text: str) -> tuple[str, bool]:
    """Give (the comparable form of a name, whether it is a domain name at all)."""
    name = fold_name(text.strip().rstrip("."))
    return name[:MAX_NAME_LENGTH], is_host(name)


def read_lines(
    value: object, max_lines: int, max_chars: int, notes: Notes, field: str
) -> tuple[str, ...]:
    """Give the texts of an array; a bare text becomes an array of its lines."""
    if value is None:
        return ()
    if isinstance(value, str):
        notes.warn("report.array.text", field=field)
        value = value.splitlines()
    if not isinstance(value, list):
        notes.warn("report.array.wrong-type", field=field)
        return ()
    if len(value) > max_lines:
        notes.warn("report.array.too-long", field=field, items=len(value), limit=max_lines)
    lines = (read_text(item, max_chars, notes, field) for item in value[:max_lines])
    return tuple(line for line in lines if line)


def _short(text: str) -> Param:
    return _UNSTORABLE.sub("", text)[:80]
