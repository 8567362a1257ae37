"""The verdict on where a domain's mail goes (RFC 5321 section 5.1, RFC 7505)."""

from __future__ import annotations

from mailtls.aspects import MxAspect, MxHostVerdict, Status
from mailtls.findings import Finding, error, info, warning
from mailtls.mx_match import is_covered
from mailtls.names import is_host
from mailtls.observed import DnsStatus, MxHost, MxRecord, Observed
from mailtls.providers import find_provider
from mailtls.sts_policy import StsPolicy
from mailtls.verdicts.lookups import explain_failure, is_null_mx


def judge_mx(observed: Observed, policy: StsPolicy | None) -> MxAspect:
    """Judge the MX RRset and its hosts; `policy` is the usable MTA-STS policy, if any."""
    mx = observed.mx
    if mx is None or not mx.status.is_known:
        finding = explain_failure(mx, observed.domain)
        return MxAspect(status=Status.UNKNOWN, findings=(finding,))
    if is_null_mx(observed):
        return MxAspect(status=Status.NULL_MX, findings=(info("mx.null"),))
    if not mx.records:
        return _judge_implicit(observed, policy)
    findings: list[Finding] = []
    records = [record for record in mx.records if record.host != "."]
    if len(records) < len(mx.records):
        findings.append(error("mx.null-beside-others"))
    seen = {host.name: host for host in observed.mx_hosts}
    usable = 0
    for record in records:
        faults = _judge_host(record, seen.get(record.host))
        findings += faults
        usable += not any(finding.severity == "error" for finding in faults)
    return MxAspect(
        status=Status.VALID if usable else Status.INVALID,
        hosts=tuple(_verdict(record, policy) for record in records),
        provider=find_provider(record.host for record in records),
        findings=tuple(findings),
    )


def _judge_implicit(observed: Observed, policy: StsPolicy | None) -> MxAspect:
    """Without MX the domain's own addresses take the mail (RFC 5321 section 5.1)."""
    mx = observed.mx
    if mx is not None and mx.status is DnsStatus.NXDOMAIN:
        return MxAspect(
            status=Status.MISSING, findings=(error("mx.domain-nxdomain", domain=observed.domain),)
        )
    apex = (observed.apex_v4, observed.apex_v6)
    if any(answer is not None and answer.addresses for answer in apex):
        host = _verdict(MxRecord(preference=0, host=observed.domain), policy)
        return MxAspect(status=Status.MISSING, hosts=(host,), findings=(info("mx.implicit"),))
    failed = next((a for a in apex if a is not None and not a.status.is_known), None)
    if failed is not None:
        return MxAspect(status=Status.UNKNOWN, findings=(explain_failure(failed, failed.name),))
    return MxAspect(status=Status.MISSING, findings=(info("mx.none"),))


def _verdict(record: MxRecord, policy: StsPolicy | None) -> MxHostVerdict:
    covered = is_covered(record.host, policy.mx) if policy is not None and policy.mx else None
    return MxHostVerdict(name=record.host, preference=record.preference, covered=covered)


def _judge_host(record: MxRecord, seen: MxHost | None) -> list[Finding]:
    host = record.host
    if host.replace(".", "").isdigit():
        return [error("mx.host.address", mx=host)]
    if not is_host(host):
        return [error("mx.host.bad-name", mx=host)]
    findings: list[Finding] = []
    if seen is None:
        return findings
    answers = [answer for answer in (seen.v4, seen.v6) if answer is not None]
    cnames = next((answer.cnames for answer in answers if answer.cnames), ())
    if cnames:
        # RFC 5321 section 5.1 and RFC 2181 section 10.3 forbid it; most senders follow.
        findings.append(warning("mx.host.cname", mx=host, target=cnames[-1]))
    unknown = next((answer for answer in answers if not answer.status.is_known), None)
    if any(answer.addresses for answer in answers):
        return findings
    if unknown is not None:
        findings.append(explain_failure(unknown, unknown.name))
    elif len(answers) == 2:
        findings.append(error("mx.host.no-address", mx=host))
    return findings
