"""How many questions a name server is given at a time."""

from __future__ import annotations

import asyncio

import pytest

from prober import dns_channel
from prober.dns_channel import Channel, Window


class SlowChannel(Channel):
    """Takes its time, and counts the questions that wait for it."""

    def __init__(self, takes_s: float) -> None:
        super().__init__()
        self.takes_s = takes_s
        self.waiting = self.most_waiting = 0

    async def ask(self, question: bytes, timeout_s: float) -> None:
        self.waiting += 1
        self.most_waiting = max(self.waiting, self.most_waiting)
        await asyncio.sleep(self.takes_s)
        self.waiting -= 1


async def test_a_name_server_gets_no_more_questions_than_it_can_take_in():
    channel, window = SlowChannel(0.005), Window(3)

    await asyncio.gather(*(window.ask(channel, b"", 1.0) for _ in range(20)))

    assert channel.most_waiting == 3


async def test_silence_about_one_name_does_not_block_the_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(dns_channel, "_HOLD_S", 0.01)
    silent, quick, window = SlowChannel(60), SlowChannel(0), Window(1)
    lost = asyncio.create_task(window.ask(silent, b"", 60))
    await asyncio.sleep(0)

    await asyncio.wait_for(window.ask(quick, b"", 1.0), timeout=1)

    assert silent.waiting == 1
    lost.cancel()
