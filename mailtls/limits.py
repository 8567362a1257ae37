"""Ceilings for everything that arrives from outside; readers name the one that was hit."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of each thing is read before the reader stops and says so."""

    # RFC 8460 section 5.2 expects receivers to take reports of about 10 MB as they are sent.
    report_bytes: int = 10 * MIB
    # Base64 makes a report of the permitted size a third larger, headers come on top.
    mail_bytes: int = 15 * MIB
    # One document after decompression: mox stops at the same figure.
    inflated_bytes: int = 20 * MIB
    # Everything that one arrival unpacks to, however many documents it holds.
    total_inflated_bytes: int = 64 * MIB

    archive_members: int = 100
    archive_depth: int = 2
    mime_depth: int = 10
    mime_parts: int = 200

    # Values as opposed to bytes: twenty megabytes of "[],[],[]" need half a gigabyte as objects.
    json_values: int = 1_000_000
    policies: int = 10_000
    failure_details: int = 100_000
    policy_lines: int = 200
    text_chars: int = 500
    reason_chars: int = 2_000


DEFAULT_LIMITS = Limits()
