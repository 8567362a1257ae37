"""The verdict on STARTTLS and the certificates of a domain's MX hosts (RFC 3207, RFC 8461 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailtls.aspects import StarttlsAspect, StarttlsHostVerdict, Status
from mailtls.certificates import find_days_left, is_current, is_expired, is_name_valid
from mailtls.findings import Finding, Param, Severity, info, warning
from mailtls.observed import MxHost, Observed, ProbeResult, StarttlsProbe
from mailtls.sts_policy import Mode, StsPolicy
from mailtls.verdicts.lookups import (
    explain_failure,
    find_unknown_apex,
    find_unseen_host,
    takes_no_mail,
)

_CODES = {
    ProbeResult.NOT_TRIED: "check.incomplete",
    ProbeResult.DEADLINE: "check.incomplete",
    ProbeResult.NO_ADDRESS: "starttls.no-address",
    ProbeResult.DNS_FAILED: "starttls.dns-failed",
    ProbeResult.ADDRESS_REFUSED: "starttls.private-address",
    ProbeResult.PORT_BLOCKED: "starttls.port-blocked",
    ProbeResult.CONNECT_REFUSED: "starttls.connect-refused",
    ProbeResult.CONNECT_TIMEOUT: "starttls.connect-timeout",
    ProbeResult.CONNECT_FAILED: "starttls.connect-failed",
    ProbeResult.SMTP_REFUSED: "starttls.smtp-refused",
    ProbeResult.SMTP_PROTOCOL: "starttls.smtp-protocol",
    ProbeResult.NO_STARTTLS: "starttls.not-offered",
    ProbeResult.STARTTLS_REFUSED: "starttls.refused",
    ProbeResult.TLS_VERSION: "starttls.tls-version",
    ProbeResult.TLS_HANDSHAKE: "starttls.handshake",
    ProbeResult.TIMEOUT: "starttls.timeout",
}
# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and …_HAS_EXPIRED; …_DEPTH_ZERO_SELF_SIGNED_CERT and
# …_SELF_SIGNED_CERT_IN_CHAIN.
_DATE_CODES = (9, 10)
_SELF_SIGNED_CODES = (18, 19)
_ABSENT = frozenset({ProbeResult.NO_STARTTLS})
_BROKEN = frozenset(
    {ProbeResult.STARTTLS_REFUSED, ProbeResult.TLS_VERSION, ProbeResult.TLS_HANDSHAKE}
)


def judge_starttls(observed: Observed, policy: StsPolicy | None, now: datetime) -> StarttlsAspect:
    """Judge what the MX hosts offer; under an enforced policy a bad certificate is an error."""
    if not observed.was_starttls_asked or takes_no_mail(observed):
        return StarttlsAspect(status=Status.NOT_CHECKED)
    mx = observed.mx
    failed = mx is None or not mx.status.is_known
    unseen = observed.domain if failed else find_unseen_host(observed)
    if unseen is not None:
        return StarttlsAspect(
            status=Status.UNKNOWN, findings=(explain_failure(mx if failed else None, unseen),)
        )
    apex = find_unknown_apex(observed)
    if apex is not None:
        return StarttlsAspect(status=Status.UNKNOWN, findings=(explain_failure(apex, apex.name),))
    mode = policy.mode if policy is not None else None
    hosts = []
    findings: list[Finding] = []
    for host in observed.mx_hosts:
        verdict, said = _judge_host(host, mode, now)
        hosts.append(verdict)
        findings += said
    status = _combine([verdict.status for verdict in hosts])
    # The block is one fact about the portal, however many hosts it hides.
    blocked = [f for f in findings if f.code == "starttls.port-blocked"]
    if blocked:
        findings = [f for f in findings if f.code != "starttls.port-blocked"]
        findings.append(info("starttls.port-blocked"))
    return StarttlsAspect(status=status, hosts=tuple(hosts), findings=tuple(findings))


def _combine(statuses: Sequence[Status]) -> Status:
    # Without any host that could be visited there is none, and the verdict on MX says why.
    if all(status is Status.MISSING for status in statuses):
        return Status.MISSING
    if Status.INVALID in statuses or Status.MISSING in statuses:
        return Status.INVALID
    if Status.UNKNOWN in statuses:
        return Status.UNKNOWN
    return Status.VALID


def _severity(mode: Mode | None) -> Severity:
    return Severity.ERROR if mode is Mode.ENFORCE else Severity.WARNING


def _judge_host(
    host: MxHost, mode: Mode | None, now: datetime
) -> tuple[StarttlsHostVerdict, list[Finding]]:
    probe = host.starttls or StarttlsProbe()
    if probe.result is not ProbeResult.TLS:
        status, finding = _explain_no_tls(host.name, probe, mode)
        return StarttlsHostVerdict(name=host.name, status=status), [finding]
    findings = _judge_certificate(host.name, probe, mode, now)
    leaf = probe.chain[0] if probe.chain else None
    is_refused = any(finding.severity is Severity.ERROR for finding in findings)
    verdict = StarttlsHostVerdict(
        name=host.name,
        status=Status.INVALID if is_refused else Status.VALID,
        tls_version=probe.tls_version,
        is_trusted=None if probe.verify_code is None else probe.verify_code == 0,
        is_name_valid=is_name_valid(host.name, leaf.dns_names) if leaf else None,
        not_after=leaf.not_after if leaf else None,
        dns_names=leaf.dns_names if leaf else (),
    )
    return verdict, findings


def _explain_no_tls(name: str, probe: StarttlsProbe, mode: Mode | None) -> tuple[Status, Finding]:
    code = _CODES[probe.result]
    params: dict[str, Param] = {"mx": name}
    if probe.address:
        params["address"] = probe.address
    if probe.detail:
        params["detail"] = probe.detail[:200]
    if probe.result in _ABSENT:
        return Status.MISSING, Finding(code, Severity.ERROR, params)
    if probe.result in _BROKEN:
        return Status.INVALID, Finding(code, Severity.ERROR, params)
    if probe.result is ProbeResult.PORT_BLOCKED:
        return Status.UNKNOWN, info(code)
    if probe.result in (ProbeResult.NOT_TRIED, ProbeResult.DEADLINE):
        return Status.UNKNOWN, warning(code, name=name)
    return Status.UNKNOWN, Finding(code, Severity.WARNING, params)


def _judge_certificate(
    name: str, probe: StarttlsProbe, mode: Mode | None, now: datetime
) -> list[Finding]:
    """Judge the certificate as an MTA-STS sender would; without a policy senders take any."""
    findings: list[Finding] = []
    severity = _severity(mode)
    leaf = probe.chain[0] if probe.chain else None
    if leaf is not None:
        if not is_current(leaf, now):
            code = "starttls.cert.expired" if is_expired(leaf, now) else "starttls.cert.not-yet"
            params = {"mx": name, "not_after": leaf.not_after.date().isoformat()}
            findings.append(Finding(code, severity, params))
        if not is_name_valid(name, leaf.dns_names):
            names = ", ".join(leaf.dns_names[:10]) or None
            findings.append(Finding("starttls.cert.name", severity, {"mx": name, "names": names}))
        days = find_days_left(leaf, now)
        if days is not None:
            findings.append(warning("starttls.cert.expires-soon", mx=name, days=days))
    has_date_fault = any(f.code.startswith("starttls.cert.") for f in findings)
    if probe.verify_code and not (has_date_fault and probe.verify_code in _DATE_CODES):
        code = (
            "starttls.cert.self-signed"
            if probe.verify_code in _SELF_SIGNED_CODES
            else "starttls.cert.untrusted"
        )
        params_of: dict[str, Param] = {
            "mx": name,
            "verify_code": probe.verify_code,
            "verify_message": probe.verify_message,
        }
        findings.append(Finding(code, severity, params_of))
    return findings
