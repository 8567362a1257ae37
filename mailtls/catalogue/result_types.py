"""The result types of RFC 8460 section 4.3 in words a mail admin acts on, and vendors' reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Urgency(StrEnum):
    """What a result type does to mail."""

    CRITICAL = "critical"  # senders that enforce defer or bounce mail now
    HIGH = "high"  # mail is refused under enforce, or travels in clear
    MEDIUM = "medium"  # cached policies still hold; new senders are unprotected


class Concern(StrEnum):
    """What a session failed of, and so what becomes of its mail."""

    CONNECTION = "connection"  # the way to the MX: refused under enforce (RFC 8461 section 5)
    # The policy could not be read. A sender that holds an earlier one keeps to it; for all others
    # there is none, and they deliver (RFC 8461 section 3.3).
    POLICY = "policy"
    # Held back under DANE in every mode: MTA-STS overrides no failed DANE (RFC 8461 section 2).
    DANE = "dane"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultType:
    """One result type: its name for people, what it means, why it happens, what to do."""

    title: str
    meaning: str
    causes: str
    action: str
    urgency: Urgency
    concern: Concern = Concern.CONNECTION
    section: str = "RFC 8460 4.3"


RESULT_TYPES: Mapping[str, ResultType] = MappingProxyType(
    {
        "starttls-not-supported": ResultType(
            title="STARTTLS not offered",
            meaning=(
                "The MX did not offer STARTTLS to this sender. Under enforce or DANE the mail is "
                "held back; otherwise it travelled in clear."
            ),
            causes=(
                "TLS switched off on one node of a pool; a firewall that inspects SMTP and "
                "rewrites the EHLO answer; a wrong host behind the MX name; an attack on the way."
            ),
            action=(
                "Send EHLO to every MX and every address from outside and look for STARTTLS. "
                "Switch off SMTP inspection. If only one sender or network sees it, suspect "
                "interception."
            ),
            urgency=Urgency.HIGH,
        ),
        "certificate-host-mismatch": ResultType(
            title="Certificate for another name",
            meaning=(
                "The names in the MX's certificate do not satisfy the policy, so senders that "
                "enforce it do not deliver."
            ),
            causes=(
                "An MX renamed or moved; a certificate for another name, or with the name only in "
                "the CN; a wrong default certificate for SNI; an outdated mx line of the policy."
            ),
            action=(
                "Compare the MX record, the policy's mx lines and the certificate's DNS names. "
                "Reissue with the MX name among them and make it the answer for that SNI."
            ),
            urgency=Urgency.HIGH,
        ),
        "certificate-expired": ResultType(
            title="Certificate expired",
            meaning="The MX presented a certificate past its end, so senders that check refuse it.",
            causes=(
                "Renewal failed; the service was not reloaded after it; one node of a pool still "
                "serves the old file; an intermediate has expired."
            ),
            action=(
                "Renew and reload every node behind the MX, then look at each address from "
                "outside. Watch the expiry three weeks, a week and a day ahead. Senders that use "
                "DANE-EE do not mind it."
            ),
            urgency=Urgency.HIGH,
        ),
        "certificate-not-trusted": ResultType(
            title="Certificate not trusted",
            meaning="The sender could not build a chain from the MX's certificate to a public CA.",
            causes=(
                "A missing intermediate; a self-signed certificate or a private CA; a distrusted "
                "root. Expected where only DANE is meant to hold."
            ),
            action=(
                "Serve the full chain of a public CA. The failure reason often names the very "
                "problem."
            ),
            urgency=Urgency.HIGH,
        ),
        "validation-failure": ResultType(
            title="Validation failed",
            meaning=(
                "Any other failure of validation. Senders also use it for an MX that the MTA-STS "
                "policy does not name, because the standard has no type of its own for that."
            ),
            causes=(
                "An MX that no mx line of the policy covers; no common protocol version or "
                "cipher; resets and time-outs in the handshake; a fault of one sender."
            ),
            action=(
                "First compare the receiving MX with the policy's patterns. Then read the failure "
                "reason, group by sender and MX, and test TLS 1.2 and 1.3. One session of one "
                "sender is usually noise."
            ),
            urgency=Urgency.HIGH,
        ),
        "tlsa-invalid": ResultType(
            title="No TLSA record matches",
            meaning=(
                "No usable TLSA record of the MX matches its certificate. Senders that use DANE "
                "hold the mail back."
            ),
            causes=(
                "The certificate or key changed before DNS did; a wrong digest, selector or usage; "
                "one MX of several forgotten."
            ),
            action=(
                "Publish the digest of the present key now and keep the old one. For the next "
                "change publish the new digest at least two TTLs ahead. Check every MX again."
            ),
            urgency=Urgency.CRITICAL,
            concern=Concern.DANE,
        ),
        "dnssec-invalid": ResultType(
            title="DNSSEC does not validate",
            meaning="Senders could not validate the DNS answers, so they hold the mail back.",
            causes=(
                "Expired signatures; a DS record that does not match after a key roll or a move; "
                "one broken name server."
            ),
            action=(
                "Check the chain DS, DNSKEY, RRSIG for the domain's and the MX hosts' zones. Sign "
                "again, or correct or remove the DS record at the parent."
            ),
            urgency=Urgency.CRITICAL,
            concern=Concern.DANE,
        ),
        "dane-required": ResultType(
            title="Sender insists on DANE",
            meaning="The sender is set to deliver over DANE only and found none that is valid.",
            causes="An agreement with a partner; TLSA records or DNSSEC removed on your side.",
            action="Restore TLSA on every MX, or agree on the change with that partner.",
            urgency=Urgency.HIGH,
            concern=Concern.DANE,
        ),
        "sts-policy-fetch-error": ResultType(
            title="MTA-STS policy not fetched",
            meaning=(
                "The TXT record is there, but the policy file could not be retrieved. Senders that "
                "hold a cached policy keep to it; new ones are unprotected."
            ),
            causes=(
                "The policy host is down, answers 404 or 5xx, redirects or is slow; a bot filter "
                "or geo-block; broken IPv6; with some senders also a bad certificate."
            ),
            action=(
                "Fetch the file from several networks, over IPv4 and IPv6. Let programs that are "
                "no browsers in, answer 200 without a redirect, and renew the certificate."
            ),
            urgency=Urgency.MEDIUM,
            concern=Concern.POLICY,
        ),
        "sts-policy-invalid": ResultType(
            title="MTA-STS policy not valid",
            meaning="The policy file was fetched and no sender can use it.",
            causes=(
                "A missing or misspelt key; a web page answered with status 200; max_age out of "
                "range; several hosts in one mx line."
            ),
            action="Correct the file, check it again, then publish a new id in the TXT record.",
            urgency=Urgency.HIGH,
            concern=Concern.POLICY,
        ),
        "sts-webpki-invalid": ResultType(
            title="Policy host's certificate not valid",
            meaning="TLS to the policy host failed, so the policy could not be read.",
            causes=(
                "The certificate of mta-sts.<domain> has expired, is for the provider's name, or "
                "its chain is incomplete."
            ),
            action=(
                "Issue a certificate for mta-sts.<domain> and serve the whole chain; with a "
                "hosted policy correct the delegation."
            ),
            urgency=Urgency.HIGH,
            concern=Concern.POLICY,
        ),
    }
)


def types_of(concern: Concern) -> frozenset[str]:
    """Give the result types that are about this.

    Those not registered, and failures without a cause, count for the connection: nobody is told
    that enforce is safe because of what nobody understands. Whoever holds figures told apart by
    this makes them anew when it changes.
    """
    return frozenset(code for code, words in RESULT_TYPES.items() if words.concern is concern)


# Failures of the policy host, not of an MX, whatever MX the reporter names beside them.
POLICY_HOST_TYPES = types_of(Concern.POLICY)

UNKNOWN = ResultType(
    title="Result type not known here",
    meaning="The reporter used a result type that was not registered when this was written.",
    causes="A newer value of the IANA registry, or a fault of the sender.",
    action=(
        "Look the value up in the IANA list of STARTTLS validation result types and read the "
        "failure reason in the raw report."
    ),
    urgency=Urgency.MEDIUM,
)

UNEXPLAINED = ResultType(
    title="No cause reported",
    meaning="Sessions failed, and the report gives no details of them.",
    causes="Some reporters leave failure details out, or send only totals.",
    action=(
        "Compare with other reporters of the same days, then check the domain now: record, "
        "policy, MX and certificates."
    ),
    urgency=Urgency.MEDIUM,
)

_NOT_NAMED = "The MX is not named by any mx line of the MTA-STS policy."
_EXPIRED = "The certificate is past its end."
_MISSING_LINK = "An intermediate certificate is missing."
_FOREIGN_ROOT = "The chain ends in a root that the sender does not trust."
_REVOKED = "The certificate was revoked."
_SHORT_KEY = "The key of the certificate is too short."
_NO_TLSA_MATCH = "No TLSA record matches the certificate."
# What well-known senders and OpenSSL (its codes and its texts) write as failure-reason-code, in
# lower case and with blanks between the words, and what they mean by it.
_REASONS: tuple[tuple[str, str], ...] = (
    ("mtasts policy mx mismatch", _NOT_NAMED),
    ("mx not authorized by policy", _NOT_NAMED),
    ("mx hosts mismatch", _NOT_NAMED),
    ("certificate has expired", _EXPIRED),
    ("cert has expired", _EXPIRED),
    ("certificate expired", _EXPIRED),
    ("certificate is not yet valid", "The certificate is not valid yet."),
    ("cert not yet valid", "The certificate is not valid yet."),
    ("self signed certificate in", _FOREIGN_ROOT),
    ("self signed cert in", _FOREIGN_ROOT),
    ("self signed cert", "The certificate is signed by itself."),
    ("unable to get local issuer", _MISSING_LINK),
    ("unable to get issuer", _MISSING_LINK),
    ("unable to verify the first certificate", _MISSING_LINK),
    ("unable to verify leaf signature", _MISSING_LINK),
    ("unknown authority", "The chain ends in a CA that the sender does not trust."),
    ("hostname mismatch", "The certificate is for other names."),
    ("certificate revoked", _REVOKED),
    ("cert revoked", _REVOKED),
    ("key too weak", _SHORT_KEY),
    ("key too small", _SHORT_KEY),
    ("no matching dane tlsa records", _NO_TLSA_MATCH),
    ("dane no match", _NO_TLSA_MATCH),
    ("policy fetch timeout", "The policy host did not answer in time."),
    ("timeout", "The other side did not answer in time."),
    ("404", "The policy file was not found (HTTP 404)."),
)


def describe_result_type(code: str) -> ResultType:
    """Give the words of a normalised result type; an empty code is a failure without a cause."""
    if not code:
        return UNEXPLAINED
    return RESULT_TYPES.get(code, UNKNOWN)


def concern_of(code: str) -> Concern:
    """Give what a normalised result type is about."""
    return describe_result_type(code).concern


def explain_reason(reason: str) -> str | None:
    """Find what a sender means by its failure-reason-code, or None."""
    folded = re.sub(r"[\s_-]+", " ", reason.lower())
    # Not within a longer number, as those of OpenSSL's errors are.
    told = (words for pattern, words in _REASONS if re.search(rf"(?<!\d){pattern}(?!\d)", folded))
    return next(told, None)
