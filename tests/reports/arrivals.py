"""Arrivals for tests: bytes through the front door and through everything behind it."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from domains.models import Domain
from reports.models import Channel, DailyFailures, DailySessions, Receipt
from reports.services.accept import Provenance, accept
from reports.services.process import process
from tests.mailtls.samples import report

DAY = date(2026, 3, 10)


def take_in(*contents: bytes | dict[str, Any], channel: Channel = Channel.HTTPS) -> list[Receipt]:
    """Accept and process; give the receipts as they ended."""
    receipts = [
        accept(
            content if isinstance(content, bytes) else json.dumps(content).encode(),
            Provenance(channel=channel),
        )
        for content in contents
    ]
    process()
    return [Receipt.objects.get(pk=receipt.pk) for receipt in receipts]


def inventory(*names: str) -> list[Domain]:
    """Put domains into the inventory."""
    return [Domain.objects.create(name=name) for name in names]


def numbered(number: int, **changes: Any) -> dict[str, Any]:
    """Give one of many different reports."""
    return report(report_id=f"report-{number}", **changes)


def daily_rows() -> tuple[list[Any], list[Any]]:
    """Give all daily figures in a form that can be compared."""
    sessions = DailySessions.objects.order_by("domain", "day", "reporter", "policy_type")
    failures = DailyFailures.objects.order_by(
        "domain", "day", "result_type", "receiving_mx", "reporter"
    )
    return (
        [tuple(row.values()) for row in _without_ids(sessions)],
        [tuple(row.values()) for row in _without_ids(failures)],
    )


def _without_ids(rows: Any) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "id"} for row in rows.values()]
