"""Messages to a webhook of one's own, signed so that the receiver knows who sends them.

The body is JSON (docs/alerts.md). `X-TLSRPT-Signature: t=<Unix time>,v1=<hex>` holds the
HMAC-SHA256 of `<time>.<body>`; `Idempotency-Key` is the same for each attempt at one message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from alerts.errors import DeliveryFailed
from alerts.messages import Message

TIMEOUT_S = 10.0
# A receiver that asks for a longer pause is asked again after this one.
MOST_RETRY_AFTER_S = 24 * 3600
SIGNATURE = "X-TLSRPT-Signature"
# Trying again helps: the receiver is busy, or somebody is working on it.
_PASSING = frozenset({408, 409, 421, 423, 425, 429})


def send_webhook(url: str, secret: str, message: Message) -> None:
    """Post one message, or raise DeliveryFailed. Redirects are not followed."""
    body = json.dumps(message.payload, ensure_ascii=False, default=str).encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "tlsrpt-portal",
        "Idempotency-Key": message.key,
    }
    if secret:
        headers[SIGNATURE] = sign(secret, body, int(time.time()))
    try:
        response = httpx2.post(
            url, content=body, headers=headers, timeout=TIMEOUT_S, follow_redirects=False
        )
    except httpx2.InvalidURL:
        raise DeliveryFailed("The webhook's address is none.", is_permanent=True) from None
    except httpx2.HTTPError as error:
        # The error's text may hold the address, and the address a token.
        raise DeliveryFailed(
            f"The webhook could not be reached: {type(error).__name__}.", is_permanent=False
        ) from None
    if response.is_success:
        return
    code = response.status_code
    raise DeliveryFailed(
        f"The webhook answered {code}.",
        is_permanent=300 <= code < 500 and code not in _PASSING,
        retry_after_s=read_retry_after(response.headers.get("Retry-After"), datetime.now(UTC)),
    )


def sign(secret: str, body: bytes, at: int) -> str:
    """Give the signature header's value."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def read_retry_after(value: str | None, now: datetime) -> int | None:
    """Read a Retry-After header in seconds or as a date (RFC 9110 section 10.2.3)."""
    if value is None:
        return None
    text = value.strip()
    if text.isdigit():
        return min(int(text[:9]), MOST_RETRY_AFTER_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0, min(int((moment - now).total_seconds()), MOST_RETRY_AFTER_S))
