"""Celery: it carries work; what is to be done stands in the database."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals
from celery.schedules import crontab
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tlsrpt_portal.settings")

app = Celery("tlsrpt_portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Each tick finds what is due in the database, so a lost or doubled tick does no harm. `expires`
# keeps ticks from piling up while no worker runs.
TICKS = (
    ("heartbeat", "tlsrpt_portal.tasks.beat", 20.0, 20),
    ("checks", "domains.tasks.dispatch_due_checks", 15.0, 15),
    ("imports", "domains.tasks.work_on_imports", 15.0, 15),
    ("receipts", "reports.tasks.process_receipts", 5.0, 5),
    ("mailboxes", "reports.tasks.poll_mailboxes", 60.0, 60),
    ("rollups", "reports.tasks.roll_up", 30.0, 30),
    ("attribution", "reports.tasks.attribute_new_domains", 30.0, 30),
    ("alerts", "alerts.tasks.evaluate", 300.0, 300),
    ("deliveries", "alerts.tasks.deliver", 15.0, 15),
    ("retention", "reports.tasks.apply_retention", crontab(hour=2, minute=50), 3600),
    ("housekeeping", "tlsrpt_portal.tasks.keep_house", crontab(minute=20), 3600),
)
app.conf.beat_schedule = {
    name: {"task": task, "schedule": schedule, "options": {"expires": expires_s}}
    for name, task, schedule, expires_s in TICKS
}


@signals.setup_logging.connect
def _use_django_logging(**_kwargs: Any) -> None:
    """Keep Celery from replacing the logging that Django has set up."""


def make_queue_folders() -> None:
    """Make the folders of the file queue; with Redis there are none."""
    if not settings.REDIS_URL:
        for name in ("messages", "control", "processed"):
            (settings.QUEUE_DIR / name).mkdir(parents=True, exist_ok=True)


@signals.worker_init.connect
@signals.beat_init.connect
def _prepare(**_kwargs: Any) -> None:
    make_queue_folders()


@signals.worker_ready.connect
def _say_ready(**_kwargs: Any) -> None:
    from tlsrpt_portal.health import beat

    beat("worker")
