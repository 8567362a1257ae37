"""Names for the background work with reports."""

from __future__ import annotations

from celery import shared_task

from reports.channels import imap
from reports.services import apply_retention as retention_module
from reports.services import attribute as attribute_module
from reports.services import process as process_module
from reports.services import reread as reread_module
from reports.services import roll_up as roll_up_module

# The next tick goes on; a worker that reads a backlog must come round to other work.
_READ_FOR_S = 20.0


@shared_task
def process_receipts() -> None:
    """Read what has arrived; after an upgrade, also what could not be read before."""
    process_module.process(max_s=_READ_FOR_S)
    reread_module.reread()


# A server that answers a byte at a time runs into no other limit.
@shared_task(soft_time_limit=240, time_limit=300)
def poll_mailboxes() -> None:
    """Fetch what is new in mailboxes."""
    imap.poll_mailboxes()


@shared_task
def roll_up() -> None:
    """Recompute daily figures that a killed worker has left behind."""
    roll_up_module.roll_up()


@shared_task
def attribute_new_domains() -> None:
    """Give results to domains that were added after their reports came."""
    attribute_module.attribute_new_domains()


@shared_task
def apply_retention() -> None:
    """Delete what has served its time."""
    retention_module.apply_retention()
