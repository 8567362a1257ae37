"""What the states of reports, receipts and policies look like, and short names of causes."""

from __future__ import annotations

from mailtls.catalogue.result_types import RESULT_TYPES, describe_result_type
from reports.models import Outcome, PolicyKind, Trust
from webui.status import Sign, Tone

TRUST = {
    Trust.DKIM_MAIL: Sign(
        Tone.OK, "Signed mail", "shield", "The sender's domain signed the mail (DKIM)."
    ),
    Trust.UNSIGNED_MAIL: Sign(
        Tone.WARN, "Unsigned mail", "mail", "No valid DKIM signature: the name may be forged."
    ),
    Trust.ANONYMOUS_HTTPS: Sign(
        Tone.NONE, "Anonymous HTTPS", "globe", "Posted to an intake; HTTPS proves no sender."
    ),
    Trust.UPLOAD: Sign(Tone.INFO, "Uploaded", "upload", "Uploaded by a person of the portal."),
}
OUTCOME = {
    Outcome.PENDING: Sign(Tone.NONE, "Waiting", "clock"),
    Outcome.ACCEPTED: Sign(Tone.OK, "Accepted"),
    Outcome.DUPLICATE: Sign(Tone.NONE, "Known already", "copy"),
    Outcome.REJECTED: Sign(Tone.BAD, "Could not be read"),
    Outcome.NOT_A_REPORT: Sign(Tone.NONE, "Not a TLS report", "dash"),
}
POLICY = {
    PolicyKind.STS: "MTA-STS",
    PolicyKind.TLSA: "DANE",
    PolicyKind.NO_POLICY_FOUND: "No policy found",
    PolicyKind.OTHER: "Other",
}
_WORDS = {
    "starttls": "STARTTLS",
    "tlsa": "TLSA",
    "dnssec": "DNSSEC",
    "dane": "DANE",
    "sts": "MTA-STS",
    "webpki": "WebPKI",
}


def cause_name(result_type: str) -> str:
    """Give a result type as words; one the RFC does not know reads as the sender wrote it."""
    if not result_type or result_type in RESULT_TYPES:
        return describe_result_type(result_type).title
    words = [_WORDS.get(word, word) for word in result_type.split("-") if word]
    text = " ".join(words)
    return text[:1].upper() + text[1:]
