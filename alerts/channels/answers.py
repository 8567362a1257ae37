"""What an HTTP answer says about a message: taken, to be tried again and when, or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from alerts.errors import DeliveryFailed

# A receiver that asks for a longer pause is asked again after this one.
MOST_RETRY_AFTER_S = 24 * 3600
# Trying again helps: the receiver is busy, or somebody is working on it.
_PASSING = frozenset({408, 409, 421, 423, 425, 429})


def failure_of(who: str, status: int, retry_after: str | None) -> DeliveryFailed | None:
    """Give the failure an answer means; None where the message was taken (2xx)."""
    if 200 <= status < 300:
        return None
    return DeliveryFailed(
        f"{who} answered {status}.",
        is_permanent=300 <= status < 500 and status not in _PASSING,
        retry_after_s=read_retry_after(retry_after, datetime.now(UTC)),
    )


def read_retry_after(value: str | None, now: datetime) -> int | None:
    """Read a Retry-After header in seconds or as a date (RFC 9110 section 10.2.3).

    Some chat services give fractions of a second; a started second counts.
    """
    if value is None:
        return None
    text = value.strip()
    whole, _, fraction = text.partition(".")
    if whole.isdecimal() and (fraction.isdecimal() or not fraction):
        return min(int(whole[:9]) + bool(fraction.strip("0")), MOST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, min(int((moment - now).total_seconds()), MOST_RETRY_AFTER_S))
