"""Messages to a webhook of one's own, signed so that the receiver knows who sends them.

The body is JSON (docs/alerts.md). `X-TLSRPT-Signature: t=<Unix time>,v1=<hex>` holds the
HMAC-SHA256 of `<time>.<body>`; `Idempotency-Key` is the same for each attempt at one message.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import time
from functools import cache

import httpx2

from alerts.channels.answers import failure_of
from alerts.errors import DeliveryFailed
from alerts.messages import Message

TIMEOUT_S = 10.0
SIGNATURE = "X-TLSRPT-Signature"


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
        # The status decides. A receiver that has taken the message and then stalls in its answer's
        # body must not get it again, so the body is not waited for.
        with httpx2.stream(
            "POST",
            url,
            content=body,
            headers=headers,
            timeout=TIMEOUT_S,
            follow_redirects=False,
            verify=tls_context(),
        ) as response:
            status, retry_after = response.status_code, response.headers.get("Retry-After")
    except httpx2.InvalidURL:
        raise DeliveryFailed("The webhook's address is none.", is_permanent=True) from None
    except httpx2.HTTPError as error:
        # The error's text may hold the address, and the address a token.
        raise DeliveryFailed(
            f"The webhook could not be reached: {_in_words(error)}.", is_permanent=False
        ) from None
    failure = failure_of("The webhook", status, retry_after)
    if failure is not None:
        raise failure


def _in_words(error: httpx2.HTTPError) -> str:
    match error:
        case httpx2.TimeoutException():
            return f"no answer within {TIMEOUT_S:g} seconds"
        case httpx2.ConnectError():
            return "no connection. Look at host name, port, firewall and certificate"
    return f"the connection broke off ({type(error).__name__})"


@cache
def tls_context() -> ssl.SSLContext:
    """Give the process's one context: to read all trust anchors takes longer than to send."""
    return httpx2.create_ssl_context()


def sign(secret: str, body: bytes, at: int) -> str:
    """Give the signature header's value."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"
