"""Wakes a worker for work that stands in the database."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge(task: str) -> None:
    """Run a task soon after the current transaction is committed.

    Only saves waiting: each task is run by the beat as well and finds its work in the database, so
    a broker that is away is worth a line in the log and nothing more.
    """
    transaction.on_commit(lambda: _send(task))


def _send(task: str) -> None:
    try:
        current_app.send_task(task, retry=False)
    except FileNotFoundError:
        # The file queue is made by the first worker: nobody is there to be woken.
        logger.debug("no worker has run here yet, so none was woken for %s", task)
    except (OperationalError, OSError) as error:
        logger.warning("no worker was woken for %s, the next tick does it: %s", task, error)
