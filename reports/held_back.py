"""Which reports wait for a person's word instead of counting, and why; pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailtls.findings import Param, Severity
from mailtls.report import Report
from mailtls.report.notes import HELD_BACK, IN_FUTURE
from reports.models import Channel, Receipt, Trust
from reports.reading import Note
from reports.trust import RequiredTrust, is_enough

# No time zone is further ahead of UTC, and some senders write local time as if it were UTC.
MOST_AHEAD = timedelta(hours=14)


def find_reason(
    report: Report, receipt: Receipt, trust: Trust, required: RequiredTrust, now: datetime
) -> Note | None:
    """Find why a report is not to count, None when it is.

    When a report arrived decides whether its days had come, so reading it again says the same.
    What a person has let count is judged by `now`, and for want of trust no longer.
    """
    if report.start_at > (now if receipt.is_released else receipt.received_at) + MOST_AHEAD:
        return _note(IN_FUTURE, start=f"{report.start_at:%Y-%m-%d %H:%M}Z")
    if receipt.is_released or is_enough(trust, Channel(receipt.channel), required):
        return None
    return _note(HELD_BACK, trust=trust.value, required=required.value)


def may_count_from(receipt: Receipt) -> datetime:
    """Give when a person may let it count: its arrival, or the start of its range."""
    if receipt.code != IN_FUTURE:
        return receipt.received_at
    return datetime.fromisoformat(receipt.params["start"])


def _note(code: str, **params: Param) -> Note:
    return Note(code, Severity.ERROR.value, params)
