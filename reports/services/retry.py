"""Reads again what could not be read or was held back: one, some or all of the quarantine."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from accounts import access, audit
from accounts.models import User
from accounts.roles import Role
from mailtls.report.notes import HELD_BACK
from reports.models import Outcome, Receipt


@transaction.atomic
def retry(receipts: QuerySet[Receipt], user: User) -> int:
    """Put rejected receipts among these back in line; give how many.

    What was held back for want of trust counts now: the person has seen it. Raises
    PermissionDenied unless the person is analyst for the team of each one's intake.
    """
    rejected = receipts.filter(outcome=Outcome.REJECTED, raw__isnull=False)
    chosen = list(rejected.select_related("intake__team"))
    for team in {receipt.intake.team if receipt.intake else None for receipt in chosen}:
        access.require(user, Role.ANALYST, team)
    for receipt in chosen:
        verb = "released" if receipt.code == HELD_BACK else "retried"
        audit.record(verb, receipt, before={"code": receipt.code})
    held_back = [receipt.pk for receipt in chosen if receipt.code == HELD_BACK]
    Receipt.objects.filter(pk__in=held_back).update(is_released=True)
    return Receipt.objects.filter(pk__in=[receipt.pk for receipt in chosen]).update(
        outcome=Outcome.PENDING, code="", params={}, processed_at=None, claimed_at=None, attempts=0
    )
