"""Asks for checks now."""

from __future__ import annotations

from celery import current_app
from django.db import transaction
from django.utils import timezone

from domains.models import Domain, DomainQuerySet


def request_checks(domains: DomainQuerySet) -> int:
    """Make the watched ones among these domains due now; give how many. A worker starts at once.

    The rows are the request: should the message to the worker be lost, the next tick finds them.
    """
    # Through the primary keys: an ordered or joined queryset cannot be updated as it is.
    due = Domain.objects.filter(pk__in=domains.order_by().values("pk"), is_active=True)
    count = due.update(next_check_at=timezone.now(), claimed_at=None)
    if count:
        # By name: tasks stand above services. `robust`: without a broker the tick does it.
        transaction.on_commit(
            lambda: current_app.send_task("domains.tasks.dispatch_due_checks"), robust=True
        )
    return count
