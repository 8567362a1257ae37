"""The verdict on a domain's MTA-STS record and policy (RFC 8461)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from mailtls import sts_policy, sts_record
from mailtls.aspects import MtaStsAspect, Status
from mailtls.findings import Finding, Parsed, Severity, error, info, warning
from mailtls.mx_match import is_covered, matches, suggest_pattern
from mailtls.observed import DnsStatus, FetchResult, Observed, TxtAnswer
from mailtls.sts_policy import Mode, StsPolicy
from mailtls.sts_record import StsRecord
from mailtls.verdicts.fetch import explain_fetch, judge_transport
from mailtls.verdicts.lookups import explain_failure, is_null_mx, takes_no_mail

_DAY_S = 86_400
# Section 3.2 expects max_age "in the order of weeks".
_WEEKS_S = 14 * _DAY_S
# What cannot be told apart from a trouble of our own: the last known state stands.
_UNKNOWN_RESULTS = frozenset(
    {
        FetchResult.DNS_FAILED,
        FetchResult.DEADLINE,
        FetchResult.NOT_TRIED,
        FetchResult.NO_ROUTE,
        FetchResult.OK,  # with the body gone from an observation that was stored
    }
)


def judge_mta_sts(observed: Observed, now: datetime) -> MtaStsAspect:
    """Judge the record at `_mta-sts.<domain>` together with the policy file."""
    answer = observed.sts
    if answer is None or not answer.status.is_known:
        finding = explain_failure(answer, f"_mta-sts.{observed.domain}")
        return MtaStsAspect(status=Status.UNKNOWN, findings=(finding,))
    selection = sts_record.select_record(answer.texts)
    if selection.text is None and not selection.claimants:
        findings = (*selection.findings, *_explain_missing(observed, answer))
        return MtaStsAspect(status=Status.MISSING, findings=findings)
    shown = selection.claimants[0] if len(selection.claimants) == 1 else None
    parsed: Parsed[StsRecord] = Parsed(None)
    if selection.text is not None:
        parsed = sts_record.parse_record(selection.text)
    findings = (*selection.findings, *parsed.findings)
    if parsed.value is None:
        return MtaStsAspect(status=Status.INVALID, record=shown, findings=findings)
    if answer.cnames:
        findings = (*findings, info("sts.cname.followed", target=answer.cnames[-1]))
    status, policy, about_policy = _judge_policy(observed, now)
    fetch = observed.policy
    body = fetch.body if fetch is not None and fetch.result is FetchResult.OK else None
    return MtaStsAspect(
        status=status,
        record=shown,
        id=parsed.value.id,
        policy=policy,
        policy_sha256=hashlib.sha256(body).hexdigest() if body is not None else None,
        findings=(*findings, *about_policy),
    )


def judge_reporting(sts: MtaStsAspect, tlsrpt_status: Status) -> tuple[Finding, ...]:
    """Say that a policy in testing mode shows nothing without reports (section 5)."""
    is_testing = sts.policy is not None and sts.policy.mode is Mode.TESTING
    if is_testing and tlsrpt_status in (Status.MISSING, Status.INVALID):
        return (warning("sts.testing.no-reports"),)
    return ()


def severity_under(mode: Mode) -> Severity:
    """Give the weight of a host that fails the policy: mail is refused only under enforce."""
    return {
        Mode.ENFORCE: Severity.ERROR,
        Mode.TESTING: Severity.WARNING,
        Mode.NONE: Severity.INFO,
    }[mode]


def _explain_missing(observed: Observed, answer: TxtAnswer) -> list[Finding]:
    if answer.cnames and answer.status is DnsStatus.NXDOMAIN:
        return [error("sts.cname.dangling", target=answer.cnames[-1])]
    fetch = observed.policy
    body = fetch.body if fetch is not None and fetch.result is FetchResult.OK else None
    if fetch is not None and body is not None and sts_policy.parse_policy(body).value:
        # Senders look for the record first and never ask for the file without it.
        return [warning("sts.record.missing-with-policy", host=fetch.host)]
    return [] if takes_no_mail(observed) else [warning("sts.record.missing")]


def _judge_policy(
    observed: Observed, now: datetime
) -> tuple[Status, StsPolicy | None, tuple[Finding, ...]]:
    fetch = observed.policy
    if fetch is None:
        return Status.UNKNOWN, None, (explain_failure(None, f"mta-sts.{observed.domain}"),)
    if fetch.result is not FetchResult.OK or fetch.body is None:
        is_unknown = fetch.result in _UNKNOWN_RESULTS
        status = Status.UNKNOWN if is_unknown else Status.INVALID
        return status, None, explain_fetch(fetch)
    parsed = sts_policy.parse_policy(fetch.body)
    findings = (*judge_transport(fetch, now), *parsed.findings)
    if parsed.value is None:
        return Status.INVALID, None, findings
    opinion = _judge_content(observed, parsed.value)
    return Status.VALID, parsed.value, (*findings, *opinion)


def _judge_content(observed: Observed, policy: StsPolicy) -> list[Finding]:
    findings: list[Finding] = []
    if policy.mode is Mode.NONE:
        findings.append(info("sts.policy.mode-none"))
    if policy.mode is Mode.ENFORCE and 0 < policy.max_age_s < _DAY_S:
        findings.append(warning("sts.policy.max-age-short", max_age_s=policy.max_age_s))
    elif policy.mode is Mode.ENFORCE and _DAY_S <= policy.max_age_s < _WEEKS_S:
        findings.append(info("sts.policy.max-age-below-weeks", max_age_s=policy.max_age_s))
    if is_null_mx(observed):
        return [*findings, info("sts.policy.null-mx")]
    if f"*.{observed.domain}" in policy.mx:
        # Any host of the domain, even a customer's, may then pose as the mail server (10.4).
        findings.append(info("sts.policy.wide-wildcard", mx=f"*.{observed.domain}"))
    return [*findings, *_judge_coverage(policy, _mx_names(observed))]


def _judge_coverage(policy: StsPolicy, hosts: Sequence[str]) -> list[Finding]:
    findings: list[Finding] = []
    severity = severity_under(policy.mode)
    if not hosts or not policy.mx:
        return findings
    for host in hosts:
        if not is_covered(host, policy.mx):
            params = {"mx": host, "mode": policy.mode.value, "suggestion": suggest_pattern(host)}
            findings.append(Finding("sts.mx.not-covered", severity, params))
    unused = (p for p in policy.mx if not any(matches(host, p) for host in hosts))
    return [*findings, *(info("sts.mx.pattern-unused", pattern=p) for p in unused)]


def _mx_names(observed: Observed) -> tuple[str, ...]:
    """Give the names senders compare: the MX records', or the domain's own without any (4.1)."""
    mx = observed.mx
    if mx is None or not mx.status.is_known:
        return ()
    if mx.records:
        return tuple(record.host for record in mx.records if record.host != ".")
    apex = (observed.apex_v4, observed.apex_v6)
    if any(answer is not None and answer.addresses for answer in apex):
        return (observed.domain,)
    return ()
