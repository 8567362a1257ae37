"""The small state of a domain that is kept from check to check, so that changes can be told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from mailtls.aspects import Status
from mailtls.kept_certificates import KeptCertificate, keep_mx_hosts, keep_policy_host
from mailtls.observed import FetchResult, Observed
from mailtls.posture import Posture
from mailtls.sts_policy import Mode


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a domain; what a check could not find out stands as it was before.

    `stale` names the aspects that were carried over. Later fields need defaults.
    """

    domain: str
    observed_at: datetime
    stale: tuple[str, ...] = ()
    tlsrpt_status: Status = Status.UNKNOWN
    tlsrpt_record: str | None = None
    tlsrpt_rua: tuple[str, ...] = ()
    sts_status: Status = Status.UNKNOWN
    sts_record: str | None = None
    sts_id: str | None = None
    policy_sha256: str | None = None
    policy_text: str | None = None
    policy_mode: Mode | None = None
    policy_max_age_s: int | None = None
    policy_mx: tuple[str, ...] = ()
    # The first check that saw the present mode without a break.
    mode_since: datetime | None = None
    # Until when a sender may hold a policy other than "none": the latest fetch + max_age ever
    # served. Before that day a removal leaves senders with a policy that nobody serves (8.3).
    cached_until: datetime | None = None
    mx_status: Status = Status.UNKNOWN
    mx: tuple[str, ...] = ()
    mx_uncovered: tuple[str, ...] = ()
    provider: str | None = None
    dane_status: Status = Status.UNKNOWN
    tlsa: tuple[str, ...] = ()
    starttls_status: Status = Status.UNKNOWN
    # The end of the certificates that the newest check was shown; of MX hosts the earliest.
    policy_cert_not_after: datetime | None = None
    mx_cert_not_after: datetime | None = None
    # The certificates by which a renewal is told: a memory, not what was shown last.
    policy_cert: KeptCertificate | None = None
    mx_certs: tuple[KeptCertificate, ...] = ()


_TLSRPT = ("tlsrpt_status", "tlsrpt_record", "tlsrpt_rua")
_STS = ("sts_status", "sts_record", "sts_id")
_POLICY = (
    "policy_sha256",
    "policy_text",
    "policy_mode",
    "policy_max_age_s",
    "policy_mx",
    "mode_since",
    "policy_cert_not_after",
)
_MX = ("mx_status", "mx", "provider")
_DANE = ("dane_status", "tlsa")
_STARTTLS = ("starttls_status", "mx_cert_not_after")
_FIELDS_OF_ASPECT = {
    "tlsrpt": _TLSRPT,
    "mta_sts": (*_STS, *_POLICY),
    "mx": (*_MX, "mx_uncovered"),
    "dane": _DANE,
    "starttls": _STARTTLS,
    # Aspects of their own: servers behind one name that show different certificates must not hold
    # up what is confirmed of the policy and of STARTTLS.
    "sts_cert": ("policy_cert",),
    "mx_cert": ("mx_certs",),
}
_UNSEEN = frozenset({Status.UNKNOWN, Status.NOT_CHECKED})


def encode_facts(facts: Facts) -> bytes:
    """Give the stored form (JSON)."""
    return msgspec.json.encode(facts)


def decode_facts(data: bytes) -> Facts:
    """Read the stored form; raises `msgspec.DecodeError` for what is none."""
    return msgspec.json.decode(data, type=Facts)


def facts_of(observed: Observed, posture: Posture, earlier: Facts | None) -> Facts:
    """Give the state after this check; what it could not find out is taken from `earlier`."""
    seen: dict[str, object] = {}
    stale = []
    groups = (
        ("tlsrpt", posture.tlsrpt.status, _TLSRPT, _see_tlsrpt),
        ("mta_sts", posture.mta_sts.status, _STS, _see_sts),
        ("mx", posture.mx.status, _MX, _see_mx),
        ("dane", posture.dane.status, _DANE, _see_dane),
        ("starttls", posture.starttls.status, _STARTTLS, _see_starttls),
    )
    for name, status, fields, see in groups:
        if status not in _UNSEEN or earlier is None:
            seen |= see(observed, posture)
            continue
        seen |= {field: getattr(earlier, field) for field in fields}
        if status is Status.UNKNOWN:
            stale.append(name)
    seen |= _see_policy(observed, posture, earlier)
    facts = Facts(
        domain=observed.domain,
        observed_at=observed.checked_at,
        stale=tuple(stale),
        cached_until=_extend_cache(observed, posture, earlier),
        policy_cert=keep_policy_host(observed.policy, earlier.policy_cert if earlier else None),
        mx_certs=keep_mx_hosts(observed, earlier.mx_certs if earlier else ()),
    )
    facts = msgspec.structs.replace(facts, **seen)
    return msgspec.structs.replace(facts, mx_uncovered=_find_uncovered(posture, earlier))


def adopt(before: Facts, after: Facts, aspects: Iterable[str]) -> Facts:
    """Give `before` with these aspects as they are in `after`: what two checks in a row have seen.

    When the policy may still be cached is no state but a memory: the later moment always counts.
    """
    fields = {field for aspect in aspects for field in _FIELDS_OF_ASPECT[aspect]}
    return msgspec.structs.replace(
        before,
        observed_at=after.observed_at,
        stale=after.stale,
        cached_until=after.cached_until,
        **{field: getattr(after, field) for field in fields},
    )


def with_certificates(
    facts: Facts, policy_cert: KeptCertificate | None, mx_certs: tuple[KeptCertificate, ...]
) -> Facts:
    """Give the facts as they would be had the hosts shown these certificates."""
    return msgspec.structs.replace(
        facts,
        policy_cert=policy_cert,
        mx_certs=mx_certs,
        policy_cert_not_after=policy_cert.not_after if policy_cert else None,
        mx_cert_not_after=min((kept.not_after for kept in mx_certs), default=None),
    )


def safe_to_remove_after(facts: Facts) -> datetime | None:
    """Give the moment from which the record and policy can go, or None if it is now.

    RFC 8461 section 8.3: serve mode "none" first, and wait out the longest max_age ever served.
    """
    if facts.cached_until is None or facts.cached_until <= facts.observed_at:
        return None
    return facts.cached_until


def _see_tlsrpt(_observed: Observed, posture: Posture) -> dict[str, object]:
    aspect = posture.tlsrpt
    return {
        "tlsrpt_status": aspect.status,
        "tlsrpt_record": aspect.record,
        "tlsrpt_rua": aspect.rua,
    }


def _see_sts(_observed: Observed, posture: Posture) -> dict[str, object]:
    aspect = posture.mta_sts
    return {"sts_status": aspect.status, "sts_record": aspect.record, "sts_id": aspect.id}


def _see_policy(observed: Observed, posture: Posture, earlier: Facts | None) -> dict[str, object]:
    """Give the policy in force: the one served, or the last one while the file is out of reach.

    Senders keep a policy they hold when a fetch fails (section 5.1), and so does this state.
    """
    aspect = posture.mta_sts
    if aspect.status is Status.MISSING:
        return {}
    if aspect.policy is None:
        return {field: getattr(earlier, field) for field in _POLICY} if earlier else {}
    is_same_mode = earlier is not None and earlier.policy_mode is aspect.policy.mode
    since = earlier.mode_since if earlier is not None and is_same_mode else None
    fetch = observed.policy
    body = fetch.body if fetch is not None and fetch.body is not None else b""
    certificate = fetch.certificate if fetch is not None else None
    return {
        "policy_sha256": aspect.policy_sha256,
        "policy_text": body.decode("utf-8", "replace"),
        "policy_mode": aspect.policy.mode,
        "policy_max_age_s": aspect.policy.max_age_s,
        "policy_mx": aspect.policy.mx,
        "mode_since": since or observed.checked_at,
        "policy_cert_not_after": certificate.not_after if certificate else None,
    }


def _see_mx(_observed: Observed, posture: Posture) -> dict[str, object]:
    aspect = posture.mx
    return {
        "mx_status": aspect.status,
        "mx": tuple(f"{host.preference} {host.name}" for host in aspect.hosts),
        "provider": aspect.provider,
    }


def _see_dane(_observed: Observed, posture: Posture) -> dict[str, object]:
    lines = [f"{host.name} {record}" for host in posture.dane.hosts for record in host.records]
    return {"dane_status": posture.dane.status, "tlsa": tuple(sorted(lines))}


def _see_starttls(_observed: Observed, posture: Posture) -> dict[str, object]:
    ends = [host.not_after for host in posture.starttls.hosts if host.not_after is not None]
    return {
        "starttls_status": posture.starttls.status,
        "mx_cert_not_after": min(ends, default=None),
    }


def _find_uncovered(posture: Posture, earlier: Facts | None) -> tuple[str, ...]:
    if posture.mx.status is Status.UNKNOWN or posture.mta_sts.policy is None:
        return earlier.mx_uncovered if earlier is not None else ()
    return tuple(sorted(host.name for host in posture.mx.hosts if host.covered is False))


def _extend_cache(observed: Observed, posture: Posture, earlier: Facts | None) -> datetime | None:
    before = earlier.cached_until if earlier is not None else None
    policy = posture.mta_sts.policy
    fetch = observed.policy
    if policy is None or policy.mode is Mode.NONE or fetch is None:
        return before
    if fetch.result is not FetchResult.OK:
        return before
    until = observed.checked_at + timedelta(seconds=policy.max_age_s)
    return until if before is None else max(before, until)
