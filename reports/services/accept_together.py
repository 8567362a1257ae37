"""`accept` for many threads at once: whoever may write takes along what the others wait with."""

from __future__ import annotations

import threading
from collections import deque
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
        try:
            # Durable: inside somebody's transaction, others' reports would hang on its fate.
            with transaction.atomic(durable=True):
                receipts = add_receipts([(one.received, one.provenance) for one in batch])
        except DatabaseError as error:
            if len(batch) == 1:
                batch[0].error = error
            else:
                for one in batch:
                    self._write_batch([one])
        else:
            for one, receipt in zip(batch, receipts, strict=True):
                one.receipt = receipt


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
