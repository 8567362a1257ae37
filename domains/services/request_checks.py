"""Asks for checks now."""

from __future__ import annotations

from django.utils import timezone

from domains.models import Domain, DomainQuerySet
from webui.background import nudge


def request_checks(domains: DomainQuerySet) -> int:
    """Make the watched ones among these domains due now; give how many. A worker starts at once.

    The rows are the request: should the message to the worker be lost, the next tick finds them.
    """
    # Through the primary keys: an ordered or joined queryset cannot be updated as it is.
    due = Domain.objects.filter(pk__in=domains.order_by().values("pk"), is_active=True)
    count = due.update(next_check_at=timezone.now(), claimed_at=None)
    if count:
        nudge("domains.tasks.dispatch_due_checks")
    return count
