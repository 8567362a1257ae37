"""JSON as senders really write it: I-JSON is asked for (RFC 7493), less is read with a note."""

from __future__ import annotations

import codecs
import json
import math

from mailtls.limits import Limits
from mailtls.report.notes import Notes, RejectedError

# 2^63 has 19 digits. Longer ones are out of every range and Python refuses to convert some.
_MAX_INTEGER_DIGITS = 20
# A gateway's banner before the report is short.
_MAX_LEADING_CHARS = 4096


def decode_json(data: bytes, limits: Limits, notes: Notes) -> object:
    """Read the first JSON value; raises `RejectedError` when there is none."""
    commas = data.count(b",") + data.count(b"[") + data.count(b"{")
    if commas > limits.json_values:
        raise RejectedError("report.json.too-large", values=commas, limit=limits.json_values)
    text = _decode_text(data, notes)
    start = _start_of_value(text, notes)
    value, end = _decode_value(text, start, notes)
    if text[end:].strip(" \t\r\n\0"):
        notes.warn("report.json.trailing-text", position=end)
    return value


def _decode_text(data: bytes, notes: Notes) -> str:
    if data.startswith(codecs.BOM_UTF8):
        notes.warn("report.json.byte-order-mark")
        data = data[len(codecs.BOM_UTF8) :]
    elif data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        notes.warn("report.json.encoding", encoding="utf-16")
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        notes.warn("report.json.encoding", encoding="unknown", position=error.start)
        return data.decode("utf-8", "replace")


def _start_of_value(text: str, notes: Notes) -> int:
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if text[start : start + 1] in ("{", "["):
        return start
    # Gateways put "External e-mail" banners before a plain JSON part.
    brace = text.find("{", start, start + _MAX_LEADING_CHARS)
    if brace < 0:
        raise RejectedError("report.json.invalid", position=start, reason="no JSON value")
    notes.warn("report.json.leading-text", position=brace)
    return brace


def _decode_value(text: str, start: int, notes: Notes) -> tuple[object, int]:
    def as_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        members = dict(pairs)
        if len(members) != len(pairs):
            # RFC 7493 section 2.3 forbids it. The last one counts, as in nearly every decoder.
            notes.warn("report.json.duplicate-member")
        return members

    def decoder(*, strict: bool) -> json.JSONDecoder:
        return json.JSONDecoder(
            object_pairs_hook=as_object,
            parse_int=_parse_integer,
            parse_constant=_parse_constant,
            strict=strict,
        )

    try:
        try:
            return decoder(strict=True).raw_decode(text, start)
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Invalid control character"):
                raise
            value = decoder(strict=False).raw_decode(text, start)
            notes.warn("report.json.control-character", position=error.pos)
            return value
    except RecursionError as error:
        raise RejectedError("report.json.too-deep") from error
    except json.JSONDecodeError as error:
        reason = error.msg.removesuffix(" at")  # which goes on with the position
        raise RejectedError("report.json.invalid", position=error.pos, reason=reason) from error


def _parse_integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else math.inf


def _parse_constant(_name: str) -> float:
    return math.nan  # NaN and Infinity are no JSON; as counts they are refused
