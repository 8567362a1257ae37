"""What an incident means, why it happens and what to do, whatever rule it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from alerts.models import Incident, RuleKind
from alerts.rules.coverage import CoverageKind
from alerts.rules.posture import TAKEN_AS_MEANT_AFTER, in_general, worded_as
from mailtls.catalogue import describe
from mailtls.catalogue.result_types import describe_result_type
from mailtls.findings import Finding, Severity
from webui.wording import day

_SILENCE = {
    "silent-reporter": (
        "A reporter that told of many of your domains every day has stopped.",
        (
            "The reporter has an outage or has changed its sender; your mail "
            "filter holds its reports back; the address in rua no longer takes its mail."
        ),
        (
            "Look for its mails in the filter's quarantine and at the intake's inbox. Where other "
            "reporters still arrive, wait some days before asking the reporter."
        ),
    ),
    "silent-domain": (
        "Nobody reports on the domain any more, so failures there would not be seen.",
        (
            "The TLSRPT record has been removed or names another address; the domain takes no mail "
            "any more."
        ),
        "Check the domain's TLSRPT record. Retire the domain here if it takes no mail.",
    ),
    "silent-pair": (
        "One reporter has stopped to tell of the domain; others still do.",
        "Hardly any mail from there any more, or the reporter sees another rua than you do.",
        "Check the domain's TLSRPT record from outside, and whether its MX has moved.",
    ),
    "silent-intake": (
        "The portal receives no reports at all, so it cannot see any failure.",
        (
            "The mail receiver or the web server is down, its address has changed, or "
            "the MX of the reports' address is wrong."
        ),
        "Send a mail to the intake's address and post to its URL from outside.",
    ),
}
_NEW = (
    "New domains that still have no TLSRPT record or no MTA-STS policy.",
    "The records were forgotten when the domains were registered or moved.",
    "Publish the records that each domain's page proposes, MTA-STS in mode testing at first.",
)
_COVERAGE = {
    CoverageKind.ENDING: (
        "Somebody allowed these domains to lack something until a day that is near.",
        "What was to be done until then has not been done yet.",
        "Publish what is lacking, or have the exception renewed with a reason under Coverage.",
    ),
    CoverageKind.ENDED: (
        "The exceptions are over, and the domains still lack what they were excepted from.",
        "Nobody has published it or asked for more time.",
        "Publish what is lacking, or have a new exception approved with a reason under Coverage.",
    ),
}
_TITLES = {
    CoverageKind.ENDING: "Exceptions that end soon",
    CoverageKind.ENDED: "Exceptions that have ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentWords:
    """Meaning, likely causes and what to do; texts may be empty."""

    title: str
    meaning: str
    causes: str
    action: str
    section: str = ""


def between(first_on: date | None, last_on: date | None, write: Callable[[date], str] = day) -> str:
    """Give a day, or the days between two."""
    if first_on is None or last_on is None:
        return "–"
    return write(last_on) if first_on == last_on else f"{write(first_on)} to {write(last_on)}"


def failing_days(first_on: date | None, last_on: date | None) -> str:
    """Say of which days the sessions of an incident are; empty where it is not about sessions."""
    if first_on is None or last_on is None:
        return ""
    if first_on == last_on:
        return f"on {day(last_on)}"
    return f"on the failing days from {day(first_on)} to {day(last_on)}"


def how_it_returns(incident: Incident) -> str:
    """Say what becomes of an incident that a person resolves while its cause goes on."""
    if incident.rule.kind == RuleKind.POSTURE:
        if incident.evidence.get("code") in TAKEN_AS_MEANT_AFTER:
            return "Records that were removed then count as meant: it does not come back."
        return "It comes back with the next check that still sees it."
    return "It comes back with the figures of the next day if it is not over."


def words_of(incident: Incident) -> IncidentWords:
    """Give the words of an incident."""
    kind = incident.rule.kind
    if kind == RuleKind.POSTURE:
        differing = incident.evidence.get("differing", ())
        params = in_general(incident.evidence.get("params", {}), differing)
        code = worded_as(incident.evidence.get("code", ""), params)
        entry = describe(Finding(code, Severity.WARNING, params))
        return IncidentWords(
            title=entry.title,
            meaning=entry.meaning,
            causes="",
            action=entry.remedy,
            section=entry.section,
        )
    if kind in {RuleKind.SILENCE, RuleKind.COVERAGE}:
        told = incident.evidence.get("kind", "")
        is_silence = kind == RuleKind.SILENCE
        meaning, causes, action = _SILENCE.get(told) or _COVERAGE.get(told) or _NEW
        title = _TITLES.get(told, "New domains without records")
        return IncidentWords(
            title="Reports that used to come do not come" if is_silence else title,
            meaning=meaning,
            causes=causes,
            action=action,
            section="" if told in _COVERAGE else "RFC 8460 3",
        )
    held = describe_result_type(incident.result_type)
    return IncidentWords(
        title=held.title,
        meaning=held.meaning,
        causes=held.causes,
        action=held.action,
        section=held.section,
    )
