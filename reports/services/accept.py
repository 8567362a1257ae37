"""The one door: received bytes become rows before anybody gets an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from mailtls.findings import Param
from reports.bulk import give_ids, insert_rows
from reports.models import Channel, Outcome, RawReport, Receipt
from reports.reading import compress, digest

# PostgreSQL refuses both in text.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How something came in."""

    channel: Channel
    intake_id: int | None = None
    uploaded_by: User | None = None
    sender: str = ""
    recipient: str = ""
    file_name: str = ""
    received_at: datetime = field(default_factory=timezone.now)

    def receipt(self) -> Receipt:
        """Give an unsaved receipt that says so."""
        return Receipt(
            channel=self.channel,
            intake_id=self.intake_id,
            uploaded_by=self.uploaded_by,
            sender=_storable(self.sender, 320),
            recipient=_storable(self.recipient, 320),
            file_name=_storable(self.file_name, 500),
            received_at=self.received_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Bytes as they are stored: compressed, with the digest of what they were."""

    sha256: str
    compressed: bytes
    size_bytes: int


def accept(data: bytes, provenance: Provenance) -> Receipt:
    """Store received bytes with a receipt; they are durable when this returns.

    Reading them comes later (`reports.services.process`). The same bytes twice are one row with
    two receipts. Raises `DatabaseError` when nothing could be stored.
    """
    with transaction.atomic():
        [receipt] = add_receipts([(pack(data), provenance)])
    return receipt


def refuse(provenance: Provenance, code: str, **params: Param) -> Receipt:
    """Store a receipt for what was left where it is, so that people see it and why."""
    receipt = provenance.receipt()
    receipt.outcome, receipt.code, receipt.params = Outcome.REJECTED, code, params
    receipt.processed_at = provenance.received_at
    receipt.save(force_insert=True)
    return receipt


def pack(data: bytes) -> Received:
    """Give bytes in the form they are stored in."""
    return Received(sha256=digest(data), compressed=compress(data), size_bytes=len(data))


def add_receipts(arrivals: Sequence[tuple[Received, Provenance]]) -> list[Receipt]:
    """Store many arrivals inside the caller's transaction; give their receipts in order."""
    # Sorted, so that two writers with some of the same bytes meet them in the same order.
    by_digest = {received.sha256: (received, source) for received, source in arrivals}
    insert_rows(
        [
            RawReport(
                sha256=sha256,
                body=received.compressed,
                size_bytes=received.size_bytes,
                received_at=source.received_at,
            )
            for sha256, (received, source) in sorted(by_digest.items())
        ],
        ignore_conflicts=True,
    )
    raw_ids = dict(RawReport.objects.filter(sha256__in=by_digest).values_list("sha256", "pk"))
    receipts = [source.receipt() for _, source in arrivals]
    for receipt, (received, _) in zip(receipts, arrivals, strict=True):
        receipt.raw_id = raw_ids[received.sha256]
    give_ids(receipts)
    insert_rows(receipts)
    return receipts


def _storable(text: str, max_chars: int) -> str:
    return _UNSTORABLE.sub("", text)[:max_chars]
