"""Opens TCP connections to checked, pinned addresses."""

from __future__ import annotations

import asyncio
import errno
import socket
from enum import StrEnum

from prober.guard import is_public

_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class ConnectFault(StrEnum):
    """Why there is no connection."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    NO_ROUTE = "no-route"
    FAILED = "failed"
    NOT_PUBLIC = "not-public"


class ConnectFailed(Exception):
    """There is no connection; `fault` says why."""

    def __init__(self, fault: ConnectFault, detail: str) -> None:
        super().__init__(detail)
        self.fault = fault


async def open_socket(
    address: str, port: int, timeout_s: float, *, allow_private: bool
) -> socket.socket:
    """Give a connected, non-blocking socket; raises `ConnectFailed`.

    The address is judged before, and once more on the peer that was really reached.
    """
    _refuse_private(address, allow_private)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise _explain(error) from error
    try:
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            await loop.sock_connect(sock, (address, port))
        _refuse_private(sock.getpeername()[0], allow_private)
    except TimeoutError as error:
        sock.close()
        raise ConnectFailed(ConnectFault.TIMEOUT, f"no answer in {timeout_s:g} s") from error
    except OSError as error:
        sock.close()
        raise _explain(error) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _refuse_private(address: str, allow_private: bool) -> None:
    if not allow_private and not is_public(address):
        raise ConnectFailed(ConnectFault.NOT_PUBLIC, f"{address} is not a public address")


def _explain(error: OSError) -> ConnectFailed:
    if isinstance(error, ConnectionRefusedError):
        return ConnectFailed(ConnectFault.REFUSED, "connection refused")
    if error.errno in _NO_ROUTE:
        return ConnectFailed(ConnectFault.NO_ROUTE, error.strerror or str(error))
    if error.errno == errno.ETIMEDOUT:
        return ConnectFailed(ConnectFault.TIMEOUT, "connection timed out")
    return ConnectFailed(ConnectFault.FAILED, error.strerror or str(error))
