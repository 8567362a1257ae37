"""Names and life time of a certificate, as senders check them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailtls.names import fold_name
from mailtls.observed import Certificate

# Certificates for 90 days are renewed with 30 left, so 21 left means that renewal is stuck.
_WARN_BEFORE = timedelta(days=21)


def is_name_valid(host: str, dns_names: Iterable[str]) -> bool:
    """Say whether a certificate's DNS-IDs name the host (RFC 6125 section 6.4).

    A wildcard counts only as the whole left-most label; the common name never counts
    (RFC 8461 section 4.2, RFC 9525 section 2).
    """
    wanted = fold_name(host)
    return any(_name_covers(fold_name(name), wanted) for name in dns_names)


def is_expired(certificate: Certificate, now: datetime) -> bool:
    """Say whether the certificate is past its end."""
    return certificate.not_after < now


def is_current(certificate: Certificate, now: datetime) -> bool:
    """Say whether `now` lies in the certificate's life time."""
    return certificate.not_before <= now <= certificate.not_after


def find_days_left(certificate: Certificate, now: datetime) -> int | None:
    """Give the full days left when renewal is overdue, or None while there is time.

    Overdue is 21 days before the end, and for short-lived certificates a third of their life.
    """
    left = certificate.not_after - now
    life = certificate.not_after - certificate.not_before
    if left < timedelta(0) or left > min(_WARN_BEFORE, life / 3):
        return None
    return left.days


def _name_covers(name: str, wanted: str) -> bool:
    if not name.startswith("*."):
        return name == wanted
    _, dot, parent = wanted.partition(".")
    return bool(dot) and "*" not in name[2:] and parent == name[2:]
