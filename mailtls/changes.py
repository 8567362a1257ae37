"""What changed between two states of a domain, and which changes are dangerous."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from mailtls.aspects import Status, format_time
from mailtls.facts import Facts, decode_facts, encode_facts, facts_of, safe_to_remove_after
from mailtls.findings import Finding, Severity, error, info, warning
from mailtls.kept_certificates import KeptCertificate, Standing
from mailtls.sts_policy import Mode
from mailtls.verdicts.mta_sts import severity_under

__all__ = [
    "CERTIFICATE_ASPECTS",
    "CERTIFICATE_KINDS",
    "VALID_UNTIL",
    "Change",
    "Facts",
    "Kind",
    "aspect_of",
    "compare",
    "decode_facts",
    "encode_facts",
    "facts_of",
    "judge_age",
    "safe_to_remove_after",
]


class Kind(StrEnum):
    """Which fact changed."""

    TLSRPT_RECORD = "tlsrpt-record"
    TLSRPT_STATUS = "tlsrpt-status"
    STS_RECORD = "sts-record"
    STS_STATUS = "sts-status"
    STS_POLICY = "sts-policy"
    STS_MODE = "sts-mode"
    STS_MAX_AGE = "sts-max-age"
    MX = "mx"
    MX_COVERAGE = "mx-coverage"
    PROVIDER = "provider"
    DANE = "dane"
    DANE_STATUS = "dane-status"
    STARTTLS_STATUS = "starttls-status"
    STS_CERTIFICATE = "sts-certificate"
    MX_CERTIFICATE = "mx-certificate"
    MX_CERTIFICATE_STATUS = "mx-certificate-status"


# What tells of certificates; it counts as soon as it is seen. A warning ends a time in which
# senders refused the host, the rest is everyday business.
CERTIFICATE_ASPECTS = ("sts_cert", "mx_cert")
_CERTIFICATE_ASPECT_OF = {
    Kind.STS_CERTIFICATE: "sts_cert",
    Kind.MX_CERTIFICATE: "mx_cert",
    Kind.MX_CERTIFICATE_STATUS: "mx_cert",
}
CERTIFICATE_KINDS = frozenset(_CERTIFICATE_ASPECT_OF)
# Between host and last day, where a change shows a certificate.
VALID_UNTIL = ", valid until "
_ASPECT_OF_PREFIX = {
    "tlsrpt": "tlsrpt",
    "sts": "mta_sts",
    "mx": "mx",
    "provider": "mx",
    "dane": "dane",
    "starttls": "starttls",
}


def aspect_of(kind: Kind) -> str:
    """Give the aspect of a domain that a change of this kind belongs to."""
    if kind in _CERTIFICATE_ASPECT_OF:
        return _CERTIFICATE_ASPECT_OF[kind]
    return _ASPECT_OF_PREFIX[kind.value.partition("-")[0]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact before and after, as text, with what it means."""

    kind: Kind
    before: str | None
    after: str | None
    findings: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """Give the worst severity of the findings."""
        order = (Severity.ERROR, Severity.WARNING, Severity.INFO)
        present = {finding.severity for finding in self.findings}
        return next((severity for severity in order if severity in present), None)


_UNSEEN = frozenset({Status.UNKNOWN, Status.NOT_CHECKED})
_STRENGTH = {Mode.NONE: 0, Mode.TESTING: 1, Mode.ENFORCE: 2}
_LONG_TESTING = timedelta(days=90)


def compare(before: Facts, after: Facts) -> tuple[Change, ...]:
    """Give what changed; what either side does not know is no change."""
    changes: list[Change] = []
    if _both_seen(before.tlsrpt_status, after.tlsrpt_status):
        changes += _compare_tlsrpt(before, after)
    if _both_seen(before.sts_status, after.sts_status):
        changes += _compare_sts(before, after)
    if _both_seen(before.mx_status, after.mx_status):
        changes += _compare_mx(before, after)
    if _both_seen(before.dane_status, after.dane_status):
        changes += _compare_dane(before, after)
    changes += _compare_status(Kind.STARTTLS_STATUS, before.starttls_status, after.starttls_status)
    changes += _compare_certificates(before, after)
    return tuple(changes)


def judge_age(facts: Facts, now: datetime) -> tuple[Finding, ...]:
    """Say that a policy has been in testing for long; testing refuses no mail to anyone."""
    if facts.policy_mode is not Mode.TESTING or facts.mode_since is None:
        return ()
    age = now - facts.mode_since
    return (info("sts.testing.long", days=age.days),) if age > _LONG_TESTING else ()


def _both_seen(before: Status, after: Status) -> bool:
    return before not in _UNSEEN and after not in _UNSEEN


def _compare_tlsrpt(before: Facts, after: Facts) -> list[Change]:
    changes = []
    if before.tlsrpt_record != after.tlsrpt_record:
        findings: list[Finding] = []
        if before.tlsrpt_status is Status.MISSING:
            findings.append(info("change.tlsrpt.added"))
        elif after.tlsrpt_status is Status.MISSING:
            findings.append(error("change.tlsrpt.removed"))
        else:
            findings.append(info("change.tlsrpt.changed"))
            lost = [uri for uri in before.tlsrpt_rua if uri not in after.tlsrpt_rua]
            if after.tlsrpt_status is Status.VALID:
                findings += [warning("change.tlsrpt.rua-removed", uri=uri[:120]) for uri in lost]
        changes.append(
            Change(
                kind=Kind.TLSRPT_RECORD,
                before=before.tlsrpt_record,
                after=after.tlsrpt_record,
                findings=tuple(findings),
            )
        )
    changes += _compare_status(Kind.TLSRPT_STATUS, before.tlsrpt_status, after.tlsrpt_status)
    return changes


def _compare_sts(before: Facts, after: Facts) -> list[Change]:
    changes = []
    if before.sts_record != after.sts_record:
        changes.append(
            Change(
                kind=Kind.STS_RECORD,
                before=before.sts_record,
                after=after.sts_record,
                findings=_judge_sts_record(before, after),
            )
        )
    changes += _compare_status(Kind.STS_STATUS, before.sts_status, after.sts_status)
    if before.policy_sha256 is None or after.policy_sha256 is None:
        return changes
    if before.policy_sha256 != after.policy_sha256:
        findings = [info("change.sts.policy-changed")]
        if before.sts_id == after.sts_id and after.sts_id is not None:
            # Senders fetch again only when the id differs (section 3.1, 8.1).
            max_age_s = before.policy_max_age_s
            findings.append(
                warning("change.sts.id-not-bumped", id=after.sts_id, max_age_s=max_age_s)
            )
        changes.append(
            Change(
                kind=Kind.STS_POLICY,
                before=before.policy_text,
                after=after.policy_text,
                findings=tuple(findings),
            )
        )
    return [*changes, *_compare_terms(before, after)]


def _judge_sts_record(before: Facts, after: Facts) -> tuple[Finding, ...]:
    if before.sts_status is Status.MISSING:
        return (info("change.sts.added"),)
    if after.sts_status is Status.MISSING:
        until = before.cached_until
        if until is not None and until > after.observed_at:
            # A missing record does not cancel what senders hold (sections 3.1 and 5.1).
            return (error("change.sts.removed-while-cached", safe_after=format_time(until)),)
        return (info("change.sts.removed"),)
    # A policy out of reach is carried over, so only a valid one was seen to be the same.
    is_body_same = (
        after.sts_status is Status.VALID
        and before.policy_sha256 is not None
        and before.policy_sha256 == after.policy_sha256
    )
    if before.sts_id != after.sts_id and after.sts_id is not None and is_body_same:
        return (info("change.sts.id-only", id=after.sts_id),)
    return (info("change.sts.record-changed"),)


def _compare_terms(before: Facts, after: Facts) -> list[Change]:
    changes = []
    old_mode, new_mode = before.policy_mode, after.policy_mode
    if old_mode is not None and new_mode is not None and old_mode is not new_mode:
        is_weaker = _STRENGTH[new_mode] < _STRENGTH[old_mode]
        finding = (
            warning("change.sts.weakened", before=old_mode.value, after=new_mode.value)
            if is_weaker
            else info("change.sts.strengthened", before=old_mode.value, after=new_mode.value)
        )
        changes.append(
            Change(
                kind=Kind.STS_MODE,
                before=old_mode.value,
                after=new_mode.value,
                findings=(finding,),
            )
        )
    old_age, new_age = before.policy_max_age_s, after.policy_max_age_s
    if old_age is not None and new_age is not None and old_age != new_age:
        finding = (
            warning("change.sts.max-age-cut", before_s=old_age, after_s=new_age)
            if new_age < old_age
            else info("change.sts.max-age-raised", before_s=old_age, after_s=new_age)
        )
        changes.append(
            Change(
                kind=Kind.STS_MAX_AGE,
                before=str(old_age),
                after=str(new_age),
                findings=(finding,),
            )
        )
    return changes


def _compare_mx(before: Facts, after: Facts) -> list[Change]:
    changes = []
    if set(before.mx) != set(after.mx) or before.mx_status is not after.mx_status:
        changes.append(
            Change(
                kind=Kind.MX,
                before=_show_mx(before),
                after=_show_mx(after),
                findings=_judge_mx(before, after),
            )
        )
    newly = sorted(set(after.mx_uncovered) - set(before.mx_uncovered))
    gone = sorted(set(before.mx_uncovered) - set(after.mx_uncovered))
    mode = after.policy_mode
    if (newly or gone) and mode is not None:
        findings = tuple(
            Finding("change.mx.uncovered", severity_under(mode), {"mx": host, "mode": mode.value})
            for host in newly
        ) or (info("change.mx.covered", mx=gone[0]),)
        changes.append(
            Change(
                kind=Kind.MX_COVERAGE,
                before=", ".join(before.mx_uncovered),
                after=", ".join(after.mx_uncovered),
                findings=findings,
            )
        )
    if before.provider != after.provider:
        finding = info(
            "change.mx.provider", before=before.provider or "-", after=after.provider or "-"
        )
        changes.append(
            Change(
                kind=Kind.PROVIDER,
                before=before.provider,
                after=after.provider,
                findings=(finding,),
            )
        )
    return changes


def _judge_mx(before: Facts, after: Facts) -> tuple[Finding, ...]:
    if after.mx_status is Status.NULL_MX:
        return (info("change.mx.null"),)
    if before.mx_status is Status.VALID and after.mx_status is Status.MISSING:
        return (error("change.mx.removed"),)
    return (info("change.mx.changed"),)


def _show_mx(facts: Facts) -> str | None:
    return "0 ." if facts.mx_status is Status.NULL_MX else "\n".join(facts.mx) or None


def _compare_dane(before: Facts, after: Facts) -> list[Change]:
    changes = []
    if before.tlsa != after.tlsa:
        if not after.tlsa:
            finding = warning("change.dane.removed")
        elif not before.tlsa:
            finding = info("change.dane.added")
        else:
            finding = info("change.dane.changed")
        changes.append(
            Change(
                kind=Kind.DANE,
                before="\n".join(before.tlsa) or None,
                after="\n".join(after.tlsa) or None,
                findings=(finding,),
            )
        )
    changes += _compare_status(Kind.DANE_STATUS, before.dane_status, after.dane_status)
    return changes


_BROKEN_CODES = {
    Kind.TLSRPT_STATUS: "change.tlsrpt.broken",
    Kind.STS_STATUS: "change.sts.broken",
    Kind.DANE_STATUS: "change.dane.broken",
    Kind.STARTTLS_STATUS: "change.starttls.broken",
}
_REPAIRED_CODES = {
    Kind.TLSRPT_STATUS: "change.tlsrpt.repaired",
    Kind.STS_STATUS: "change.sts.repaired",
    Kind.DANE_STATUS: "change.dane.repaired",
    Kind.STARTTLS_STATUS: "change.starttls.repaired",
}


def _compare_status(kind: Kind, before: Status, after: Status) -> list[Change]:
    """Tell of breaking and repair; coming and going is told with the record itself."""
    if before is after or not _both_seen(before, after):
        return []
    findings: tuple[Finding, ...] = ()
    if before is Status.VALID and (after is Status.INVALID or kind is Kind.STARTTLS_STATUS):
        findings = (error(_BROKEN_CODES[kind]),)
    elif after is Status.VALID and before is Status.INVALID:
        findings = (info(_REPAIRED_CODES[kind]),)
    return [Change(kind=kind, before=before.value, after=after.value, findings=findings)]


_RENEWED_CODES = {
    Kind.STS_CERTIFICATE: ("change.sts.cert-renewed", "change.sts.cert-renewed-late"),
    Kind.MX_CERTIFICATE: ("change.starttls.cert-renewed", "change.starttls.cert-renewed-late"),
}


def _compare_certificates(before: Facts, after: Facts) -> list[Change]:
    changes = []
    if before.policy_cert is not None and after.policy_cert is not None:
        pair = before.policy_cert, after.policy_cert
        changes += _compare_issue(Kind.STS_CERTIFICATE, *pair, after.observed_at)
    known = {kept.host: kept for kept in before.mx_certs}
    # The policy host, and MX hosts under enforce, are refused and accepted by their status.
    is_told = before.starttls_status is Status.INVALID and after.starttls_status is Status.VALID
    for kept in after.mx_certs:
        earlier = known.get(kept.host)
        if earlier is None:
            continue
        changes += _compare_issue(Kind.MX_CERTIFICATE, earlier, kept, after.observed_at)
        is_mended = kept.standing is Standing.MENDED and earlier.standing is not Standing.MENDED
        if is_mended and not is_told:
            finding = warning(
                "change.starttls.cert-mended",
                mx=kept.host,
                not_after=format_time(kept.not_after),
            )
            changes.append(
                Change(
                    kind=Kind.MX_CERTIFICATE_STATUS,
                    before=f"{kept.host}, refused",
                    after=_show_certificate(kept),
                    findings=(finding,),
                )
            )
    return changes


def _compare_issue(
    kind: Kind, before: KeptCertificate, after: KeptCertificate, now: datetime
) -> list[Change]:
    """Tell of a renewal: a certificate that passes and was issued later than the one known."""
    if after.standing is not Standing.PASSES or after.not_before <= before.not_before:
        return []
    is_late = before.not_after < now
    if after.is_short_lived and before.is_short_lived and not is_late:
        return []
    told = warning if is_late else info
    finding = told(
        _RENEWED_CODES[kind][is_late],
        host=after.host,
        not_before=format_time(after.not_before),
        not_after=format_time(after.not_after),
        earlier_not_before=format_time(before.not_before),
        earlier_not_after=format_time(before.not_after),
    )
    return [
        Change(
            kind=kind,
            before=_show_certificate(before),
            after=_show_certificate(after),
            findings=(finding,),
        )
    ]


def _show_certificate(kept: KeptCertificate) -> str:
    return f"{kept.host}{VALID_UNTIL}{kept.not_after.date().isoformat()}"
