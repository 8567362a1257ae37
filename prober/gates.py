"""Keeps visits to one address apart: many MX names may lead to the same machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class _Gate:
    """One address: who may pass now, and when the next may."""

    __slots__ = ("__weakref__", "lock", "opens_at")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.opens_at = 0.0


class Gates:
    """Lets one visitor at a time through to each address, `pause_s` apart."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        # Only addresses with somebody at the gate are remembered.
        self._gates: WeakValueDictionary[str, _Gate] = WeakValueDictionary()

    @asynccontextmanager
    async def visiting(self, address: str) -> AsyncIterator[None]:
        """Wait for the address to be free; hold it for as long as the block lasts."""
        gate = self._gates.setdefault(address, _Gate())
        loop = asyncio.get_running_loop()
        async with gate.lock:
            await asyncio.sleep(max(0.0, gate.opens_at - loop.time()))
            try:
                yield
            finally:
                gate.opens_at = loop.time() + self._pause_s
