"""One commit for many threads."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection

from reports.models import Channel, RawReport, Receipt
from reports.services import accept_together as module
from reports.services.accept import Provenance
from reports.services.accept_together import accept_together

SOURCE = Provenance(channel=Channel.HTTPS)


@pytest.mark.django_db(transaction=True)
def test_threads_share_commits_and_each_has_its_own_receipt(monkeypatch):
    batches: list[int] = []
    add = module.add_receipts
    monkeypatch.setattr(
        module, "add_receipts", lambda arrivals: batches.append(len(arrivals)) or add(arrivals)
    )
    receipts: dict[int, int] = {}
    start = threading.Barrier(16)

    def send(number: int) -> None:
        start.wait()
        for count in range(10):
            receipt = accept_together(b"%d-%d" % (number, count), SOURCE)
            receipts[number * 10 + count] = receipt.pk
        connection.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(receipts.values())) == RawReport.objects.count() == 160
    assert sum(batches) == 160
    stored = Receipt.objects.select_related("raw").get(pk=receipts[37])
    assert stored.raw.content == b"3-7"


@pytest.mark.django_db
def test_what_cannot_be_stored_spoils_nothing_else(monkeypatch):
    add = module.add_receipts

    def picky(arrivals):
        if any(received.size_bytes == 3 for received, _ in arrivals):
            raise DatabaseError("no")
        return add(arrivals)

    monkeypatch.setattr(module, "add_receipts", picky)
    good = module._Waiting(module.pack(b"good"), SOURCE)
    bad = module._Waiting(module.pack(b"bad"), SOURCE)

    module._writer._write_batch([good, bad])

    assert good.receipt is not None
    assert isinstance(bad.error, DatabaseError)
    with pytest.raises(DatabaseError):
        accept_together(b"bad", SOURCE)
