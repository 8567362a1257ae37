"""The structure of mail, read from bytes (RFC 5322, 2045 to 2047, 2231).

Only what finding an attachment takes, and in time that grows with the size of the mail whatever
is in it: the standard library's parser handles every line of every part several times.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote_to_bytes

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_HEAD_BYTES = 256 * 1024
_VALUE_CHARS = 4_000
_MAX_BOUNDARY_LINES = 2_000
_BOUNDARY_LINE_BYTES = 200

_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_ESCAPED = re.compile(r"\\(.)")
# parameter "*" section "*"  (RFC 2231 section 7)
_SECTION = re.compile(r"(?P<name>[^*]+)(?:\*(?P<number>\d{1,3}))?(?P<is_encoded>\*)?")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")


@dataclass(frozen=True, slots=True)
class Entity:
    """A mail or one part of it: headers by lower-case name (the first of each), and its body."""

    headers: dict[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """Give type and subtype in lower case, text/plain where none is said."""
        media_type = self._content_type.partition(";")[0].strip().lower()
        return media_type if "/" in media_type else "text/plain"

    def parameter(self, name: str, header: str = "content-type") -> str:
        """Give a parameter of a Content header, empty where it has none."""
        value = self._content_type if header == "content-type" else self.headers.get(header, "")
        return _parameters(value).get(name, "") if ";" in value else ""

    @property
    def file_name(self) -> str:
        """Give the file name of an attachment without any folder, empty where it has none."""
        name = self.parameter("filename", "content-disposition") or self.parameter("name")
        return decode_words(name).replace("\\", "/").rpartition("/")[2]

    @property
    def encoding(self) -> str:
        """Give the transfer encoding in lower case."""
        return self.headers.get("content-transfer-encoding", "").strip().lower()

    @property
    def _content_type(self) -> str:
        # Trustwave's gateway writes "ContentType:".
        return self.headers.get("content-type") or self.headers.get("contenttype", "")

    def text(self, name: str) -> str:
        """Give a header with its encoded words decoded, empty where there is none."""
        return decode_words(self.headers.get(name, ""))

    def decoded(self) -> bytes:
        """Give the body without its transfer encoding."""
        if self.encoding == "base64":
            return from_base64(self.body)
        if self.encoding == "quoted-printable":
            return binascii.a2b_qp(self.body)
        return self.body

    def parts(self) -> list[bytes] | None:
        """Give the parts of a multipart; None where this is none, or none that can be split."""
        if not self.media_type.startswith("multipart/"):
            return None
        boundary = self.parameter("boundary").encode("utf-8", "replace")
        return list(_split(self.body, boundary)) or None if boundary else None


def parse_entity(data: bytes) -> Entity:
    """Split a mail or a part into headers and body; never raises."""
    if data.startswith((b"\n", b"\r\n")):
        return Entity({}, data.lstrip(b"\r\n"))
    end = _BLANK_LINE.search(data)
    head, body = (data[: end.start()], data[end.end() :]) if end else (data, b"")
    headers: dict[str, str] = {}
    text = _FOLD.sub(" ", head[:_HEAD_BYTES].decode("utf-8", "replace"))
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip()[:_VALUE_CHARS])
    return Entity(headers, body)


def decode_words(text: str) -> str:
    """Decode encoded words (RFC 2047); what cannot be decoded stays as it is."""
    if "=?" not in text:
        return text
    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, ValueError, LookupError):
        return text


def from_base64(text: bytes) -> bytes:
    """Decode base64 as well as it goes: other characters and a wrong end do not matter."""
    try:
        return binascii.a2b_base64(text)
    except binascii.Error:
        kept = _NOT_BASE64.sub(b"", text)
        # One character alone holds no byte.
        kept = kept[:-1] if len(kept) % 4 == 1 else kept
        return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def _split(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Yield what stands between boundary lines (RFC 2046 section 5.1.1), the last one or not."""
    start = -1
    for position, after, is_last in _boundary_lines(body, b"--" + boundary):
        if start >= 0:
            yield body[start:position].removesuffix(b"\r")
        start = after
        if is_last:
            return
    if start >= 0:
        yield body[start:]


def _boundary_lines(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield (end of what is before, start of what is after, whether it is the last one)."""
    position = -1
    if not body.startswith(delimiter):
        position = body.find(b"\n" + delimiter)
        if position < 0:
            return
    for _ in range(_MAX_BOUNDARY_LINES):
        after = position + 1 + len(delimiter)
        rest, newline, _ = body[after : after + _BOUNDARY_LINE_BYTES].partition(b"\n")
        is_last = rest.startswith(b"--")
        if is_last or not rest.strip():
            yield max(position, 0), after + len(rest) + len(newline), is_last
        position = body.find(b"\n" + delimiter, after - 1)
        if position < 0:
            return


def _parameters(value: str) -> dict[str, str]:
    """Give the parameters of a header by lower-case name, those in sections put together."""
    plain: dict[str, str] = {}
    sections: dict[str, list[tuple[int, bool, str]]] = {}
    for raw_name, raw in _PARAMETER.findall(value):
        text = raw.strip()
        if text.startswith('"'):
            text = _ESCAPED.sub(r"\1", text[1:].removesuffix('"'))
        match = _SECTION.fullmatch(raw_name.lower())
        if match is None:
            continue
        if match["number"] is None and match["is_encoded"] is None:
            plain.setdefault(match["name"], text)
        else:
            section = (int(match["number"] or 0), match["is_encoded"] is not None, text)
            sections.setdefault(match["name"], []).append(section)
    return {**plain, **{name: _join(pieces) for name, pieces in sections.items()}}


def _join(pieces: list[tuple[int, bool, str]]) -> str:
    """Put the sections of a parameter together (RFC 2231 sections 3 and 4)."""
    pieces.sort(key=lambda piece: piece[0])
    charset = "utf-8"
    number, is_encoded, first = pieces[0]
    if is_encoded and number == 0 and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
        pieces[0] = (number, is_encoded, first)
    joined = b""
    for _, is_encoded, text in pieces:
        joined += unquote_to_bytes(text) if is_encoded else text.encode("utf-8", "replace")
    try:
        return joined.decode(charset or "utf-8", "replace")
    except LookupError:
        return joined.decode("utf-8", "replace")
