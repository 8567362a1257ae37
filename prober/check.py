"""Observes one domain: all questions side by side, under one deadline."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import Any

from mailtls import tlsrpt_record
from mailtls.names import is_host
from mailtls.observed import DnsStatus, MxAnswer, Observed, TxtAnswer
from prober.lookups import look_up_mx, look_up_tlsa, look_up_txt, look_up_v4, look_up_v6
from prober.mx_hosts import MxHosts
from prober.options import Options, Request
from prober.policy_fetch import PolicyFetcher
from prober.resolver import Resolver

logger = logging.getLogger(__name__)

# RFC 5321 names no bound; senders try far fewer.
_MAX_MX_HOSTS = 20
_MAX_NAME_CHARS = 253
_PATIENCE_S = 1.0


class Checker:
    """Checks domains with one resolver and one memory of MX hosts."""

    def __init__(self, resolver: Resolver, options: Options) -> None:
        self._resolver = resolver
        self._options = options
        self._hosts = MxHosts(resolver, options)
        self._policies = PolicyFetcher(resolver, options)

    async def close(self) -> None:
        """End what still runs."""
        await self._hosts.close()

    async def check(self, request: Request) -> Observed:
        """Give what is seen of a domain; what was not found out in time stays empty."""
        loop = asyncio.get_running_loop()
        checked_at = datetime.now(UTC)
        started = loop.time()
        with_starttls = request.with_starttls or self._options.probe_starttls
        seen: dict[str, Any] = {}
        failure = None
        try:
            async with asyncio.timeout(self._options.domain_deadline_s):
                await self._observe(request.domain, with_starttls, seen)
        except TimeoutError:
            failure = f"not done in {self._options.domain_deadline_s:g} s"
        except Exception as error:
            # A fault of ours in one domain must not end the sweep of the others.
            logger.exception("checking %s failed", request.domain)
            failure = f"{type(error).__name__}: {error}"[:300]
        return Observed(
            domain=request.domain,
            checked_at=checked_at,
            took_ms=round((loop.time() - started) * 1000),
            was_starttls_asked=with_starttls,
            failure=failure,
            **seen,
        )

    async def _observe(self, domain: str, with_starttls: bool, seen: dict[str, Any]) -> None:
        await asyncio.gather(
            self._observe_tlsrpt(domain, seen),
            self._observe_sts(domain, seen),
            self._observe_policy(domain, seen),
            self._observe_mx(domain, with_starttls, seen),
        )
        # Only TLSA records make it matter; without any, nobody waits for a silent root.
        has_tlsa = any(host.tlsa is not None and host.tlsa.records for host in seen["mx_hosts"])
        patience_s = None if has_tlsa else _PATIENCE_S
        seen["dnssec"] = await self._resolver.find_validation(patience_s)

    async def _observe_tlsrpt(self, domain: str, seen: dict[str, Any]) -> None:
        answer = await look_up_txt(self._resolver, f"_smtp._tls.{domain}")
        seen["tlsrpt"] = answer
        if answer.status.is_known and not _has_record(answer):
            seen["tlsrpt_elsewhere"] = await self._look_elsewhere(domain)

    async def _look_elsewhere(self, domain: str) -> tuple[TxtAnswer, ...]:
        """Give the TLSRPT records at names that are mistaken for the right one."""
        names = (
            domain,
            f"_tls.{domain}",
            # Names of drafts before RFC 8460.
            f"_smtp-tlsrpt.{domain}",
            f"_smtp_tlsrpt.{domain}",
            # The zone's name appended once more by an editor of zones.
            f"_smtp._tls.{domain}.{domain}",
        )
        answers = await asyncio.gather(
            *(look_up_txt(self._resolver, name) for name in names if len(name) <= _MAX_NAME_CHARS)
        )
        return tuple(answer for answer in answers if _has_record(answer))

    async def _observe_sts(self, domain: str, seen: dict[str, Any]) -> None:
        seen["sts"] = await look_up_txt(self._resolver, f"_mta-sts.{domain}")

    async def _observe_policy(self, domain: str, seen: dict[str, Any]) -> None:
        # Also without a record: a policy that nobody looks for is worth telling.
        seen["policy"] = await self._policies.fetch(domain)

    async def _observe_mx(self, domain: str, with_starttls: bool, seen: dict[str, Any]) -> None:
        mx = await look_up_mx(self._resolver, domain)
        seen["mx"] = mx
        names = [record.host for record in mx.records if is_host(record.host)][:_MAX_MX_HOSTS]
        if mx.status.is_known and not mx.records:
            await self._observe_apex(domain, mx, seen)
            has_address = any(seen[key].addresses for key in ("apex_v4", "apex_v6") if key in seen)
            names = [domain] if has_address else []
        hosts = await asyncio.gather(
            *(self._hosts.observe(name, with_starttls=with_starttls) for name in names)
        )
        seen["mx_hosts"] = tuple(hosts)
        has_tlsa = any(host.tlsa is not None and host.tlsa.records for host in hosts)
        if names and domain not in names and not has_tlsa:
            seen["tlsa_at_domain"] = await look_up_tlsa(self._resolver, f"_25._tcp.{domain}")

    async def _observe_apex(self, domain: str, mx: MxAnswer, seen: dict[str, Any]) -> None:
        if mx.status is DnsStatus.NXDOMAIN:
            return
        seen["apex_v4"], seen["apex_v6"] = await asyncio.gather(
            look_up_v4(self._resolver, domain), look_up_v6(self._resolver, domain)
        )


def _has_record(answer: TxtAnswer) -> bool:
    return bool(tlsrpt_record.select_record(answer.texts).claimants)
