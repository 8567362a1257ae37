"""What a report says, in our own form: the wire form is read by `mailtls.report.parse`."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec


class PolicyType(StrEnum):
    """The policy a sender applied (RFC 8460 section 4.4); OTHER for what the RFC does not know."""

    STS = "sts"
    TLSA = "tlsa"
    NO_POLICY_FOUND = "no-policy-found"
    OTHER = "other"


# I-JSON (RFC 7493 section 2.2): integers beyond this do not survive every decoder.
MAX_COUNT = 2**53 - 1

# IANA "STARTTLS Validation Result Types" (RFC 8460 sections 4.3 and 6.6).
RESULT_TYPES = frozenset(
    {
        "starttls-not-supported",
        "certificate-host-mismatch",
        "certificate-expired",
        "certificate-not-trusted",
        "validation-failure",
        "tlsa-invalid",
        "dnssec-invalid",
        "dane-required",
        "sts-policy-fetch-error",
        "sts-policy-invalid",
        "sts-webpki-invalid",
    }
)


class FailureDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One cause of failed sessions. Texts are empty and the count is None where left out."""

    result_type: str  # lower case; see RESULT_TYPES for the registered ones
    result_type_raw: str
    failed_sessions: int | None
    sending_mta_ip: str
    receiving_mx_hostname: str
    receiving_mx_helo: str
    receiving_ip: str
    additional_information: str
    failure_reason_code: str


class PolicyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What happened under one policy. Counts are None where the report leaves them out."""

    policy_type: PolicyType
    policy_type_raw: str
    policy_domain: str  # A-labels, lower case; empty when unknown
    policy_strings: tuple[str, ...]
    mx_hosts: tuple[str, ...]
    successes: int | None
    failures: int | None
    details: tuple[FailureDetail, ...]

    @property
    def failures_in_details(self) -> int:
        """Add up the details; may be above or below `failures` (RFC 8460 section 4)."""
        return min(sum(detail.failed_sessions or 0 for detail in self.details), MAX_COUNT)

    @property
    def failed_sessions(self) -> int:
        """Give the failures that count: the summary's total, else what the details add up to."""
        return self.failures_in_details if self.failures is None else self.failures

    @property
    def sessions(self) -> int:
        """Give successes and failures together."""
        return (self.successes or 0) + self.failed_sessions


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One aggregate report. Times are UTC; its day is the day it starts on."""

    organization_name: str
    report_id: str
    contact_info: str
    submitter: str  # as the envelope names it, else the domain of contact_info; may be empty
    # Who sent it by the body alone, so that one report has one identity on every channel.
    identity_submitter: str
    start_at: dt.datetime
    end_at: dt.datetime
    policies: tuple[PolicyResult, ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """Give the key under which another document claims to be this report.

        The report-id alone is not unique: every Postfix site that reports on a domain uses the
        same one for a day. Empty when the sender is unknown, as nothing can be told apart then.
        """
        if not self.identity_submitter:
            return ()
        domains = sorted({policy.policy_domain for policy in self.policies})
        return (
            self.identity_submitter,
            self.organization_name,
            self.report_id,
            self.start_at.isoformat(),
            self.end_at.isoformat(),
            *domains,
        )
