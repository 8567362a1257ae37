"""The five aspects of a verdict, as pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from domains import signs
from domains.lacks import Lack
from domains.models import CoverageException, Posture, Status
from mailtls.findings import Severity
from webui.findings import WordedFinding, word_all, worst_first
from webui.status import Sign, Tone
from webui.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One thing a domain publishes, as the page shows it."""

    title: str
    sign: Sign
    findings: list[WordedFinding]
    stored: dict[str, Any]
    # The mark of the exception that excuses the state, where one does.
    mark: Sign | None = None


def read_aspects(
    posture: Posture | None, held: Mapping[Lack, CoverageException] | None = None
) -> dict[str, Aspect]:
    """Give the five aspects with their findings in words; empty before the first check.

    `held` are the domain's running exceptions.
    """
    if posture is None:
        return {}
    named = {
        "tlsrpt": ("TLSRPT record", signs.tlsrpt_sign(posture)),
        "mta_sts": ("MTA-STS", signs.mta_sts_sign(posture)),
        "mx": ("MX hosts", signs.mx_sign(posture)),
        "dane": ("DANE", signs.dane_sign(posture)),
        "starttls": ("STARTTLS", signs.starttls_sign(posture)),
    }
    aspects = {}
    for key, (title, sign) in named.items():
        stored = posture.judgement.get(key, {})
        findings = word_all(stored.get("findings", []))
        excuse = signs.excuse_of(key, posture, held or {})
        aspects[key] = Aspect(
            title=title,
            sign=_seen_whole(sign, stored),
            findings=findings,
            stored=stored,
            mark=signs.excepted_sign(excuse) if excuse else None,
        )
    return aspects


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a look at a domain comes to, in a sentence, and what to do about it."""

    tone: Tone
    what: str
    then: str = ""


def verdict_of(aspects: Mapping[str, Aspect]) -> Verdict:
    """Give the worst finding and how many more there are, or that nothing is wrong."""
    found = [one for aspect in aspects.values() for one in aspect.findings]
    wrong = worst_first(one for one in found if one.severity is not Severity.INFO)
    if wrong:
        worst, *others = wrong
        more = f" {plural(len(others), 'more thing is', 'more things are')} wrong, see below."
        return Verdict(
            tone=worst.sign.tone,
            what=f"{worst.title}. {worst.meaning}".strip(),
            then=f"{worst.remedy}{more if others else ''}".strip(),
        )
    if any(one.stored.get("status") == Status.UNKNOWN for one in aspects.values()):
        what = "Not all of it could be found out. What could be seen is well."
        return Verdict(tone=Tone.NONE, what=what)
    return Verdict(tone=Tone.OK, what="Checks see nothing wrong with what it publishes.")


def _seen_whole(sign: Sign, stored: Mapping[str, Any]) -> Sign:
    """Say of MX hosts that are all well by themselves what is wrong with them elsewhere."""
    is_hole = any(host.get("covered") is False for host in stored.get("hosts", ()))
    if sign.tone is Tone.OK and is_hole:
        meaning = "Not all of them are in the policy: see MTA-STS."
        return replace(_COVER[False], meaning=meaning)
    return sign


@dataclass(frozen=True, slots=True, kw_only=True)
class MxHost:
    """One MX host as the page shows it."""

    name: str
    preference: int
    cover: Sign
    starttls: Sign
    expires_on: date | None
    # What reports say of it, and where that is told.
    reported: str = ""
    reported_href: str = ""


_COVER = {
    True: Sign(Tone.OK, "Covered"),
    False: Sign(Tone.BAD, "Not covered", "", "No mx line of the policy matches this name."),
    None: Sign(Tone.NONE, "No policy", "dash"),
}


def read_mx_hosts(aspects: dict[str, Aspect]) -> list[MxHost]:
    """Give the MX hosts with what policy and port 25 say of each."""
    if not aspects:
        return []
    visited = {host["name"]: host for host in aspects["starttls"].stored.get("hosts", [])}
    hosts = []
    for host in aspects["mx"].stored.get("hosts", []):
        seen = visited.get(host["name"], {})
        not_after = seen.get("not_after")
        hosts.append(
            MxHost(
                name=host["name"],
                preference=host["preference"],
                cover=_COVER[host.get("covered")],
                starttls=signs.status_of_starttls(seen.get("status", Status.NOT_CHECKED)),
                expires_on=date.fromisoformat(not_after[:10]) if not_after else None,
            )
        )
    return hosts


def max_age(aspects: dict[str, Aspect]) -> str:
    """Give how long senders keep the policy, in days where it is days."""
    policy = (aspects["mta_sts"].stored.get("policy") or {}) if aspects else {}
    seconds = policy.get("max_age")
    if seconds is None:
        return ""
    days, rest = divmod(int(seconds), 86400)
    text = plural(days, "day") if not rest or days > 2 else plural(int(seconds), "second")
    return f"{text} (max_age {seconds})"
