"""The verdict on a domain's TLSRPT record (RFC 8460 section 3)."""

from __future__ import annotations

from mailtls import tlsrpt_record
from mailtls.aspects import Expected, Status, TlsrptAspect
from mailtls.findings import Finding, error, info, warning
from mailtls.names import is_within
from mailtls.observed import DnsStatus, Observed, TxtAnswer
from mailtls.rua import destination_domain, fold_destination
from mailtls.verdicts.lookups import explain_failure, takes_no_mail

# Section 7 encourages long TTLs against removal of the record by an attacker.
_SHORT_TTL_S = 3600


def judge_tlsrpt(observed: Observed, expected: Expected | None) -> TlsrptAspect:
    """Judge the record at `_smtp._tls.<domain>`."""
    answer = observed.tlsrpt
    if answer is None or not answer.status.is_known:
        finding = explain_failure(answer, f"_smtp._tls.{observed.domain}")
        return TlsrptAspect(status=Status.UNKNOWN, findings=(finding,))
    selection = tlsrpt_record.select_record(answer.texts)
    findings = list(selection.findings)
    if selection.text is None:
        record = selection.claimants[0] if len(selection.claimants) == 1 else None
        if selection.claimants:
            return TlsrptAspect(status=Status.INVALID, record=record, findings=tuple(findings))
        findings += _explain_missing(observed, answer)
        return TlsrptAspect(status=Status.MISSING, findings=tuple(findings))
    parsed = tlsrpt_record.parse_record(selection.text)
    findings += parsed.findings
    if parsed.value is None:
        return TlsrptAspect(status=Status.INVALID, record=selection.text, findings=tuple(findings))
    findings += _judge_answer(answer)
    findings += _judge_rua(observed.domain, parsed.value.rua, expected)
    return TlsrptAspect(
        status=Status.VALID,
        record=selection.text,
        rua=parsed.value.rua,
        findings=tuple(findings),
    )


def _explain_missing(observed: Observed, answer: TxtAnswer) -> list[Finding]:
    findings = []
    if answer.cnames and answer.status is DnsStatus.NXDOMAIN:
        findings.append(error("tlsrpt.cname.dangling", target=answer.cnames[-1]))
    for other in observed.tlsrpt_elsewhere:
        pick = tlsrpt_record.select_record(other.texts)
        if pick.claimants:
            findings.append(warning("tlsrpt.record.wrong-name", found=other.name))
    if not findings and not takes_no_mail(observed):
        findings.append(warning("tlsrpt.record.missing"))
    return findings


def _judge_answer(answer: TxtAnswer) -> list[Finding]:
    findings = []
    if answer.cnames:
        findings.append(info("tlsrpt.cname.followed", target=answer.cnames[-1]))
    if answer.is_authoritative and answer.ttl_s is not None and answer.ttl_s < _SHORT_TTL_S:
        findings.append(info("tlsrpt.ttl.short", ttl_s=answer.ttl_s))
    return findings


def _judge_rua(domain: str, rua: tuple[str, ...], expected: Expected | None) -> list[Finding]:
    ours = {fold_destination(uri) for uri in expected.our_rua} if expected else set()
    findings = []
    for uri in rua:
        host = destination_domain(uri)
        is_own = host is None or is_within(host, domain) or is_within(domain, host)
        if not is_own and fold_destination(uri) not in ours:
            # There is no verification record as DMARC has one (section 7 says why), so the
            # owner alone can confirm the party.
            findings.append(info("tlsrpt.rua.external", uri=uri[:120], party=host))
    if expected and expected.our_rua:
        findings += _judge_ours(rua, expected)
    return findings


def _judge_ours(rua: tuple[str, ...], expected: Expected) -> list[Finding]:
    ours = {fold_destination(uri) for uri in expected.our_rua}
    places = [place for place, uri in enumerate(rua) if fold_destination(uri) in ours]
    if not places:
        our_hosts = {destination_domain(uri) for uri in expected.our_rua} - {None}
        for uri in rua:
            if destination_domain(uri) in our_hosts:
                return [
                    warning("tlsrpt.rua.near-ours", found=uri[:120], wanted=expected.our_rua[0])
                ]
        return [warning("tlsrpt.rua.ours-missing", wanted=expected.our_rua[0])]
    if places[0] > 0:
        # Microsoft delivers to the first destination only.
        return [
            warning("tlsrpt.rua.ours-not-first", first=rua[0][:120], wanted=expected.our_rua[0])
        ]
    return []
