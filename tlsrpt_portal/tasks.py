"""Names for the portal's own background work."""

from __future__ import annotations

import logging

from celery import shared_task

from tlsrpt_portal import health, housekeeping

logger = logging.getLogger(__name__)


@shared_task
def beat() -> None:
    """Note that beat sends and a worker works."""
    health.beat("worker")


@shared_task
def keep_house() -> None:
    """Remove what has served its time."""
    removed = housekeeping.keep_house()
    logger.info("kept house: %s", ", ".join(f"{n} {what}" for what, n in removed.items()))
