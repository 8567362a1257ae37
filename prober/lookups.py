"""Typed lookups: a question in, an `Answer` with its status out."""

from __future__ import annotations

from typing import Any

from dns.rdatatype import RdataType

from mailtls.names import fold_name
from mailtls.observed import (
    AddressAnswer,
    DnsStatus,
    MxAnswer,
    MxRecord,
    TlsaAnswer,
    TlsaRecord,
    TxtAnswer,
)
from prober.dns_wire import present_name
from prober.resolver import Reply, Resolver

_MAX_RECORDS = 100


async def look_up_txt(resolver: Resolver, name: str) -> TxtAnswer:
    """Give the TXT records of a name; bytes that are no UTF-8 show as U+FFFD."""
    reply = await resolver.ask(name, RdataType.TXT)
    # The strings of one record are joined without a blank (RFC 8460 3, RFC 8461 3.1).
    texts = tuple(b"".join(rdata.strings).decode("utf-8", "replace") for rdata in _rdatas(reply))
    return TxtAnswer(name=name, texts=texts, **_common(reply))


async def look_up_mx(resolver: Resolver, name: str) -> MxAnswer:
    """Give the MX records of a domain, by preference and name."""
    reply = await resolver.ask(name, RdataType.MX)
    found = {(r.preference, fold_name(present_name(r.exchange)) or ".") for r in _rdatas(reply)}
    records = tuple(MxRecord(preference=p, host=host) for p, host in sorted(found))
    return MxAnswer(name=name, records=records, **_common(reply))


async def look_up_v4(resolver: Resolver, name: str) -> AddressAnswer:
    """Give the A records of a name."""
    reply = await resolver.ask(name, RdataType.A)
    addresses = tuple(sorted({rdata.address for rdata in _rdatas(reply)}))
    return AddressAnswer(name=name, addresses=addresses, **_common(reply))


async def look_up_v6(resolver: Resolver, name: str) -> AddressAnswer:
    """Give the AAAA records of a name."""
    reply = await resolver.ask(name, RdataType.AAAA)
    addresses = tuple(sorted({rdata.address for rdata in _rdatas(reply)}))
    return AddressAnswer(name=name, addresses=addresses, **_common(reply))


async def look_up_tlsa(resolver: Resolver, name: str) -> TlsaAnswer:
    """Give the TLSA records at a name such as `_25._tcp.mx.example.com`."""
    reply = await resolver.ask(name, RdataType.TLSA)
    records = {_read_tlsa(rdata.data) for rdata in _rdatas(reply)}
    ordered = sorted(records, key=lambda r: (r.usage, r.selector, r.matching_type, r.data))
    return TlsaAnswer(name=name, records=tuple(ordered), **_common(reply))


def _read_tlsa(data: bytes) -> TlsaRecord:
    """Read a record of any length (RFC 6698 section 2.1): which are of use is the verdict's."""
    usage, selector, matching_type = data[:3].ljust(3, b"\xff")
    return TlsaRecord(
        usage=usage, selector=selector, matching_type=matching_type, data=data[3:].hex()
    )


def _rdatas(reply: Reply) -> list[Any]:
    # A hostile zone can send thousands; no real name has a hundred of these types.
    return [record.rdata for record in reply.records[:_MAX_RECORDS]]


def _common(reply: Reply) -> dict[str, Any]:
    return {
        "status": reply.status,
        "is_secure": reply.is_secure and reply.status is not DnsStatus.SERVFAIL,
        "is_authoritative": reply.is_authoritative,
        "ttl_s": min((record.ttl_s for record in reply.records), default=None),
        "cnames": reply.cnames,
        "nameserver": reply.nameserver,
        "extended_error": reply.extended_error,
        "detail": reply.detail,
    }
