"""Removes what has served its time: sent messages of the file queue, sessions, log-in attempts."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from domains.models import CheckRun
from domains.services.import_jobs import forget_old_imports

KEEP_CHECK_RUNS = timedelta(days=120)
KEEP_ATTEMPTS = timedelta(days=30)
KEEP_QUEUE_FILES_S = 3600


def keep_house() -> dict[str, int]:
    """Remove old rows and files; give how many of each."""
    now = timezone.now()
    return {
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "log-in attempts": AccessAttempt.objects.filter(
            attempt_time__lt=now - KEEP_ATTEMPTS
        ).delete()[0]
        + AccessLog.objects.filter(attempt_time__lt=now - KEEP_ATTEMPTS).delete()[0],
        "check runs": CheckRun.objects.filter(checked_at__lt=now - KEEP_CHECK_RUNS).delete()[0],
        "old imports": forget_old_imports(now),
        "queue files": purge_processed(settings.QUEUE_DIR / "processed"),
    }


def purge_processed(folder: Path, older_than_s: float = KEEP_QUEUE_FILES_S) -> int:
    """Delete the messages that Celery's file queue keeps after reading them."""
    if not folder.is_dir():
        return 0
    limit = time.time() - older_than_s
    removed = 0
    for file in folder.iterdir():
        if file.stat().st_mtime < limit:
            file.unlink(missing_ok=True)
            removed += 1
    return removed
