"""Names for the background work with reports."""

from __future__ import annotations

from celery import shared_task

from reports.services import process as process_module
from reports.services import roll_up as roll_up_module


@shared_task
def process_receipts() -> None:
    """Read what has arrived."""
    process_module.process()


@shared_task
def roll_up() -> None:
    """Recompute daily figures that a killed worker has left behind."""
    roll_up_module.roll_up()
