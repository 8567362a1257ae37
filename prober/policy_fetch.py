"""Fetches MTA-STS policies: addresses, families, one deadline, a few at a time (RFC 8461 3.3)."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from mailtls.observed import FamilyTry, FetchResult, PolicyFetch
from prober.gates import Gates
from prober.guard import is_public
from prober.lookups import look_up_v4, look_up_v6
from prober.options import Options
from prober.policy_request import CONNECT_RESULTS, request_policy
from prober.resolver import Resolver

_ADDRESSES_PER_FAMILY = 2


class PolicyFetcher:
    """Fetches policies, a few at a time from each address."""

    def __init__(self, resolver: Resolver, options: Options) -> None:
        self._resolver = resolver
        self._options = options
        self._gates = Gates(at_once=options.https_at_once)

    async def fetch(self, domain: str) -> PolicyFetch:
        """Fetch the policy of a domain over each address family it has; never raises."""
        host = f"mta-sts.{domain}"
        v4, v6 = await asyncio.gather(
            look_up_v4(self._resolver, host), look_up_v6(self._resolver, host)
        )
        found = PolicyFetch(host=host, v4=v4, v6=v6)
        if not v4.addresses and not v6.addresses:
            is_known = v4.status.is_known and v6.status.is_known
            result = FetchResult.NO_ADDRESS if is_known else FetchResult.DNS_FAILED
            return replace(found, result=result)
        is_private_allowed = self._options.allow_private_addresses
        addresses = (*v4.addresses, *v6.addresses)
        refused = [a for a in addresses if not is_private_allowed and not is_public(a)]
        families = [
            tuple(a for a in answer.addresses if a not in refused)[:_ADDRESSES_PER_FAMILY]
            for answer in (v4, v6)
        ]
        if not any(families):
            return replace(found, result=FetchResult.ADDRESS_REFUSED, address=refused[0])
        # Senders differ in which family they try, so both are tried to the end.
        outcomes = await asyncio.gather(
            *(self._fetch_family(host, family) for family in families if family)
        )
        return _merge(found, [fetch for family in outcomes for fetch in family], refused)

    async def _fetch_family(self, host: str, addresses: tuple[str, ...]) -> list[PolicyFetch]:
        """Try the addresses of one family in turn until one takes the connection, as senders do."""
        # One deadline for connecting, TLS and all of the body, so that no server that drips and
        # no row of dead addresses can outlast it. Waiting for a place does not count.
        left_s = self._options.policy_deadline_s
        fetches: list[PolicyFetch] = []
        for address in addresses:
            async with self._gates.visiting(address):
                fetches.append(await request_policy(host, address, self._options, left_s))
            left_s -= fetches[-1].took_ms / 1000
            if fetches[-1].result not in CONNECT_RESULTS.values():
                break
        return fetches


def _merge(found: PolicyFetch, fetches: list[PolicyFetch], refused: list[str]) -> PolicyFetch:
    """Give the best outcome, with how each address behaved beside it."""
    best = next((f for f in fetches if f.result is FetchResult.OK), None)
    if best is None:
        # What the server said counts more than a way that is closed only to us.
        best = next((f for f in fetches if f.result is not FetchResult.NO_ROUTE), fetches[0])
    tries = [
        FamilyTry(address=fetch.address or "", result=fetch.result, detail=fetch.detail)
        for fetch in fetches
    ]
    tries += [FamilyTry(address=a, result=FetchResult.ADDRESS_REFUSED) for a in refused]
    return replace(best, v4=found.v4, v6=found.v6, tries=tuple(tries))
