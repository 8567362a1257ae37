"""Asks name servers: many questions over few sockets, with a second opinion before "unknown"."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import dns.rcode
import dns.resolver
from dns.rdatatype import RdataType

from mailtls.observed import DnsStatus, Validation
from prober.dns_channel import Channel, Window, ask_over_tcp
from prober.dns_wire import Message, Record, pack_question
from prober.options import parse_nameserver

_SOCKETS_PER_SERVER = 4
# A name server that stays silent this often in a row is asked last, but gets a chance now and then.
_SILENCES = 3
_CHANCE_EVERY = 64
# RFC 1034 names no bound; resolvers give up between 8 and 16 aliases.
_MAX_CNAMES = 10
# What is known of each set of name servers: it does not change while a process runs.
_validation_of: dict[tuple[tuple[str, int], ...], Validation] = {}
_RCODES: dict[int, DnsStatus] = {
    dns.rcode.NXDOMAIN: DnsStatus.NXDOMAIN,
    dns.rcode.SERVFAIL: DnsStatus.SERVFAIL,
    dns.rcode.REFUSED: DnsStatus.REFUSED,
}


@dataclass(slots=True, kw_only=True)
class Reply:
    """How one question ended, with the records of the type that was asked for."""

    status: DnsStatus
    records: Sequence[Record] = ()
    cnames: tuple[str, ...] = ()
    is_secure: bool = False
    is_authoritative: bool = False
    nameserver: str | None = None
    extended_error: int | None = None
    detail: str | None = None


class Resolver:
    """A set of name servers; open it with `async with`."""

    def __init__(self, nameservers: Sequence[str], timeouts_s: Sequence[float]) -> None:
        self._servers = [parse_nameserver(text) for text in nameservers or _system_nameservers()]
        self._timeouts_s = tuple(timeouts_s)
        self._channels: list[list[Channel]] = []
        self._windows = [Window() for _ in self._servers]
        self._turn = 0
        self._silences = [0] * len(self._servers)
        self._has_seen_ad = False
        self._validation: asyncio.Task[Validation] | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for server in self._servers:
            channels = []
            for _ in range(_SOCKETS_PER_SERVER):
                _, channel = await loop.create_datagram_endpoint(Channel, remote_addr=server)
                channels.append(channel)
            self._channels.append(channels)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._validation is not None:
            self._validation.cancel()
            await asyncio.gather(self._validation, return_exceptions=True)
        for channels in self._channels:
            for channel in channels:
                channel.close()

    async def find_validation(self, patience_s: float | None = None) -> Validation:
        """Say whether the name servers check DNSSEC; found out once for each set of them.

        The root zone is signed, and every resolver has its name servers at hand: an answer about
        it with AD comes from a resolver that validates, one without from a resolver that does
        not. Any other outcome, as in a network without the root, leaves it unknown. An answer
        that takes longer than `patience_s` is not waited for.
        """
        key = tuple(self._servers)
        if self._has_seen_ad:
            _validation_of[key] = Validation.VALIDATING
        if key in _validation_of:
            return _validation_of[key]
        if self._validation is None:
            self._validation = asyncio.create_task(self._ask_root())
        done, _ = await asyncio.wait([self._validation], timeout=patience_s)
        if not done:
            return Validation.UNKNOWN
        found = self._validation.result()
        if found is not Validation.UNKNOWN:
            _validation_of[key] = found
        return found

    async def _ask_root(self) -> Validation:
        reply = await self.ask(".", RdataType.NS)
        if self._has_seen_ad:
            return Validation.VALIDATING
        return Validation.UNKNOWN if reply.status is not DnsStatus.OK else Validation.NOT_VALIDATING

    async def ask(self, name: str, rdtype: RdataType) -> Reply:
        """Ask for the records of a type, following aliases; never raises for what comes back."""
        cnames: list[str] = []
        is_secure = True
        while True:
            current = cnames[-1] if cnames else name
            try:
                question = pack_question(current, rdtype)
            except ValueError as error:
                return Reply(status=DnsStatus.LAME, cnames=tuple(cnames), detail=str(error))
            reply = await self._ask_servers(question)
            is_secure = is_secure and reply.is_secure
            self._has_seen_ad |= reply.is_secure
            records, targets = _follow(current, rdtype, reply.records)
            cnames += targets
            reply.cnames = tuple(cnames)
            reply.is_secure = is_secure
            reply.records = records
            if reply.status is not DnsStatus.OK or records:
                return reply
            if len(cnames) > _MAX_CNAMES or len({name, *cnames}) <= len(cnames):
                reply.status = DnsStatus.LOOP
                return reply
            if not targets:
                reply.status = DnsStatus.NODATA
                return reply
            # The alias leads out of what this server answers at once: ask for its target.

    async def _ask_servers(self, question: bytes) -> Reply:
        """Ask until a server knows. If none does, the last one that answered at all tells why."""
        reply = Reply(status=DnsStatus.TIMEOUT)
        if not self._channels:
            reply.detail = "no name server is configured"
            return reply
        answered = 0
        places = self._order_servers()
        for attempt, timeout_s in enumerate(self._timeouts_s):
            place = places[attempt % len(places)]
            found = await self._ask_server(place, question, timeout_s)
            is_silent = found.status is DnsStatus.TIMEOUT
            self._silences[place] = self._silences[place] + 1 if is_silent else 0
            if found.status.is_known:
                return found
            # An answer, even a bad one, says more than silence.
            if not is_silent or reply.status is DnsStatus.TIMEOUT:
                reply = found
            answered += not is_silent
            if answered > 1:
                break
        return reply

    def _order_servers(self) -> list[int]:
        """Give the order in which to ask: as configured, but the dead ones last.

        Without this a dead first server would cost every question of a sweep its time-out.
        """
        places = list(range(len(self._servers)))
        if self._turn % _CHANCE_EVERY == 0:
            return places
        return sorted(places, key=lambda place: self._silences[place] >= _SILENCES)

    async def _ask_server(self, place: int, question: bytes, timeout_s: float) -> Reply:
        server = self._servers[place]
        self._turn += 1
        channel = self._channels[place][self._turn % _SOCKETS_PER_SERVER]
        message = await self._windows[place].ask(channel, question, timeout_s)
        if message is not None and message.is_truncated:
            message = await ask_over_tcp(server, question, timeout_s)
        shown = f"{server[0]}:{server[1]}"
        if message is None:
            return Reply(status=DnsStatus.TIMEOUT, nameserver=shown)
        return _judge_message(message, shown)


def _judge_message(message: Message, nameserver: str) -> Reply:
    status = _RCODES.get(message.rcode)
    detail = None
    if message.rcode == dns.rcode.NOERROR:
        is_referral = (
            not message.answers
            and not message.is_authoritative
            and RdataType.NS in message.authority
            and RdataType.SOA not in message.authority
        )
        status = DnsStatus.LAME if is_referral else DnsStatus.OK
        detail = "referral" if is_referral else None
    elif status is None:
        status, detail = DnsStatus.LAME, f"rcode {message.rcode}"
    return Reply(
        status=status,
        records=message.answers,
        is_secure=message.is_secure,
        is_authoritative=message.is_authoritative,
        nameserver=nameserver,
        extended_error=message.extended_error,
        detail=detail,
    )


def _follow(
    name: str, rdtype: RdataType, records: Sequence[Record]
) -> tuple[list[Record], list[str]]:
    """Walk the aliases inside one answer: the wanted records and the targets passed."""
    targets: list[str] = []
    current = name.rstrip(".").lower() or "."
    while len(targets) <= _MAX_CNAMES:
        found = [r for r in records if r.owner == current and r.rdtype == rdtype]
        if found:
            return found, targets
        alias = next(
            (r for r in records if r.owner == current and r.rdtype == RdataType.CNAME), None
        )
        if alias is None:
            break
        target = alias.rdata.target.to_text(omit_final_dot=True).lower()  # type: ignore[attr-defined]
        targets.append(target)
        current = target
    return [], targets


def _system_nameservers() -> list[str]:
    try:
        found = dns.resolver.Resolver(configure=True).nameservers
    except dns.resolver.NoResolverConfiguration:
        return []
    return [str(server) for server in found]
