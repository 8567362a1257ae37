"""Reads what has arrived: claimed in batches, stored in one transaction each, repeatable."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from mailtls.limits import MIB, Limits
from mailtls.report.notes import BYTES_GONE, GAVE_UP
from reports.models import Channel, Outcome, Receipt
from reports.reading import READER_VERSION, read_documents
from reports.services.find_signer import find_signer
from reports.services.roll_up import roll_up
from reports.services.store import ReadReceipt, store

logger = logging.getLogger(__name__)

# A claim older than this belongs to a worker that was killed. Two workers on one receipt do no
# harm (see store), so this can be short.
CLAIM_LASTS = timedelta(seconds=60)
BATCH_RECEIPTS = 200
BATCH_BYTES = 16 * MIB
# After so many tries that ended without a result, the bytes are what kills the worker.
MAX_ATTEMPTS = 5


@dataclass(slots=True)
class Processed:
    """What was done: receipts, and documents by outcome."""

    receipts: int = 0
    documents: Counter[Outcome] = field(default_factory=Counter)


def current_limits() -> Limits:
    """Give the ceilings that the operator has set."""
    received = settings.INTAKE_MAX_MEGABYTES * MIB
    return Limits(
        report_bytes=received,
        mail_bytes=mail_bytes(received),
        inflated_bytes=settings.REPORT_MAX_MEGABYTES * MIB,
    )


def mail_bytes(report_bytes: int) -> int:
    """Give the size of a mail around a report: base64 adds a third, headers come on top."""
    return report_bytes * 3 // 2


def process(*, max_s: float = 60.0) -> Processed:
    """Read what is waiting, for about `max_s` seconds at most, and roll up."""
    total = Processed()
    started = time.monotonic()
    while time.monotonic() - started < max_s:
        receipts = _claim()
        if not receipts:
            break
        _process_batch(receipts, total)
    roll_up()
    if total.receipts:
        took_s = time.monotonic() - started
        logger.info(
            "read %d receipts in %.1f s: %s",
            total.receipts,
            took_s,
            ", ".join(f"{count} {outcome}" for outcome, count in total.documents.items()),
        )
    return total


def _claim() -> list[Receipt]:
    """Take receipts that nobody works on, oldest first, up to the size of a batch."""
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - CLAIM_LASTS)
    with transaction.atomic():
        waiting = Receipt.objects.filter(free, processed_at=None).order_by("received_at", "pk")
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True, of=("self",))
        sizes = list(waiting.values_list("pk", "raw__size_bytes", "attempts")[:BATCH_RECEIPTS])
        chosen = _fit(sizes)
        Receipt.objects.filter(pk__in=chosen).update(claimed_at=now, attempts=F("attempts") + 1)
    return list(Receipt.objects.filter(pk__in=chosen).select_related("raw").order_by("pk"))


def _fit(sizes: Sequence[tuple[int, int | None, int]]) -> list[int]:
    """Choose what fits in memory. What was tried before is tried alone: it may be the poison."""
    chosen: list[int] = []
    total = 0
    for pk, size, attempts in sizes:
        total += size or 0
        if chosen and (attempts or total > BATCH_BYTES):
            break
        chosen.append(pk)
        if attempts:
            break
    return chosen


def _process_batch(receipts: list[Receipt], total: Processed) -> None:
    poisoned = [receipt for receipt in receipts if receipt.attempts > MAX_ATTEMPTS]
    for receipt in poisoned:
        logger.error("receipt %s was tried %d times; put aside", receipt.pk, MAX_ATTEMPTS)
        _put_aside(receipt, GAVE_UP)
    readable = [receipt for receipt in receipts if receipt.attempts <= MAX_ATTEMPTS]
    limits = current_limits()
    read = []
    for receipt in readable:
        if receipt.raw is None:
            _put_aside(receipt, BYTES_GONE)
            continue
        content = receipt.raw.content
        documents = read_documents(content, name=receipt.file_name, limits=limits)
        # Files are not asked for: keys of old mail are gone, and an archive would ask for all.
        is_fresh_mail = receipt.channel in (Channel.SMTP, Channel.IMAP)
        signed_by = find_signer(content, documents) if is_fresh_mail else ""
        read.append(ReadReceipt(receipt=receipt, documents=documents, signed_by=signed_by))
    for stored in store(read):
        total.documents.update(one.outcome for one in stored)
    total.receipts += len(receipts)


def _put_aside(receipt: Receipt, code: str) -> None:
    Receipt.objects.filter(pk=receipt.pk, processed_at=None).update(
        outcome=Outcome.REJECTED,
        code=code,
        processed_at=timezone.now(),
        claimed_at=None,
        reader_version=READER_VERSION,
    )
