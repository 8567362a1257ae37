"""Reports and mails of our own making, each the shape of something a sender really does."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from typing import Any

START = "2026-03-10T00:00:00Z"
END = "2026-03-10T23:59:59Z"
FILE_NAME = "sender.example!recipient.example!1773100800!1773187199!1.json.gz"

DETAIL = {
    "result-type": "certificate-expired",
    "sending-mta-ip": "192.0.2.10",
    "receiving-mx-hostname": "mx1.recipient.example",
    "receiving-ip": "198.51.100.25",
    "failed-session-count": 2,
}


def policy_entry(
    kind: str = "sts", domain: str | None = "recipient.example", **changes: Any
) -> Any:
    """Give one entry of `policies`; `good`, `bad`, `details` and policy members can be given."""
    good, bad = changes.pop("good", 40), changes.pop("bad", 2)
    details = changes.pop("details", [DETAIL])
    policy = {"policy-type": kind, "policy-domain": domain, **changes}
    summary = {"total-successful-session-count": good, "total-failure-session-count": bad}
    entry = {
        "policy": {key: value for key, value in policy.items() if value is not None},
        "summary": {key: value for key, value in summary.items() if value is not None},
    }
    return entry if details is None else {**entry, "failure-details": details}


def report(**changes: Any) -> dict[str, Any]:
    """Give a conforming report; a change to None takes the member away (`x_y` means "x-y")."""
    body: dict[str, Any] = {
        "organization-name": "Example Sender",
        "date-range": {"start-datetime": START, "end-datetime": END},
        "contact-info": "tlsrpt@sender.example",
        "report-id": "2026-03-10T00:00:00Z_recipient.example",
        "policies": [policy_entry()],
    }
    for name, value in changes.items():
        key = name.replace("_", "-")
        if value is None:
            body.pop(key)
        else:
            body[key] = value
    return copy.deepcopy(body)


def text(**changes: Any) -> bytes:
    """Give the JSON text of `report(**changes)`."""
    return json.dumps(report(**changes)).encode()


def zipped(content: bytes) -> bytes:
    """Compress the same way each time."""
    return gzip.compress(content, mtime=0)


def mail(
    content: bytes,
    *,
    media_type: str = "application/tlsrpt+gzip",
    file_name: str = FILE_NAME,
    headers: str | None = None,
    container: str = 'multipart/report; report-type="tlsrpt"',
) -> bytes:
    """Give a report mail as RFC 8460 section 5.3 wants it, but for what is changed."""
    if headers is None:
        headers = (
            "TLS-Report-Domain: recipient.example\r\nTLS-Report-Submitter: sender.example\r\n"
            "Subject: Report Domain: recipient.example Submitter: sender.example"
            " Report-ID: <1.recipient.example@sender.example>\r\n"
        )
    return (
        "From: tlsrpt@sender.example\r\nTo: <tls@portal.example>\r\n"
        "Date: Wed, 11 Mar 2026 03:04:05 +0000\r\nMessage-ID: <1@sender.example>\r\n"
        f"{headers}MIME-Version: 1.0\r\n"
        f'Content-Type: {container}; boundary="b1"\r\n\r\n'
        "--b1\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nA TLS report.\r\n"
        f"--b1\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{file_name}"\r\n\r\n'
        f"{base64.encodebytes(content).decode()}\r\n--b1--\r\n"
    ).encode()
