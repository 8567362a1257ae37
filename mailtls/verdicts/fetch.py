"""What the fetch of a policy file says: DNS, address, TLS, certificate and HTTP (RFC 8461 3.3)."""

from __future__ import annotations

from datetime import datetime

from mailtls.certificates import find_days_left
from mailtls.findings import Finding, Param, error, info, warning
from mailtls.names import fold_name
from mailtls.observed import Answer, Certificate, DnsStatus, FetchResult, PolicyFetch
from mailtls.verdicts.lookups import explain_failure

# postfix-mta-sts-resolver gives up after 4 s in its default set-up; section 3.3 suggests 60 s.
_SLOW_MS = 4_000

_CODES = {
    FetchResult.ADDRESS_REFUSED: "sts.host.private-address",
    FetchResult.CONNECT_REFUSED: "sts.https.refused",
    FetchResult.CONNECT_TIMEOUT: "sts.https.connect-timeout",
    FetchResult.CONNECT_FAILED: "sts.https.connect-failed",
    FetchResult.TLS_VERSION: "sts.tls.version",
    FetchResult.TLS_HANDSHAKE: "sts.tls.handshake",
    FetchResult.CERT_EXPIRED: "sts.cert.expired",
    FetchResult.CERT_NOT_YET_VALID: "sts.cert.not-yet-valid",
    FetchResult.CERT_SELF_SIGNED: "sts.cert.self-signed",
    FetchResult.CERT_UNTRUSTED: "sts.cert.untrusted",
    FetchResult.CERT_REVOKED: "sts.cert.revoked",
    FetchResult.CERT_NAME: "sts.cert.name",
    FetchResult.CERT_OTHER: "sts.cert.other",
    FetchResult.HTTP_STATUS: "sts.http.status",
    FetchResult.HTTP_REDIRECT: "sts.http.redirect",
    FetchResult.HTTP_PROTOCOL: "sts.http.protocol",
    FetchResult.ENCODING: "sts.http.encoding",
    FetchResult.TOO_LARGE: "sts.policy.too-large",
    FetchResult.TIMEOUT: "sts.https.timeout",
}


def explain_fetch(fetch: PolicyFetch) -> tuple[Finding, ...]:
    """Give the findings of a fetch that brought no file."""
    if fetch.result is FetchResult.DNS_FAILED:
        failed = next((a for a in (fetch.v4, fetch.v6) if a and not a.status.is_known), None)
        return (explain_failure(failed, fetch.host),)
    if fetch.result is FetchResult.NO_ADDRESS:
        return (_explain_no_address(fetch),)
    if fetch.result is FetchResult.NO_ROUTE:
        return (warning("check.no-route", name=fetch.host, address=fetch.address),)
    if fetch.result in (FetchResult.NOT_TRIED, FetchResult.DEADLINE, FetchResult.OK):
        return (warning("check.incomplete", name=fetch.host),)
    finding = error(_CODES[fetch.result], **_params(fetch))
    details = tuple(_explain_names(fetch)) if fetch.result is FetchResult.CERT_NAME else ()
    return (finding, *details)


def judge_transport(fetch: PolicyFetch, now: datetime) -> list[Finding]:
    """Give what is risky about a fetch that worked."""
    findings = _judge_families(fetch)
    failed = (a for a in (fetch.v4, fetch.v6) if a is not None and not a.status.is_known)
    findings += [explain_failure(answer, fetch.host) for answer in failed]
    media_type = (fetch.content_type or "").partition(";")[0].strip().lower()
    if media_type != "text/plain":
        # A SHOULD of section 3.2, yet postfix-mta-sts-resolver and others refuse the policy.
        found = fetch.content_type or "an unnamed type"
        findings.append(warning("sts.http.content-type", found=found))
    if fetch.content_encoding:
        findings.append(warning("sts.http.content-encoding", found=fetch.content_encoding))
    if fetch.took_ms > _SLOW_MS:
        findings.append(warning("sts.https.slow", took_ms=fetch.took_ms, limit_ms=_SLOW_MS))
    if fetch.certificate is not None:
        days = find_days_left(fetch.certificate, now)
        if days is not None:
            findings.append(warning("sts.cert.expires-soon", host=fetch.host, days=days))
    return findings


def _explain_no_address(fetch: PolicyFetch) -> Finding:
    answers = [answer for answer in (fetch.v4, fetch.v6) if answer is not None]
    cnames = next((answer.cnames for answer in answers if answer.cnames), ())
    is_nxdomain = any(_is_nxdomain(answer) for answer in answers)
    if cnames and is_nxdomain:
        return error("sts.host.cname-dangling", host=fetch.host, target=cnames[-1])
    code = "sts.host.nxdomain" if is_nxdomain else "sts.host.no-address"
    return error(code, host=fetch.host)


def _is_nxdomain(answer: Answer) -> bool:
    return answer.status is DnsStatus.NXDOMAIN


def _params(fetch: PolicyFetch) -> dict[str, Param]:
    """Give what the words of the catalogue need: what was seen, and where."""
    params: dict[str, Param] = {"host": fetch.host, "address": fetch.address}
    optional: dict[str, Param] = {
        "verify_code": fetch.verify_code,
        "verify_message": fetch.verify_message,
        "status": fetch.http_status,
        "size_bytes": fetch.size_bytes,
        "detail": fetch.detail,
    }
    params |= {key: value for key, value in optional.items() if value is not None}
    if fetch.result is FetchResult.HTTP_REDIRECT:
        params["location"] = fetch.location or "an address that it does not name"
    certificate = fetch.certificate
    if certificate is not None and fetch.result.value.startswith("cert-"):
        params["names"] = ", ".join(certificate.dns_names[:10]) or None
        params["common_name"] = certificate.common_name
        params["issuer"] = certificate.issuer
        params["not_before"] = certificate.not_before.date().isoformat()
        params["not_after"] = certificate.not_after.date().isoformat()
    return params


def _explain_names(fetch: PolicyFetch) -> list[Finding]:
    """Say which of the usual mistakes made the names differ."""
    certificate = fetch.certificate
    if certificate is None:
        return []
    if _is_common_name_only(certificate, fetch.host):
        return [info("sts.cert.common-name-only", host=fetch.host)]
    partial = next((n for n in certificate.dns_names if "*" in n and not n.startswith("*.")), None)
    if partial is not None:
        return [info("sts.cert.partial-wildcard", host=fetch.host, found=partial)]
    answers = [answer for answer in (fetch.v4, fetch.v6) if answer is not None and answer.cnames]
    if answers:
        # Delegated to a provider, who must hold a certificate for the customer's name (8.2).
        target = answers[0].cnames[-1]
        return [info("sts.cert.provider-name", host=fetch.host, target=target)]
    return []


def _is_common_name_only(certificate: Certificate, host: str) -> bool:
    return not certificate.dns_names and fold_name(certificate.common_name or "") == host


def _judge_families(fetch: PolicyFetch) -> list[Finding]:
    """Say which addresses do not work while another does: senders differ in which they try."""
    findings = []
    for attempt in fetch.tries:
        if attempt.result is FetchResult.NO_ROUTE:
            findings.append(info("check.no-route", name=fetch.host, address=attempt.address))
        elif attempt.result is not FetchResult.OK:
            params = {"address": attempt.address, "result": attempt.result.value}
            findings.append(warning("sts.host.address-broken", **params))
    return findings
