"""Looks at MX hosts, once per host and sweep: thousands of domains share a few."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

from msgspec.structs import replace

from mailtls.observed import MxHost, ProbeResult, StarttlsProbe
from prober.gates import Gates
from prober.guard import is_public
from prober.lookups import look_up_tlsa, look_up_txt, look_up_v4, look_up_v6
from prober.options import Options
from prober.port25 import Port25
from prober.resolver import Resolver
from prober.smtp_probe import probe_host

logger = logging.getLogger(__name__)

# Bounds memory for fleets in which every domain has hosts of its own.
_MAX_HOSTS_KEPT = 5_000


class MxHosts:
    """Observations of MX hosts, shared by all domains of a sweep."""

    def __init__(self, resolver: Resolver, options: Options) -> None:
        self._resolver = resolver
        self._options = options
        self._port25 = Port25()
        self._gates = Gates(at_once=1, pause_s=options.smtp_pause_s)
        self._visits = asyncio.Semaphore(options.smtp_concurrency)
        self._seen: OrderedDict[tuple[str, bool], asyncio.Task[MxHost]] = OrderedDict()

    async def observe(self, name: str, *, with_starttls: bool) -> MxHost:
        """Give what is seen of a host; the second asker waits for the first one's answer."""
        key = (name, with_starttls)
        task = self._seen.get(key)
        if task is None:
            task = asyncio.create_task(self._observe(name, with_starttls=with_starttls))
            self._seen[key] = task
            self._forget_oldest()
        else:
            self._seen.move_to_end(key)
        # Shielded: a domain that runs out of time must not take the answer from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel what still runs."""
        tasks = [task for task in self._seen.values() if not task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._seen.clear()

    def _forget_oldest(self) -> None:
        while len(self._seen) > _MAX_HOSTS_KEPT:
            key, task = next(iter(self._seen.items()))
            if not task.done():
                return
            del self._seen[key]

    async def _observe(self, name: str, *, with_starttls: bool) -> MxHost:
        v4, tlsa = await asyncio.gather(
            look_up_v4(self._resolver, name), look_up_tlsa(self._resolver, f"_25._tcp.{name}")
        )
        if v4.cnames:
            # The end of the alias is asked first, then the MX name (RFC 7672 section 2.2.2).
            at_target = await look_up_tlsa(self._resolver, f"_25._tcp.{v4.cnames[-1]}")
            tlsa = at_target if at_target.records else tlsa
        v6 = None
        # AAAA decides nothing for a host with an address, unless it is visited or has TLSA
        # records, for which both address RRsets must be signed (RFC 7672 section 2.2.2).
        if with_starttls or tlsa.records or not v4.addresses:
            v6 = await look_up_v6(self._resolver, name)
        tlsrpt = None
        if tlsa.records:
            tlsrpt = await look_up_txt(self._resolver, f"_smtp._tls.{name}")
        host = MxHost(name=name, v4=v4, v6=v6, tlsa=tlsa, tlsrpt=tlsrpt)
        return replace(host, starttls=await self._visit(host)) if with_starttls else host

    async def _visit(self, host: MxHost) -> StarttlsProbe:
        answers = [answer for answer in (host.v4, host.v6) if answer is not None]
        addresses = [address for answer in answers for address in answer.addresses]
        if not addresses:
            is_known = all(answer.status.is_known for answer in answers)
            result = ProbeResult.NO_ADDRESS if is_known else ProbeResult.DNS_FAILED
            return StarttlsProbe(result=result)
        if not self._options.allow_private_addresses:
            public = [address for address in addresses if is_public(address)]
            if not public:
                return StarttlsProbe(result=ProbeResult.ADDRESS_REFUSED, address=addresses[0])
            addresses = public
        async with self._visits:
            return await probe_host(host.name, addresses, self._options, self._port25, self._gates)
