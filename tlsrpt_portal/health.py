"""Is the portal alive, ready, and how old is the work that waits?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from kombu.exceptions import OperationalError

from reports.models import Receipt
from tlsrpt_portal.celery import app
from tlsrpt_portal.models import Heartbeat

WORKER_SILENT_AFTER = timedelta(seconds=90)
OLDEST_RECEIPT = timedelta(minutes=15)

Check = Callable[[], tuple[bool, str]]


def beat(part: str) -> None:
    """Note that this part of the portal works now."""
    Heartbeat.objects.update_or_create(part=part, defaults={"at": timezone.now()})


def check_database() -> tuple[bool, str]:
    """Ask the database something."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True, connection.vendor


def check_broker() -> tuple[bool, str]:
    """Reach Redis, or find the queue's folder."""
    if not settings.REDIS_URL:
        folder = settings.QUEUE_DIR / "messages"
        return folder.is_dir(), "files" if folder.is_dir() else f"{folder} does not exist yet"
    try:
        with app.connection_for_write(connect_timeout=2) as broker:
            broker.ensure_connection(max_retries=1, timeout=2)
    except OperationalError as error:
        return False, f"no connection: {type(error).__name__}"
    return True, "redis"


def check_worker() -> tuple[bool, str]:
    """Look at the time of the last heartbeat that went through beat, broker and worker."""
    last = Heartbeat.objects.filter(part="worker").values_list("at", flat=True).first()
    if last is None:
        return False, "no heartbeat yet"
    age = timezone.now() - last
    return age < WORKER_SILENT_AFTER, f"last heartbeat {age.total_seconds():.0f} s ago"


def check_receipts() -> tuple[bool, str]:
    """Look at how long the oldest document has waited to be read."""
    waiting = Receipt.objects.filter(processed_at=None).order_by("received_at")
    oldest = waiting.values_list("received_at", flat=True).first()
    if oldest is None:
        return True, "nothing waits"
    age = timezone.now() - oldest
    return age < OLDEST_RECEIPT, f"the oldest has waited {age.total_seconds():.0f} s"


CHECKS: dict[str, Check] = {
    "database": check_database,
    "broker": check_broker,
    "worker": check_worker,
    "receipts": check_receipts,
}


def run_checks() -> dict[str, tuple[bool, str]]:
    """Give (works, words) for each part."""
    found: dict[str, tuple[bool, str]] = {}
    for name, check in CHECKS.items():
        try:
            found[name] = check()
        except DatabaseError as error:
            found[name] = (False, f"database: {type(error).__name__}")
    return found


@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process is alive; touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when every part works, else 503; the body says which does not."""
    found = run_checks()
    ready = all(works for works, _ in found.values())
    body = {name: {"ok": works, "detail": words} for name, (works, words) in found.items()}
    return JsonResponse({"ready": ready, "checks": body}, status=200 if ready else 503)
