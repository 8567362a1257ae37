"""Names for the background work of alerts."""

from __future__ import annotations

import logging

from celery import shared_task

from alerts.services.deliver import deliver_due
from alerts.services.evaluate import evaluate_changes

logger = logging.getLogger(__name__)


@shared_task
def evaluate() -> None:
    """Apply the rules to what is new, and to everything on a new day."""
    found = evaluate_changes()
    logger.info(
        "evaluated alerts: %s opened, %s came back, %s resolved",
        found.opened,
        found.returned,
        found.resolved,
    )


@shared_task
def deliver() -> None:
    """Send what waits in the outbox."""
    found = deliver_due()
    if found.delivered or found.postponed or found.failed:
        logger.info(
            "delivered %s messages, %s postponed, %s given up",
            found.delivered,
            found.postponed,
            found.failed,
        )
