"""Takes in what is on disk: read, stored and rolled up here and now, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import transaction

from reports.models import Channel, Outcome, Receipt, Report
from reports.read_ahead import ReadItem, read_ahead
from reports.reading import ReadArrival
from reports.services.accept import Provenance, Received, add_receipts
from reports.services.process import current_limits
from reports.services.roll_up import roll_up
from reports.services.store import ReadReceipt, Stored, store
from reports.sources import Item

_ROLL_UP_EVERY = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What became of the documents in one file, or of one mail of an mbox."""

    name: str
    documents: list[Stored]
    problem: str = ""  # why the file could not be opened


def ingest(
    items: Iterable[Item], *, dry_run: bool = False, processes: int = 1
) -> Iterator[Ingested]:
    """Store what items hold and yield what became of each, in order.

    Each batch is one transaction, so a run that was killed is simply started again: what is
    there already comes back as a duplicate. With `processes` above 1, others read while this
    one writes.
    """
    limits = current_limits()
    seen: set[str] = set()
    for number, batch in enumerate(read_ahead(items, limits, processes), start=1):
        yield from (_judge(batch, seen) if dry_run else _store(batch))
        if not dry_run and number % _ROLL_UP_EVERY == 0:
            roll_up()
    if not dry_run:
        roll_up()


def _store(batch: list[ReadItem]) -> Iterator[Ingested]:
    arrivals = [(item, item.arrival) for item in batch if item.arrival is not None]
    with transaction.atomic():
        receipts = add_receipts(
            [(_received(arrival), _provenance(item.name)) for item, arrival in arrivals]
        )
        stored = store(
            [
                ReadReceipt(receipt=receipt, documents=arrival.documents)
                for receipt, (_, arrival) in zip(receipts, arrivals, strict=True)
            ]
        )
    by_name = iter(stored)
    for item in batch:
        documents = next(by_name) if item.arrival is not None else []
        yield Ingested(name=item.name, documents=documents, problem=item.problem)


def _received(arrival: ReadArrival) -> Received:
    return Received(
        sha256=arrival.sha256, compressed=arrival.compressed, size_bytes=arrival.size_bytes
    )


def _provenance(name: str) -> Provenance:
    return Provenance(channel=Channel.COMMAND, file_name=name[-500:])


def _judge(batch: list[ReadItem], seen: set[str]) -> Iterator[Ingested]:
    """Say what storing would do, storing nothing."""
    digests = {
        document.sha256
        for item in batch
        if item.arrival is not None
        for document in item.arrival.documents
        if document.report is not None
    }
    known = Report.objects.filter(content_sha256__in=digests)
    seen.update(known.values_list("content_sha256", flat=True))
    for item in batch:
        documents = []
        if item.arrival is not None:
            read = ReadReceipt(
                receipt=Receipt(channel=Channel.COMMAND), documents=item.arrival.documents
            )
            for document in read.documents:
                reason = document.reason
                if document.is_not_a_report:
                    outcome = Outcome.NOT_A_REPORT
                elif document.report is None:
                    outcome = Outcome.REJECTED
                elif document.sha256 not in seen and (why := read.why_held_back(document.report)):
                    outcome, reason = Outcome.REJECTED, why
                else:
                    is_known = document.sha256 in seen
                    outcome = Outcome.DUPLICATE if is_known else Outcome.ACCEPTED
                    seen.add(document.sha256)
                documents.append(
                    Stored(document=document, outcome=outcome, trust=read.trust, reason=reason)
                )
        yield Ingested(name=item.name, documents=documents, problem=item.problem)
