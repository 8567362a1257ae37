"""Whose MX a host is: for results that name a host where a domain should stand."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from domains.models import RecordKind, RecordVersion

# All MX sets of the fleet are read at once, a fraction of a second for 100,000 domains: a list of
# "preference host" lines cannot be looked up by host. What was seen since comes into its own by
# `attribute_new_domains`.
_REMEMBER_S = 60.0
_SHARED = 0


class _Owners:
    """Which domain a host is an MX of, if it is one alone; remembered for a minute."""

    def __init__(self) -> None:
        self._owners: dict[str, int] = {}
        self._until = 0.0
        self._reading = threading.Lock()

    def candidates(self, hosts: Iterable[str]) -> dict[str, int]:
        with self._reading:
            if time.monotonic() >= self._until:
                self._owners = _read_owners()
                self._until = time.monotonic() + _REMEMBER_S
        found = ((host, self._owners.get(host, _SHARED)) for host in hosts)
        return {host: domain for host, domain in found if domain != _SHARED}

    def forget(self) -> None:
        self._until = 0.0


_owners = _Owners()
forget = _owners.forget


def find_mx_owners(hosts: Iterable[str]) -> dict[str, int]:
    """Give for each host that is an MX of one domain of the inventory alone that domain's id."""
    wanted = set(hosts) - {""}
    if not wanted:
        return {}
    candidates = _owners.candidates(wanted)
    # What is remembered may be gone by now.
    live = RecordVersion.objects.filter(
        domain__in=set(candidates.values()), kind=RecordKind.MX, replaced_at=None
    )
    hosts_of = {pk: set(_hosts(content)) for pk, content in live.values_list("domain", "content")}
    return {host: pk for host, pk in candidates.items() if host in hosts_of.get(pk, ())}


def _read_owners() -> dict[str, int]:
    owners: dict[str, int] = {}
    live = RecordVersion.objects.filter(kind=RecordKind.MX, replaced_at=None).exclude(content="")
    for pk, content in live.values_list("domain", "content").iterator(chunk_size=5_000):
        for host in _hosts(content):
            if owners.setdefault(host, pk) != pk:
                owners[host] = _SHARED
    return owners


def _hosts(content: str) -> list[str]:
    """Give the hosts of an MX set as it is kept: lines of preference and host."""
    hosts = (line.partition(" ")[2].rstrip(".").lower() for line in content.splitlines())
    return [host for host in hosts if host]
