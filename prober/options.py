"""What to check, and how."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One domain to check, as folded A-label name."""

    domain: str
    with_starttls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of one sweep; times in seconds.

    `nameservers` are `ip`, `ip:port` or `[ip6]:port`; the system's when empty.
    `probe_starttls` visits the MX hosts of every request, not only of those that ask.
    """

    nameservers: tuple[str, ...] = ()
    allow_private_addresses: bool = False
    ca_file: str | None = None
    concurrency: int = 200
    domain_deadline_s: float = 90.0
    policy_deadline_s: float = 60.0
    connect_timeout_s: float = 10.0
    # One attempt each: the first server, the second (or the first again), the first again.
    dns_timeouts_s: tuple[float, ...] = (2.0, 3.0, 3.0)
    # Fetches from one address at a time: thousands of policies may lie on one machine.
    https_at_once: int = 20
    probe_starttls: bool = False
    smtp_deadline_s: float = 40.0
    smtp_concurrency: int = 50
    # Between two visits to one address, where several MX names lead to it.
    smtp_pause_s: float = 0.1
    # "" sends the address literal of the local end (RFC 5321 section 4.1.3).
    ehlo_name: str = ""
    https_port: int = 443
    smtp_port: int = 25


def parse_nameserver(text: str) -> tuple[str, int]:
    """Give address and port of `ip`, `ip:port` or `[ip6]:port`; raises ValueError."""
    address, port = text.strip(), "53"
    if address.startswith("["):
        address, bracket, rest = address[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"Not a name server address: {text!r}. Write it as [ip6]:port.")
        port = rest[1:] or port
    elif address.count(":") == 1:
        address, _, port = address.partition(":")
    try:
        ipaddress.ip_address(address)
        number = int(port)
    except ValueError:
        raise ValueError(
            f"Not a name server address: {text!r}. Write it as ip, ip:port or [ip6]:port."
        ) from None
    if not 0 < number < 65536:
        raise ValueError(f"Not a name server port: {port} in {text!r}. It is 1 to 65535.")
    return address, number
