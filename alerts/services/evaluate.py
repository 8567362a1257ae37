"""Looks at what is known and opens, feeds and closes incidents."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Max
from django.utils import timezone

from alerts.models import Mark
from alerts.services.escalate import escalate
from alerts.services.evaluate_coverage import evaluate_coverage
from alerts.services.evaluate_posture import evaluate_posture
from alerts.services.evaluate_rates import evaluate_rates
from alerts.services.evaluate_silence import evaluate_silence
from alerts.services.store_incident import (
    Outcome,
    close_unseen,
    end_quiet_times,
    remind_of_ends,
)
from reports.models import DailySessions

__all__ = ["Outcome", "evaluate", "evaluate_changes"]


def evaluate(now: datetime | None = None) -> Outcome:
    """Apply every active rule to the complete days (UTC) before `now` and to what checks saw."""
    now = now or timezone.now()
    outcome = Outcome()
    newest = _newest_figures()
    close_unseen(now, outcome)
    end_quiet_times(now)
    remind_of_ends(now)
    evaluate_rates(now, outcome)
    evaluate_silence(now, outcome)
    evaluate_posture(now, outcome)
    evaluate_coverage(now, outcome)
    escalate(now)
    _set_mark(newest, now)
    return outcome


def evaluate_changes(now: datetime | None = None) -> Outcome:
    """Apply the rules to what is new since the last evaluation; to everything on a new day.

    Rolled-up figures are written anew, never changed, so what is new has a higher key.
    """
    now = now or timezone.now()
    mark = Mark.objects.filter(name=_MARK).first()
    if mark is None or mark.day != now.astimezone(UTC).date():
        return evaluate(now)
    outcome = Outcome()
    newest = _newest_figures()
    rows = DailySessions.objects.filter(pk__gt=mark.position, failures__gt=0)
    changed = set(rows.values_list("domain", flat=True).distinct())
    close_unseen(now, outcome)
    end_quiet_times(now)
    if newest > mark.position:
        evaluate_rates(now, outcome, changed)
    evaluate_posture(now, outcome)
    escalate(now)
    _set_mark(newest, now)
    return outcome


_MARK = "daily figures"


def _newest_figures() -> int:
    return DailySessions.objects.aggregate(newest=Max("pk"))["newest"] or 0


def _set_mark(position: int, now: datetime) -> None:
    day = now.astimezone(UTC).date()
    Mark.objects.update_or_create(name=_MARK, defaults={"position": position, "day": day})
