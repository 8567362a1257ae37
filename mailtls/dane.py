"""TLSA records for SMTP: which are usable, and which match a server's chain.

RFC 6698 section 2.1, RFC 7671, RFC 7672 section 3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailtls.certificates import is_current, is_name_valid
from mailtls.findings import Finding, error, info, warning
from mailtls.observed import Certificate, TlsaRecord

DANE_TA = 2
DANE_EE = 3
_DIGEST_HEX_CHARS = {1: 64, 2: 128}


class MatchFault(StrEnum):
    """Why no TLSA record lets a sender trust the server."""

    NO_MATCH = "no-match"
    TA_NOT_SENT = "ta-not-sent"
    TA_NAME = "ta-name"
    TA_EXPIRED = "ta-expired"
    TA_CHAIN = "ta-chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The record that lets a sender trust the server, or the fault that comes nearest to it."""

    record: TlsaRecord | None = None
    fault: MatchFault | None = None


def present(record: TlsaRecord) -> str:
    """Give the record as zone files write it."""
    return f"{record.usage} {record.selector} {record.matching_type} {record.data}"


def judge_record(record: TlsaRecord, mx: str) -> tuple[bool, tuple[Finding, ...]]:
    """Say whether a sender can use the record for SMTP, and what there is to say about it."""
    shown = present(record)[:80]
    if record.usage in (0, 1):
        # RFC 7672 section 3.1.3: not for SMTP; clients may treat them as unusable, and do.
        return False, (warning("dane.tlsa.usage", mx=mx, record=shown),)
    if record.usage > DANE_EE or record.selector > 1 or record.matching_type > 2:
        return False, (warning("dane.tlsa.unknown-parameter", mx=mx, record=shown),)
    if record.matching_type == 0:
        if not record.data:
            return False, (error("dane.tlsa.malformed", mx=mx, record=shown),)
        return True, (warning("dane.tlsa.full-data", mx=mx, record=shown),)
    if len(record.data) != _DIGEST_HEX_CHARS[record.matching_type]:
        return False, (error("dane.tlsa.malformed", mx=mx, record=shown),)
    if (record.selector, record.matching_type) != (1, 1):
        return True, (info("dane.tlsa.not-recommended", mx=mx, record=shown),)
    return True, ()


def find_match(
    records: Sequence[TlsaRecord],
    chain: Sequence[Certificate],
    names: Sequence[str],
    now: datetime,
) -> Match:
    """Match usable records with a chain as sent, leaf first; one match is enough.

    `names` are the reference identifiers of RFC 7672 section 3.2.2: the MX host and the
    next-hop domain. They count for usage 2 only; usage 3 checks neither name nor dates.
    """
    faults = []
    for record in records:
        fault = _find_fault(record, chain, names, now)
        if fault is None:
            return Match(record=record)
        faults.append(fault)
    # The nearest miss: a trust anchor that was found says more than a digest that was not.
    nearest = (MatchFault.TA_NAME, MatchFault.TA_EXPIRED, MatchFault.TA_CHAIN, MatchFault.NO_MATCH)
    return Match(fault=next((f for f in nearest if f in faults), MatchFault.TA_NOT_SENT))


def _find_fault(
    record: TlsaRecord, chain: Sequence[Certificate], names: Sequence[str], now: datetime
) -> MatchFault | None:
    if record.usage == DANE_EE:
        return None if chain and _matches(record, chain[0]) else MatchFault.NO_MATCH
    depth = next((i for i, c in enumerate(chain) if i and _matches(record, c)), None)
    if depth is None:
        return MatchFault.TA_NOT_SENT
    path = chain[: depth + 1]
    if not all(certificate.is_signed_by_next for certificate in path[:-1]):
        return MatchFault.TA_CHAIN
    if not all(is_current(certificate, now) for certificate in path):
        return MatchFault.TA_EXPIRED
    if not any(is_name_valid(name, chain[0].dns_names) for name in names):
        return MatchFault.TA_NAME
    return None


def _matches(record: TlsaRecord, certificate: Certificate) -> bool:
    is_key = record.selector == 1
    if record.matching_type == 2:
        return record.data == (certificate.spki_sha512 if is_key else certificate.cert_sha512)
    digest = record.data
    if record.matching_type == 0:
        # Whole certificates are not kept; equal digests mean equal data.
        digest = hashlib.sha256(bytes.fromhex(record.data)).hexdigest()
    return digest == (certificate.spki_sha256 if is_key else certificate.cert_sha256)
