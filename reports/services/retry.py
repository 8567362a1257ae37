"""Reads again what could not be read or was held back: one, some or all of the quarantine."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import access, audit
from accounts.models import User
from accounts.roles import Role
from reports.held_back import may_count_from
from reports.models import Outcome, Receipt


@transaction.atomic
def retry(receipts: QuerySet[Receipt], user: User) -> int:
    """Put rejected receipts among these back in line; give how many.

    What was held back counts now: the person has seen it. What is about days that are still to
    come is left alone. Raises PermissionDenied unless the person is analyst for the team of each
    one's intake.
    """
    rejected = receipts.filter(outcome=Outcome.REJECTED, raw__isnull=False)
    now = timezone.now()
    found = rejected.select_related("intake__team")
    chosen = [receipt for receipt in found if may_count_from(receipt) <= now]
    for team in {receipt.intake.team if receipt.intake else None for receipt in chosen}:
        access.require(user, Role.ANALYST, team)
    for receipt in chosen:
        verb = "released" if receipt.is_held_back else "retried"
        audit.record(verb, receipt, before={"code": receipt.code})
    held_back = [receipt.pk for receipt in chosen if receipt.is_held_back]
    Receipt.objects.filter(pk__in=held_back).update(is_released=True)
    return Receipt.objects.filter(pk__in=[receipt.pk for receipt in chosen]).update(
        outcome=Outcome.PENDING, code="", params={}, processed_at=None, claimed_at=None, attempts=0
    )
