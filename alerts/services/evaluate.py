"""Looks at what is known and opens, feeds and closes incidents."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from alerts.services.evaluate_rates import evaluate_rates
from alerts.services.store_incident import Outcome, end_quiet_times, remind_of_ends

__all__ = ["Outcome", "evaluate"]


def evaluate(now: datetime | None = None) -> Outcome:
    """Apply every active rule to the complete days (UTC) before `now` and to what checks saw."""
    now = now or timezone.now()
    outcome = Outcome()
    end_quiet_times(now)
    remind_of_ends(now)
    evaluate_rates(now, outcome)
    return outcome
