"""Reads files in batches, in other processes where there are many; pure, no Django."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import nullcontext

import msgspec

from mailtls.limits import Limits
from reports.reading import ReadArrival, read_arrival
from reports.sources import Item

_BATCH_ITEMS = 250
_BATCH_BYTES = 16_000_000


class ReadItem(msgspec.Struct, frozen=True):
    """One item as read; `arrival` is None where `problem` says why it could not be opened."""

    name: str
    arrival: ReadArrival | None
    problem: str


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += _size(item)
        if len(batch) >= _BATCH_ITEMS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(item: Item) -> int:
    if item.content is not None:
        return len(item.content)
    try:
        return item.path.stat().st_size
    except OSError:
        return 0  # reading it says what is wrong


def read_ahead(items: Iterable[Item], limits: Limits, processes: int) -> Iterator[list[ReadItem]]:
    """Yield items as read, in batches and in order.

    With `processes` above 1, others read while the caller works with what they have read. They
    are started for a second batch only.
    """
    batches = _batches(items)
    first = next(batches, None)
    if first is None:
        return
    yield _decode(_read_batch(first, limits))
    second = next(batches, None)
    if second is None:
        return
    with _pool(processes) as pool:
        pending: deque[Future[bytes] | list[Item]] = deque()
        batch: list[Item] | None = second
        while batch is not None or pending:
            while batch is not None and len(pending) <= processes:
                pending.append(pool.submit(_read_batch, batch, limits) if pool else batch)
                batch = next(batches, None)
            done = pending.popleft()
            yield _decode(done.result() if isinstance(done, Future) else _read_batch(done, limits))


def _pool(processes: int) -> Executor | nullcontext[None]:
    if processes <= 1:
        return nullcontext()
    # Spawned, not forked: a copy of an open database connection must not live in a child.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max_workers=processes, mp_context=context)


def _read_batch(items: list[Item], limits: Limits) -> bytes:
    """Read items, here or in another process, and encode what was read."""
    # One byte more than any limit shows that it is exceeded.
    most = max(limits.mail_bytes, limits.inflated_bytes)
    read = []
    for item in items:
        try:
            arrival = read_arrival(item.read(most), name=item.name, limits=limits)
        except OSError as error:
            read.append(ReadItem(item.name, None, error.strerror or type(error).__name__))
        else:
            read.append(ReadItem(item.name, arrival, ""))
    return msgspec.msgpack.encode(read)


def _decode(encoded: bytes) -> list[ReadItem]:
    return msgspec.msgpack.decode(encoded, type=list[ReadItem])
