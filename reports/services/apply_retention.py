"""Lets go of received bytes, rows and daily figures, each by a clock of its own."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from reports.models import (
    DailyFailures,
    DailySessions,
    FailureDetail,
    PolicyResult,
    RawReport,
    Receipt,
    Report,
    ReportReceipt,
)
from reports.queries import first_kept_day
from reports.services import sums
from reports.services.roll_up import locked

logger = logging.getLogger(__name__)

_BATCH = 1_000


def apply_retention(*, dry_run: bool = False) -> dict[str, int]:
    """Delete what is older than KEEP_*_DAYS; give how much of each, deleting nothing when dry.

    Daily figures outlive the rows they were made from. What waits to be read is never deleted.
    """
    removed = {
        "received": _remove_received(dry_run=dry_run),
        "receipts": _remove_receipts(dry_run=dry_run),
        "reports": _remove_reports(dry_run=dry_run),
        "daily figures": _remove_daily_figures(dry_run=dry_run),
    }
    if not dry_run and any(removed.values()):
        logger.info("removed %s", ", ".join(f"{n} {what}" for what, n in removed.items()))
    return removed


def _remove_received(*, dry_run: bool) -> int:
    if not settings.KEEP_RAW_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.KEEP_RAW_DAYS)
    waiting = Receipt.objects.filter(processed_at=None).values("raw")
    old = RawReport.objects.filter(received_at__lt=before).exclude(pk__in=waiting)
    return _in_batches(old, _delete_received, dry_run=dry_run)


def _delete_received(ids: list[int]) -> None:
    Receipt.objects.filter(raw__in=ids).update(raw=None)
    RawReport.objects.filter(pk__in=ids).delete()


def _remove_receipts(*, dry_run: bool) -> int:
    if not settings.KEEP_REPORT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.KEEP_REPORT_DAYS)
    old = Receipt.objects.filter(received_at__lt=before).exclude(processed_at=None)
    return _in_batches(old, _delete_receipts, dry_run=dry_run)


def _delete_receipts(ids: list[int]) -> None:
    ReportReceipt.objects.filter(receipt__in=ids).delete()
    Report.objects.filter(first_receipt__in=ids).update(first_receipt=None)
    Receipt.objects.filter(pk__in=ids).delete()


def _remove_reports(*, dry_run: bool) -> int:
    if not settings.KEEP_REPORT_DAYS:
        return 0
    # By arrival, not by its day: an archive that was taken in today is kept as long as the rest.
    before = timezone.now() - timedelta(days=settings.KEEP_REPORT_DAYS)
    old = Report.objects.filter(received_at__lt=before, day__lt=first_kept_day())
    return _in_batches(old, _delete_reports, dry_run=dry_run)


def _delete_reports(ids: list[int]) -> None:
    # From the leaves up, each as one statement, instead of loading every row to follow it.
    FailureDetail.objects.filter(result__report__in=ids).delete()
    PolicyResult.objects.filter(report__in=ids).delete()
    ReportReceipt.objects.filter(report__in=ids).delete()
    Report.objects.filter(conflicts_with__in=ids).update(conflicts_with=None)
    Report.objects.filter(pk__in=ids).delete()


def _remove_daily_figures(*, dry_run: bool) -> int:
    if not settings.KEEP_ROLLUP_DAYS:
        return 0
    before = (timezone.now() - timedelta(days=settings.KEEP_ROLLUP_DAYS)).date()
    old = [
        model._default_manager.filter(day__lt=before) for model in (DailySessions, DailyFailures)
    ]
    if dry_run:
        return sum(rows.count() for rows in old)
    with locked() as cursor:
        sums.let_go(cursor, before)
        return sum(rows.delete()[0] for rows in old)


def _in_batches(old: QuerySet[Any], delete: Any, *, dry_run: bool) -> int:
    """Delete in small transactions, so that nobody waits long for the lock."""
    if dry_run:
        return old.count()
    removed = 0
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            delete(ids)
        removed += len(ids)
    return removed
