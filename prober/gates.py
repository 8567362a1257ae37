"""Keeps visits to one address apart: many names may lead to the same machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class _Gate:
    """One address: how many may still pass now, and when the next may."""

    __slots__ = ("__weakref__", "opens_at", "places")

    def __init__(self, at_once: int) -> None:
        self.places = asyncio.Semaphore(at_once)
        self.opens_at = 0.0


class Gates:
    """Lets `at_once` visitors through to each address, and the next `pause_s` after one left."""

    def __init__(self, *, at_once: int, pause_s: float = 0.0) -> None:
        self._at_once = at_once
        self._pause_s = pause_s
        # Only addresses with somebody at the gate are remembered.
        self._gates: WeakValueDictionary[str, _Gate] = WeakValueDictionary()

    @asynccontextmanager
    async def visiting(self, address: str) -> AsyncIterator[None]:
        """Wait for a place at the address; hold it for as long as the block lasts."""
        gate = self._gates.get(address)
        if gate is None:
            gate = self._gates[address] = _Gate(self._at_once)
        loop = asyncio.get_running_loop()
        async with gate.places:
            if gate.opens_at > loop.time():
                await asyncio.sleep(gate.opens_at - loop.time())
            try:
                yield
            finally:
                gate.opens_at = loop.time() + self._pause_s
