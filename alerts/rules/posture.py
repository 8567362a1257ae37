"""What is wrong with a domain's records, policy and certificates, by consequence; pure.

Judged is the state that two checks in a row have seen. What could not be found out is neither wrong
nor mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from alerts.rules.kinds import Severity
from domains.lacks import Lack, implied_by
from domains.operators import operator_of
from mailtls.aspects import Status
from mailtls.facts import Facts
from mailtls.sts_policy import Mode

_UNSEEN = frozenset({Status.UNKNOWN, Status.NOT_CHECKED})
_STRENGTH = {Mode.NONE: 0, Mode.TESTING: 1, Mode.ENFORCE: 2}
RUA_CODES = frozenset(
    {"tlsrpt.rua.ours-missing", "tlsrpt.rua.ours-not-first", "tlsrpt.rua.near-ours"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong, by its code of the catalogue.

    `site` is what other domains with the same trouble share; empty where it is the domain's own.
    """

    code: str
    severity: Severity
    site: str = ""
    params: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureRule:
    """What of a domain's confirmed state is told.

    It is over after `clean_checks` checks in a row that find it mended.
    """

    clean_checks: int = 2
    certificate_days: int = 21
    tells_small: bool = False

    def find(self, facts: Facts, judgement: Mapping[str, Any], now: datetime) -> Iterator[Trouble]:
        """Give what is wrong now, whether or not it was right before."""
        is_enforced = facts.policy_mode is Mode.ENFORCE
        worst = Severity.CRITICAL if is_enforced else Severity.MEDIUM
        told = set()
        for host in sorted(facts.mx_uncovered):
            operator = operator_of(host)
            if facts.policy_mode in {Mode.ENFORCE, Mode.TESTING} and operator not in told:
                told.add(operator)
                params = {"mx": host, "mode": facts.policy_mode.value, "suggestion": host}
                yield Trouble(
                    code="sts.mx.not-covered", severity=worst, site=operator, params=params
                )
        if facts.tlsrpt_status is Status.INVALID:
            yield Trouble(code="change.tlsrpt.broken", severity=Severity.MEDIUM)
        if facts.sts_status is Status.INVALID:
            # Senders that hold the policy keep to it; to new ones mail goes out unprotected.
            yield Trouble(code="change.sts.broken", severity=Severity.HIGH)
        if facts.dane_status is Status.INVALID:
            yield Trouble(
                code="change.dane.broken", severity=Severity.CRITICAL, site=mx_operator(facts)
            )
        if facts.starttls_status is Status.INVALID:
            severity = Severity.CRITICAL if is_enforced else Severity.HIGH
            yield Trouble(code="change.starttls.broken", severity=severity, site=mx_operator(facts))
        yield from self.find_certificates(facts, now)
        tlsrpt = judgement.get("tlsrpt", {})
        if facts.tlsrpt_status is Status.VALID and tlsrpt.get("record") == facts.tlsrpt_record:
            for finding in tlsrpt.get("findings", ()):
                if finding["code"] in RUA_CODES:
                    is_first = finding["code"] == "tlsrpt.rua.ours-not-first"
                    severity = Severity.LOW if is_first else Severity.MEDIUM
                    yield Trouble(code=finding["code"], severity=severity, params=finding["params"])

    def find_certificates(self, facts: Facts, now: datetime) -> Iterator[Trouble]:
        """Give the certificates that end or have ended; of the MX hosts, that which ends first."""
        policy_host = f"mta-sts.{facts.domain}"
        mx_host = facts.mx[0].split()[-1] if facts.mx else facts.domain
        for kept in facts.mx_certs:
            if kept.not_after == facts.mx_cert_not_after:
                mx_host = kept.host
                break
        ends = (
            ("sts.cert.expires-soon", policy_host, facts.policy_cert_not_after, facts.sts_status),
            ("starttls.cert.expires-soon", mx_host, facts.mx_cert_not_after, facts.starttls_status),
        )
        for code, host, not_after, status in ends:
            if not_after is None or status in _UNSEEN:
                continue
            days = (not_after - now).total_seconds() / 86_400
            if days <= self.certificate_days:
                severity = Severity.MEDIUM if days > 7 else Severity.HIGH
                # A policy that cannot be read refuses no mail.
                is_of_mx = code == "starttls.cert.expires-soon"
                if days <= 1 and is_of_mx and facts.policy_mode is Mode.ENFORCE:
                    severity = Severity.CRITICAL
                # The same end to the second is the same certificate.
                site = f"{not_after:%Y-%m-%dT%H:%M:%SZ}"
                params = {
                    "host": host,
                    "mx": host,
                    "days": int(max(0, days)),
                    "not_after": not_after.date().isoformat(),
                    "has_ended": days < 0,
                }
                yield Trouble(code=code, severity=severity, site=site, params=params)

    def read_change(self, code: str, params: Mapping[str, Any], facts: Facts) -> Trouble | None:
        """Give what a confirmed change means as long as it holds; None for a harmless one."""
        severity = _CHANGES.get(code)
        if severity is None or (severity is Severity.LOW and not self.tells_small):
            return None
        site = mx_operator(facts) if code in {"change.dane.removed", "change.mx.removed"} else ""
        kept = dict(params) | {"sts_id": facts.sts_id}
        if code == "change.sts.weakened" and facts.policy_mode is not None:
            kept["after"] = facts.policy_mode.value
        return Trouble(code=code, severity=severity, site=site, params=kept)

    def read_past(self, code: str, params: Mapping[str, Any], facts: Facts) -> Trouble | None:
        """Give what a change of the past meant, also where `find` tells it while it holds."""
        if code == "change.mx.uncovered":
            mx, mode = str(params.get("mx", "")), str(params.get("mode", ""))
            severity = Severity.CRITICAL if mode == Mode.ENFORCE else Severity.MEDIUM
            told = {"mx": mx, "mode": mode, "suggestion": mx}
            return Trouble(
                code="sts.mx.not-covered", severity=severity, site=operator_of(mx), params=told
            )
        if code in _BREAKS:
            severity = _BREAKS[code]
            if code == "change.starttls.broken" and facts.policy_mode is Mode.ENFORCE:
                severity = Severity.CRITICAL
            is_of_mx = code in {"change.dane.broken", "change.starttls.broken"}
            return Trouble(
                code=code, severity=severity, site=mx_operator(facts) if is_of_mx else ""
            )
        return self.read_change(code, params, facts)


_BREAKS = {
    "change.tlsrpt.broken": Severity.MEDIUM,
    "change.sts.broken": Severity.HIGH,
    "change.dane.broken": Severity.CRITICAL,
    "change.starttls.broken": Severity.HIGH,
}
_CHANGES = {
    "change.tlsrpt.removed": Severity.MEDIUM,
    "change.tlsrpt.rua-removed": Severity.LOW,
    "change.sts.removed": Severity.HIGH,
    "change.sts.removed-while-cached": Severity.HIGH,
    "change.sts.weakened": Severity.HIGH,
    "change.sts.id-not-bumped": Severity.MEDIUM,
    "change.sts.max-age-cut": Severity.LOW,
    "change.dane.removed": Severity.HIGH,
    "change.mx.removed": Severity.CRITICAL,
}

# Without TLSA records mail goes as it does elsewhere. Failures that senders report are a part of
# the incident and keep it open; without any, the removal was meant.
TAKEN_AS_MEANT_AFTER = {"change.dane.removed": timedelta(days=14)}

# What is no trouble where an exception allows it.
LACKS: Mapping[str, frozenset[Lack]] = {
    "change.tlsrpt.removed": frozenset({Lack.TLSRPT}),
    "change.sts.removed": frozenset({Lack.MTA_STS}),
    "change.sts.removed-while-cached": frozenset({Lack.MTA_STS}),
    "change.sts.weakened": implied_by(Lack.ENFORCE),
    "change.dane.removed": frozenset({Lack.DANE}),
}


# A certificate that ends and then has ended is one trouble, in other words.
_ENDED = {
    "sts.cert.expires-soon": "sts.cert.expired",
    "starttls.cert.expires-soon": "starttls.cert.expired",
}


def differing_hosts(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """Give the parameters that name a host, and not the same one everywhere."""
    return sorted(
        name for name in ("host", "mx") if len({one[name] for one in told if name in one}) > 1
    )


def in_general(params: Mapping[str, Any], differing: Sequence[str]) -> dict[str, Any]:
    """Give the parameters for words about several domains, each of which has hosts of its own."""
    return {
        name: f"{value} and others" if name in differing else value
        for name, value in params.items()
    }


def worded_as(code: str, params: Mapping[str, Any]) -> str:
    """Give the code of the catalogue that has the words of a trouble."""
    return _ENDED.get(code, code) if params.get("has_ended") else code


def still_holds(code: str, params: Mapping[str, Any], facts: Facts) -> bool | None:
    """Say whether a change that was told is still so; None where nobody knows."""
    if not was_seen(code, facts):
        return None
    checks = {
        "change.tlsrpt.removed": lambda: facts.tlsrpt_status is Status.MISSING,
        "change.sts.removed": lambda: facts.sts_status is Status.MISSING,
        "change.sts.removed-while-cached": lambda: facts.sts_status is Status.MISSING,
        "change.sts.id-not-bumped": lambda: facts.sts_id == params.get("sts_id"),
        "change.sts.weakened": lambda: _is_weaker(facts, str(params.get("before", ""))),
        "change.dane.removed": lambda: not facts.tlsa,
        "change.mx.removed": lambda: facts.mx_status is Status.MISSING,
    }
    check = checks.get(code)
    return check() if check is not None else False


def was_seen(code: str, facts: Facts) -> bool:
    """Say whether the newest check found out what a finding is about, or carried it over."""
    topic = code.removeprefix("change.").partition(".")[0]
    aspects = {"mta_sts" if topic == "sts" else topic}
    if code == "sts.mx.not-covered":
        aspects.add("mx")
    return aspects.isdisjoint(facts.stale)


def _is_weaker(facts: Facts, before: str) -> bool:
    if facts.policy_mode is None or before not in set(Mode):
        return False
    return _STRENGTH[facts.policy_mode] < _STRENGTH[Mode(before)]


def rua_operator(facts: Facts) -> str:
    """Give who receives the reports: the operator of the first rua destination."""
    for uri in facts.tlsrpt_rua[:1]:
        _, _, address = uri.partition(":")
        host = address.rpartition("@")[2] if uri.startswith("mailto:") else urlsplit(uri).hostname
        return operator_of(host or "")
    return ""


def mx_operator(facts: Facts) -> str:
    """Give the operator of the MX hosts."""
    hosts = sorted(line.split()[-1] for line in facts.mx if line)
    return operator_of(hosts[0]) if hosts else ""
