"""The verdict on DANE for a domain's MX hosts (RFC 7672)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailtls.aspects import DaneAspect, DaneHostVerdict, Status
from mailtls.certificates import is_current, is_name_valid
from mailtls.dane import DANE_EE, MatchFault, find_match, judge_record, present
from mailtls.findings import Finding, error, info, warning
from mailtls.observed import (
    DnsStatus,
    MxHost,
    Observed,
    ProbeResult,
    TlsaRecord,
    Validation,
)
from mailtls.verdicts.lookups import (
    explain_failure,
    find_unknown_apex,
    find_unseen_host,
    takes_no_mail,
)

_FAULT_CODES = {
    MatchFault.NO_MATCH: "dane.tlsa.mismatch",
    MatchFault.TA_NOT_SENT: "dane.ta.not-sent",
    MatchFault.TA_NAME: "dane.ta.name",
    MatchFault.TA_EXPIRED: "dane.ta.expired",
    MatchFault.TA_CHAIN: "dane.ta.broken-chain",
}

_Outcome = tuple[Status, list[Finding]]


def judge_dane(observed: Observed, now: datetime) -> DaneAspect:
    """Judge the TLSA records of all MX hosts; the worst host decides."""
    mx = observed.mx
    if takes_no_mail(observed):
        return DaneAspect(status=Status.NOT_CHECKED)
    if mx is None or not mx.status.is_known:
        finding = explain_failure(mx, observed.domain)
        return DaneAspect(status=Status.UNKNOWN, findings=(finding,))
    unseen = find_unseen_host(observed)
    if unseen is not None:
        return DaneAspect(status=Status.UNKNOWN, findings=(explain_failure(None, unseen),))
    apex = find_unknown_apex(observed)
    if apex is not None:
        return DaneAspect(status=Status.UNKNOWN, findings=(explain_failure(apex, apex.name),))
    verdicts = []
    findings: list[Finding] = []
    for host in observed.mx_hosts:
        status, said = _judge_host(observed, host, now)
        records = host.tlsa.records if host.tlsa else ()
        verdicts.append(
            DaneHostVerdict(
                name=host.name, status=status, records=tuple(present(r) for r in records)
            )
        )
        findings += said
    status = _combine([verdict.status for verdict in verdicts])
    at_domain = observed.tlsa_at_domain
    if at_domain is not None and at_domain.records and status is Status.MISSING:
        findings.append(warning("dane.tlsa.wrong-owner", found=at_domain.name))
    if status is Status.VALID and any(v.status is Status.MISSING for v in verdicts):
        bare = next(v.name for v in verdicts if v.status is Status.MISSING)
        findings.append(warning("dane.hosts.partial", mx=bare))
    return DaneAspect(status=status, hosts=tuple(verdicts), findings=_unique(findings))


def _unique(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    unique: list[Finding] = []
    for finding in findings:
        if finding not in unique:
            unique.append(finding)
    return tuple(unique)


def _combine(statuses: Sequence[Status]) -> Status:
    for status in (Status.INVALID, Status.UNKNOWN, Status.VALID, Status.MISSING):
        if status in statuses:
            return status
    # No host that could have any: the verdict on MX says why.
    return Status.MISSING


def _judge_host(observed: Observed, host: MxHost, now: datetime) -> _Outcome:
    tlsa = host.tlsa
    if tlsa is None:
        return Status.UNKNOWN, [explain_failure(None, f"_25._tcp.{host.name}")]
    if not tlsa.status.is_known:
        if tlsa.status is DnsStatus.SERVFAIL and _addresses_secure(host):
            # Section 2.2: the host is skipped and the mail waits; insecure is no way out.
            return Status.INVALID, [error("dane.tlsa.lookup-failed", mx=host.name)]
        return Status.UNKNOWN, [explain_failure(tlsa, tlsa.name)]
    if not tlsa.records:
        return Status.MISSING, []
    insecure = _explain_insecure(observed, host)
    if insecure is not None:
        return insecure[0], [insecure[1]]
    findings: list[Finding] = []
    usable = []
    for record in tlsa.records:
        is_usable, said = judge_record(record, host.name)
        findings += said
        if is_usable:
            usable.append(record)
    if _cname_target(host) is not None:
        findings.append(warning("dane.mx-host.cname", mx=host.name, target=_cname_target(host)))
    if not usable:
        # Section 2.2: TLS is then required, with no one to authenticate it.
        return Status.INVALID, [*findings, error("dane.tlsa.none-usable", mx=host.name)]
    if len(usable) == 1 and usable[0].usage == DANE_EE:
        findings.append(info("dane.rollover.no-spare", mx=host.name))
    if host.tlsrpt is not None and host.tlsrpt.status.is_known and not host.tlsrpt.texts:
        findings.append(info("dane.mx-host.no-tlsrpt", mx=host.name))
    status, said_of_match = _judge_match(observed.domain, host, usable, now)
    return status, [*findings, *said_of_match]


def _explain_insecure(observed: Observed, host: MxHost) -> tuple[Status, Finding] | None:
    """Say which link of MX, address and TLSA is not signed, or None where all are."""
    mx = observed.mx
    assert host.tlsa is not None
    mx_is_secure = mx is not None and mx.is_secure
    if mx_is_secure and _addresses_secure(host) and host.tlsa.is_secure:
        return None
    if observed.dnssec is not Validation.VALIDATING:
        code = (
            "dane.resolver.not-validating"
            if observed.dnssec is Validation.NOT_VALIDATING
            else "dane.resolver.unknown"
        )
        return Status.UNKNOWN, warning(code, mx=host.name)
    if not _addresses_secure(host):
        failed = [a for a in (host.v4, host.v6) if a is not None and not a.status.is_known]
        if failed:
            return Status.UNKNOWN, explain_failure(failed[0], failed[0].name)
        # Section 2.2.2: insecure address records end it, the TLSA lookup is skipped.
        return Status.INVALID, warning("dane.insecure.mx-host", mx=host.name)
    if not mx_is_secure:
        return Status.INVALID, warning("dane.insecure.mx-record", mx=host.name)
    return Status.INVALID, warning("dane.insecure.tlsa", mx=host.name)


def _addresses_secure(host: MxHost) -> bool:
    answers = [a for a in (host.v4, host.v6) if a is not None and a.status is DnsStatus.OK]
    return bool(answers) and all(answer.is_secure for answer in answers)


def _cname_target(host: MxHost) -> str | None:
    for answer in (host.v4, host.v6):
        if answer is not None and answer.cnames:
            return answer.cnames[-1]
    return None


def _judge_match(
    domain: str, host: MxHost, usable: Sequence[TlsaRecord], now: datetime
) -> _Outcome:
    probe = host.starttls
    if probe is None or probe.result is not ProbeResult.TLS:
        if probe is not None and probe.result in (
            ProbeResult.NO_STARTTLS,
            ProbeResult.STARTTLS_REFUSED,
        ):
            return Status.INVALID, [error("dane.no-starttls", mx=host.name)]
        return Status.VALID, [info("dane.certificate-not-checked", mx=host.name)]
    # RFC 7672 section 3.2.2: the MX host, the end of its alias, and the next-hop domain.
    names = [name for name in (host.name, _cname_target(host), domain) if name is not None]
    match = find_match(usable, probe.chain, names, now)
    if match.fault is not None:
        return Status.INVALID, [error(_FAULT_CODES[match.fault], mx=host.name)]
    findings = []
    if match.record is not None and match.record.usage == DANE_EE and probe.chain:
        leaf = probe.chain[0]
        if not is_name_valid(host.name, leaf.dns_names):
            findings.append(info("dane.ee.name-ignored", mx=host.name))
        if not is_current(leaf, now):
            findings.append(info("dane.ee.expiry-ignored", mx=host.name))
    return Status.VALID, findings
