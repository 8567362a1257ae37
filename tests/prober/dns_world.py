"""A name server on loopback whose answers, failures and lies a test writes down."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset


@dataclass
class Zone:
    """What a name server knows: records by (name, type), and how it misbehaves for some names."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    cnames: dict[str, str] = field(default_factory=dict)
    # (name, type) or name -> "SERVFAIL", "REFUSED", "FORMERR", "drop", "referral", "wrong-id",
    # "wrong-question", "garbage", "truncate"; only the first `times` questions where given.
    faults: dict[Any, str] = field(default_factory=dict)
    fault_times: dict[Any, int] = field(default_factory=dict)
    # Zones whose answers carry AD.
    signed: set[str] = field(default_factory=set)
    insecure: set[tuple[str, str]] = field(default_factory=set)
    is_authoritative: bool = False
    follows_cnames: bool = True
    extended_error: int | None = None
    ttl_s: int = 7200

    def add(self, name: str, rdtype: str, *values: str) -> Self:
        self.records.setdefault((name, rdtype), []).extend(values)
        return self

    def txt(self, name: str, *texts: str) -> Self:
        return self.add(name, "TXT", *(_quote(text) for text in texts))

    def has_name(self, name: str) -> bool:
        known = {owner for owner, _ in self.records} | set(self.cnames)
        return any(owner == name or owner.endswith("." + name) for owner in known)

    def is_signed(self, name: str, rdtype: str) -> bool:
        if (name, rdtype) in self.insecure:
            return False
        return any(name == zone or name.endswith("." + zone) or zone == "." for zone in self.signed)


def _quote(text: str) -> str:
    raw = text.encode("utf-8")
    chunks = [raw[start : start + 200] for start in range(0, len(raw), 200)] or [b""]
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in chunk) + '"' for chunk in chunks)


def _rrset(owner: str, ttl_s: int, rdtype: str, value: str) -> dns.rrset.RRset:
    if not value.startswith("\\#"):
        return dns.rrset.from_text(owner, ttl_s, "IN", rdtype, value)
    # RFC 3597, and without dnspython's own opinion on what the bytes mean.
    data = bytes.fromhex(value.split(maxsplit=2)[2])
    number = dns.rdatatype.from_text(rdtype)
    return dns.rrset.from_rdata(
        owner, ttl_s, dns.rdata.GenericRdata(dns.rdataclass.IN, number, data)
    )


class DnsServer(asyncio.DatagramProtocol):
    """Serves a zone over UDP and TCP on one loopback port."""

    def __init__(self, zone: Zone, host: str = "127.0.0.1") -> None:
        self.zone = zone
        self.host = host
        self.port = 0
        self.asked: Counter[tuple[str, str]] = Counter()
        self.tcp_asked: Counter[tuple[str, str]] = Counter()

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._tcp = await asyncio.start_server(self._serve_tcp, self.host, 0)
        self.port = self._tcp.sockets[0].getsockname()[1]
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(self.host, self.port)
        )
        return self

    async def __aexit__(self, *_exc: object) -> None:
        self._transport.close()
        self._tcp.close()
        await self._tcp.wait_closed()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        for wire in self._answer(data, over_tcp=False):
            self._transport.sendto(wire, addr)

    async def _serve_tcp(self, reader: Any, writer: Any) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        for wire in self._answer(await reader.readexactly(length), over_tcp=True):
            writer.write(struct.pack("!H", len(wire)) + wire)
        await writer.drain()
        writer.close()

    def _answer(self, data: bytes, *, over_tcp: bool) -> list[bytes]:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower() or "."
        rdtype = dns.rdatatype.to_text(question.rdtype)
        (self.tcp_asked if over_tcp else self.asked)[name, rdtype] += 1
        fault = self._fault(name, rdtype)
        if fault == "drop":
            return []
        if fault == "garbage":
            return [data[:2] + b"\x80" + b"\xff" * 20]
        response = dns.message.make_response(query, recursion_available=True)
        if fault == "wrong-id":
            response.id = (query.id + 1) % 65536
        if fault == "wrong-question":
            response.question[0].name = dns.name.from_text("elsewhere.example.")
        if fault == "truncate" and not over_tcp:
            response.flags |= dns.flags.TC
            return [response.to_wire(max_size=65535)]
        if fault in ("SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"):
            response.set_rcode(dns.rcode.from_text(fault))
            if self.zone.extended_error is not None:
                option = dns.edns.EDEOption(self.zone.extended_error, "bogus")
                response.use_edns(0, options=[option])
            return [response.to_wire(max_size=65535)]
        if fault == "referral":
            response.flags &= ~dns.flags.RA
            response.authority.append(
                dns.rrset.from_text("example.", 60, "IN", "NS", "ns.example.")
            )
            return [response.to_wire(max_size=65535)]
        self._fill(response, name, rdtype)
        return [response.to_wire(max_size=65535)]

    def _fault(self, name: str, rdtype: str) -> str | None:
        for key in ((name, rdtype), name, "*"):
            if key in self.zone.faults:
                if key in self.zone.fault_times:
                    self.zone.fault_times[key] -= 1
                    if self.zone.fault_times[key] < 0:
                        return None
                return self.zone.faults[key]
        return None

    def _fill(self, response: dns.message.Message, name: str, rdtype: str) -> None:
        zone = self.zone
        if zone.is_authoritative:
            response.flags |= dns.flags.AA
        signed = zone.is_signed(name, rdtype)
        seen = set()
        while name in zone.cnames and name not in seen:
            seen.add(name)
            target = zone.cnames[name]
            response.answer.append(
                dns.rrset.from_text(f"{name}.", zone.ttl_s, "IN", "CNAME", f"{target}.")
            )
            name = target
            signed = signed and zone.is_signed(name, rdtype)
            if not zone.follows_cnames:
                break
        values = zone.records.get((name, rdtype))
        owner = "." if name == "." else f"{name}."
        if values:
            # Record by record: an RRset would drop the second of two equal ones.
            for value in values:
                response.answer.append(_rrset(owner, zone.ttl_s, rdtype, value))
        elif zone.follows_cnames or not seen:
            response.authority.append(
                dns.rrset.from_text("example.", 60, "IN", "SOA", "ns.example. x.example. 1 2 3 4 5")
            )
            if not zone.has_name(name):
                response.set_rcode(dns.rcode.NXDOMAIN)
        if signed:
            response.flags |= dns.flags.AD


class ThreadedServer:
    """A name server with a loop of its own, for callers that have none."""

    def __init__(self, zone: Zone) -> None:
        self.server = DnsServer(zone)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._serve(),))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        async with self.server:
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> str:
        self._thread.start()
        self._ready.wait()
        return self.server.address

    def __exit__(self, *_exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
