"""DNS messages on the wire: questions out, answers in.

Questions are packed by hand, and answers are read with dnspython's codecs for names and records
but without its `Message`: building and parsing one costs 80 and 90 µs, this 3 and 30 µs (an
answer without records 3 µs), and a sweep asks ten questions per domain.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import dns.edns
import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.wire
from dns.rdata import Rdata
from dns.rdatatype import RdataType

_HEADER = struct.Struct("!HHHHHH")
_QR, _AA, _TC, _RD, _AD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0020
# EDNS version 0 with DO: signatures are checked by the resolver, and AD says so (RFC 4035 3.2.3).
# 1232 octets pass every path without fragments.
_PAYLOAD = 1232
_OPT = b"\x00" + struct.pack("!HHIH", RdataType.OPT, _PAYLOAD, 0x8000, 0)
_EDE = 15
_MAX_LABEL_BYTES = 63
_MAX_NAME_BYTES = 255


class BadAnswerError(Exception):
    """A datagram that is no answer to the question."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record of an answer; `owner` in lower case without the final dot."""

    owner: str
    rdtype: int
    ttl_s: int
    rdata: Rdata


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An answer, as far as a check needs it."""

    rcode: int
    is_truncated: bool
    is_secure: bool
    is_authoritative: bool
    answers: tuple[Record, ...] = ()
    # The types in the authority section: SOA for "nothing there", NS for a referral.
    authority: tuple[int, ...] = field(default=())
    extended_error: int | None = None


def pack_question(name: str, rdtype: int) -> bytes:
    """Give the question section for an A-label name; raises ValueError for an impossible name."""
    wire = bytearray()
    # Targets of aliases may hold escaped characters; only dnspython reads those.
    if not name.isascii() or "\\" in name:
        wire += _encode_escaped(name)
    else:
        for label in name.rstrip(".").encode("ascii").split(b".") if name != "." else ():
            if not 0 < len(label) <= _MAX_LABEL_BYTES:
                raise ValueError(f"Not a name for DNS: {name!r} has a label of {len(label)} bytes")
            wire.append(len(label))
            wire += label
        wire.append(0)
    if len(wire) > _MAX_NAME_BYTES:
        raise ValueError(f"Not a name for DNS: {name!r} is longer than {_MAX_NAME_BYTES} bytes")
    return bytes(wire) + struct.pack("!HH", rdtype, dns.rdataclass.IN)


def _encode_escaped(name: str) -> bytes:
    try:
        wire = dns.name.from_text(name).to_wire()
    except dns.exception.DNSException as error:
        raise ValueError(f"Not a name for DNS: {name!r} ({error})") from error
    assert wire is not None
    return wire


def pack_query(query_id: int, question: bytes) -> bytes:
    """Give a query for one question, with EDNS, DO and AD."""
    return _HEADER.pack(query_id, _RD | _AD, 1, 0, 0, 1) + question + _OPT


def unpack_answer(wire: bytes, query_id: int, question: bytes) -> Message:
    """Read an answer; raises `BadAnswerError` if it is not to this question, or is damaged."""
    if len(wire) < _HEADER.size:
        raise BadAnswerError("shorter than a header")
    found_id, flags, questions, answers, authority, additional = _HEADER.unpack_from(wire)
    end = _HEADER.size + len(question)
    if found_id != query_id or not flags & _QR:
        raise BadAnswerError("another id, or not an answer")
    rcode = flags & 0x000F
    if questions == 0 and rcode != dns.rcode.NOERROR:
        # Servers that cannot read a query may send its header alone back.
        return _message(flags, rcode)
    if questions != 1 or wire[_HEADER.size : end].lower() != question.lower():
        raise BadAnswerError("another question")
    if not answers and (rcode == dns.rcode.NXDOMAIN or not (authority or additional)):
        return _message(flags, rcode)
    try:
        return _unpack_sections(wire, end, flags, (answers, authority, additional))
    except (dns.exception.DNSException, ValueError, struct.error) as error:
        raise BadAnswerError(f"damaged: {error}") from error


def _message(flags: int, rcode: int) -> Message:
    return Message(
        rcode=rcode,
        is_truncated=bool(flags & _TC),
        is_secure=bool(flags & _AD),
        is_authoritative=bool(flags & _AA),
    )


def _unpack_sections(wire: bytes, start: int, flags: int, counts: tuple[int, int, int]) -> Message:
    rcode = flags & 0x000F
    if flags & _TC:
        return _message(flags, rcode)
    parser = dns.wire.Parser(wire, start)
    answers = []
    for _ in range(counts[0]):
        owner = parser.get_name(decompress=True)
        rdtype, rdclass, ttl_s, length = parser.get_struct("!HHIH")
        with parser.restrict_to(length):
            rdata = _read_rdata(rdclass, rdtype, parser)
        answers.append(Record(present_name(owner), rdtype, ttl_s, rdata))
    authority = []
    for _ in range(counts[1]):
        parser.get_name(decompress=True)
        rdtype, _, _, length = parser.get_struct("!HHIH")
        parser.get_bytes(length)
        authority.append(rdtype)
    extended_error = None
    for _ in range(counts[2]):
        parser.get_name(decompress=True)
        rdtype, _, high, length = parser.get_struct("!HHIH")
        options = parser.get_bytes(length)
        if rdtype == RdataType.OPT:
            rcode |= (high >> 24) << 4
            extended_error = _find_extended_error(options)
    return Message(
        rcode=rcode,
        is_truncated=False,
        is_secure=bool(flags & _AD),
        is_authoritative=bool(flags & _AA),
        answers=tuple(answers),
        authority=tuple(authority),
        extended_error=extended_error,
    )


def _read_rdata(rdclass: Any, rdtype: Any, parser: dns.wire.Parser) -> Rdata:
    if rdtype == RdataType.TLSA:
        # dnspython refuses a digest of the wrong length, and with it the whole answer. Such a
        # record is the owner's mistake to be told of, not a fault of the name server.
        return dns.rdata.GenericRdata(rdclass, rdtype, parser.get_remaining())
    return dns.rdata.from_wire_parser(rdclass, rdtype, parser)


def _find_extended_error(options: bytes) -> int | None:
    """Find the info code of an extended DNS error (RFC 8914 section 2)."""
    offset = 0
    while offset + 4 <= len(options):
        code, length = struct.unpack_from("!HH", options, offset)
        if code == _EDE and length >= 2 and offset + 6 <= len(options):
            return int(struct.unpack_from("!H", options, offset + 4)[0])
        offset += 4 + length
    return None


def present_name(name: dns.name.Name) -> str:
    """Give a name in lower case, without the final dot; "." for the root."""
    return name.to_text(omit_final_dot=True).lower() if len(name) > 1 else "."
