"""`accept` for many threads at once: whoever may write takes along what the others wait with."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import DatabaseError, transaction

from reports.models import Receipt
from reports.services.accept import Provenance, Received, add_receipts, pack

_MOST_AT_ONCE = 64


@dataclass(slots=True, eq=False)
class _Waiting:
    received: Received
    provenance: Provenance
    receipt: Receipt | None = None
    error: DatabaseError | None = None


class _Writer:
    """Commits arrivals of several threads in one transaction, in the first one's thread."""

    def __init__(self) -> None:
        self._waiting: deque[_Waiting] = deque()
        self._writing = threading.Lock()

    def write(self, mine: _Waiting) -> None:
        self._waiting.append(mine)
        while mine.receipt is None and mine.error is None:
            with self._writing:
                if mine.receipt is None and mine.error is None:
                    most = min(len(self._waiting), _MOST_AT_ONCE)
                    self._write_batch([self._waiting.popleft() for _ in range(most)])

    def _write_batch(self, batch: list[_Waiting]) -> None:
        results = commit_together([(one.received, one.provenance) for one in batch])
        for one, (receipt, error) in zip(batch, results, strict=True):
            one.receipt, one.error = receipt, error


def commit_together(
    arrivals: Sequence[tuple[Received, Provenance]],
) -> list[tuple[Receipt | None, DatabaseError | None]]:
    """Store arrivals in one transaction; give for each its receipt, or why it was not stored."""
    try:
        # Durable: inside somebody's transaction, others' reports would hang on its fate.
        with transaction.atomic(durable=True):
            return [(receipt, None) for receipt in add_receipts(arrivals)]
    except DatabaseError as error:
        if len(arrivals) == 1:
            return [(None, error)]
    # One of them spoils the others.
    return [result for arrival in arrivals for result in commit_together([arrival])]


_writer = _Writer()


def accept_together(data: bytes, provenance: Provenance) -> Receipt:
    """Do what `accept` does, sharing the commit with other threads that wait for theirs.

    Raises `DatabaseError` when nothing could be stored.
    """
    mine = _Waiting(pack(data), provenance)
    _writer.write(mine)
    if mine.receipt is None:
        raise DatabaseError("not stored") from mine.error
    return mine.receipt
