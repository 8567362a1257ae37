"""What a failed or odd DNS lookup means, the same for every aspect."""

from __future__ import annotations

from mailtls.findings import Finding, warning
from mailtls.names import is_host
from mailtls.observed import Answer, DnsStatus, Observed

_CODES = {
    DnsStatus.SERVFAIL: "dns.servfail",
    DnsStatus.REFUSED: "dns.refused",
    DnsStatus.TIMEOUT: "dns.timeout",
    DnsStatus.LAME: "dns.lame",
    DnsStatus.LOOP: "dns.cname-loop",
    DnsStatus.NOT_ASKED: "check.incomplete",
}
# Extended DNS errors about a chain of trust that does not hold (RFC 8914 section 4).
_DNSSEC_ERRORS = range(5, 13)


def explain_failure(answer: Answer | None, name: str) -> Finding:
    """Give the finding for a question that got no usable answer."""
    if answer is None:
        return warning("check.incomplete", name=name)
    if answer.status is DnsStatus.SERVFAIL and answer.extended_error in _DNSSEC_ERRORS:
        return warning("dns.dnssec-bogus", name=answer.name, extended_error=answer.extended_error)
    return warning(_CODES[answer.status], name=answer.name)


def takes_no_mail(observed: Observed) -> bool:
    """Say whether the domain is known to take no mail: null MX, or neither MX nor address.

    Such domains are not asked to publish anything.
    """
    mx = observed.mx
    if mx is None or not mx.status.is_known:
        return False
    if mx.status is DnsStatus.NXDOMAIN or is_null_mx(observed):
        return True
    if mx.records:
        return False
    return not any(
        answer is None or answer.addresses or not answer.status.is_known
        for answer in (observed.apex_v4, observed.apex_v6)
    )


def find_unknown_apex(observed: Observed) -> Answer | None:
    """Give the failed lookup that hides whether a domain without MX takes mail itself, or None."""
    mx = observed.mx
    if mx is None or mx.records or observed.mx_hosts:
        return None
    apex = (observed.apex_v4, observed.apex_v6)
    return next((a for a in apex if a is not None and not a.status.is_known), None)


def find_unseen_host(observed: Observed) -> str | None:
    """Give an MX host that a check cut short did not come to look at, or None."""
    mx = observed.mx
    if mx is None or observed.mx_hosts:
        return None
    return next((record.host for record in mx.records if is_host(record.host)), None)


def is_null_mx(observed: Observed) -> bool:
    """Say whether the domain has a null MX and nothing beside it (RFC 7505 section 3)."""
    mx = observed.mx
    return mx is not None and len(mx.records) == 1 and mx.records[0].host == "."
