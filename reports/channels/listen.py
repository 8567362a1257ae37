"""Where the mail receiver listens."""

from __future__ import annotations

_LAST_PORT = 65_535


def read_listen(text: str) -> tuple[str, int] | None:
    """Give host and port of `host:port`, an IPv6 address in its brackets; None where it is none."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > _LAST_PORT:
        return None
    return host, int(port)
