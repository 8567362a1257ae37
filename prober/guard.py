"""Which addresses a check may connect to: public ones, whatever form they come in.

A domain's owner chooses the addresses we visit, so without this guard a check would be a way to
reach the hosts behind our firewall (RFC 8461 section 10.2 names the danger of such fetches).
"""

from __future__ import annotations

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# The special-purpose registries (RFC 6890 and its updates), multicast and reserved space. Listed
# here instead of asking `is_global`, whose answers changed between patch releases of Python.
_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of most clouds
        "168.63.129.16/32",  # the metadata service of Azure, on a public address
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: a tunnel to the IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
# Translators carry these to the IPv4 address in the last 32 bits (RFC 6052 section 2.1). The
# local-use prefix 64:ff9b:1::/48 (RFC 8215) is not here: it is never public.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str | IPAddress) -> bool:
    """Say whether an address is one of the public Internet."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in network for network in _REFUSED_V4)
    if parsed.scope_id:
        return False
    if parsed.ipv4_mapped is not None:
        return is_public(parsed.ipv4_mapped)
    if parsed in _NAT64:
        return is_public(ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF))
    return parsed in _GLOBAL_V6 and not any(parsed in network for network in _REFUSED_V6)
