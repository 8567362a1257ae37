"""Reads again, once, what an older version of the reader could not read."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import QuerySet

from accounts import audit
from mailtls.report.notes import HELD_BACK, IN_FUTURE
from reports.models import Outcome, Receipt
from reports.reading import READER_VERSION
from reports.services.process import process

logger = logging.getLogger(__name__)

_MOST_AT_ONCE = 200


def reread() -> int:
    """Read a part of the quarantine again after an upgrade; give how many are read now.

    Each is read once by each version of the reader, and keeps what is said of it if that is the
    same as before.
    """
    chosen = _put_back()
    if not chosen:
        return 0
    process()
    after = Receipt.objects.filter(pk__in=chosen)
    read = after.filter(outcome__in=(Outcome.ACCEPTED, Outcome.DUPLICATE)).order_by("pk")
    for receipt in read:
        audit.record(
            "read after an upgrade", receipt, after={"reader_version": receipt.reader_version}
        )
    logger.info(
        "reader version %d read %d of %d documents again that could not be read before",
        READER_VERSION,
        len(read),
        len(chosen),
    )
    return len(read)


def _put_back() -> list[int]:
    with transaction.atomic():
        chosen = list(
            _outdated().order_by("reader_version").values_list("pk", flat=True)[:_MOST_AT_ONCE]
        )
        Receipt.objects.filter(pk__in=chosen, outcome=Outcome.REJECTED).update(
            outcome=Outcome.PENDING,
            code="",
            params={},
            processed_at=None,
            claimed_at=None,
            attempts=0,
        )
    return chosen


def _outdated() -> QuerySet[Receipt]:
    rejected = Receipt.objects.filter(outcome=Outcome.REJECTED, raw__isnull=False)
    return rejected.filter(reader_version__lt=READER_VERSION).exclude(
        code__in=(HELD_BACK, IN_FUTURE)
    )
