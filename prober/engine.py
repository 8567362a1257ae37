"""Checks many domains: bounded, streaming, and without an exception for what the world does."""

from __future__ import annotations

import asyncio
import queue
import threading
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Final

from mailtls.observed import Observed
from prober.check import Checker
from prober.options import Options, Request
from prober.resolver import Resolver

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
with suppress(ImportError):  # uvloop does not exist for every platform
    from uvloop import new_event_loop

_DONE: Final = object()
# Results that wait for a slow reader; a full queue holds the sweep back.
_QUEUE_SIZE = 256


async def check_many(
    requests: Iterable[Request], options: Options
) -> AsyncGenerator[Observed, None]:
    """Give one observation per request, in the order in which they are done.

    Requests are taken one by one as there is room, so an iterable of any length will do. What
    goes wrong in a check stands in its observation. Closing the generator ends all checks.
    """
    async with Resolver(options.nameservers, options.dns_timeouts_s) as resolver:
        checker = Checker(resolver, options)
        source = iter(requests)
        results: asyncio.Queue[Observed | object] = asyncio.Queue(_QUEUE_SIZE)

        async def work() -> None:
            for request in source:
                await results.put(await checker.check(request))

        async def run() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(max(1, options.concurrency)):
                        group.create_task(work())
            finally:
                await results.put(_DONE)

        runner = asyncio.create_task(run())
        try:
            while isinstance(result := await results.get(), Observed):
                yield result
            await runner
        finally:
            runner.cancel()
            await _settle(runner, results)
            await checker.close()


async def _settle(runner: asyncio.Task[None], results: asyncio.Queue[Observed | object]) -> None:
    """Wait until a cancelled sweep has ended, making room for what it still wants to say."""
    while not runner.done():
        while not results.empty():
            results.get_nowait()
        await asyncio.sleep(0)
    await asyncio.gather(runner, return_exceptions=True)


def run_checks(requests: Iterable[Request], options: Options) -> Iterator[Observed]:
    """Give the observations of `check_many` to code without an event loop.

    The loop runs in a thread of its own, so that a reader that is busy with a database does not
    let questions in flight time out. Closing the generator ends all checks.
    """
    results: queue.SimpleQueue[Observed | object] = queue.SimpleQueue()
    sweep = _Sweep(requests, options, results.put)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prober") as pool:
        ended = pool.submit(sweep.run)
        try:
            while isinstance(result := results.get(), Observed):
                sweep.acknowledge()
                yield result
            ended.result()
        finally:
            sweep.stop()


class _Sweep:
    """A sweep in a thread: hands out results, but no more at a time than are taken."""

    def __init__(
        self,
        requests: Iterable[Request],
        options: Options,
        put: Callable[[Observed | object], None],
    ) -> None:
        self._requests = requests
        self._options = options
        self._put = put
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Semaphore | None = None

    def run(self) -> None:
        """Run the sweep to its end; the last thing handed out says that it ended."""
        try:
            with asyncio.Runner(loop_factory=new_event_loop) as runner, suppress(CancelledError):
                runner.run(self._stream())
        finally:
            self._started.set()
            self._put(_DONE)

    async def _stream(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._room = asyncio.Semaphore(_QUEUE_SIZE)
        self._started.set()
        async with aclosing(check_many(self._requests, self._options)) as observations:
            async for observed in observations:
                await self._room.acquire()
                self._put(observed)

    def acknowledge(self) -> None:
        """Make room for one more result."""
        if self._room is not None:
            self._call(self._room.release)

    def stop(self) -> None:
        """End the sweep if it still runs."""
        self._started.wait()
        if self._task is not None:
            self._call(self._task.cancel)

    def _call(self, function: Callable[[], object]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:
            # The loop is closed: the sweep has ended already.
            return
