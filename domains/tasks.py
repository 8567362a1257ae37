"""Names for the background work of checks."""

from __future__ import annotations

from celery import shared_task

from domains.services import import_jobs
from domains.services import run_checks as checks


@shared_task
def dispatch_due_checks() -> None:
    """Claim what is due and hand it to workers in batches."""
    ids = checks.claim_due()
    for start in range(0, len(ids), checks.BATCH):
        run_checks.delay(ids[start : start + checks.BATCH])


@shared_task
def run_checks(ids: list[int]) -> None:
    """Check these domains."""
    checks.run_checks(ids)


@shared_task
def work_on_imports() -> None:
    """Go on with imports that are not finished."""
    import_jobs.work_on_imports()
