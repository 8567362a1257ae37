"""What an incident is about in words: by the kind of its rule and what the rule kept."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.models import Incident
from alerts.rules import RuleKind
from mailtls.catalogue.result_types import describe_result_type
from webui.findings import word

# Rules whose incidents are about failed sessions.
RATE_KINDS = frozenset({RuleKind.REGRESSION, RuleKind.FAILURE_RATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseWords:
    """Title, meaning, likely reasons and what to do."""

    title: str
    meaning: str
    causes: str = ""
    action: str = ""
    section: str = ""


_SILENCE = CauseWords(
    title="Reports that used to come do not come",
    meaning="Senders that reported regularly have stopped. Until reports come again, failures "
    "stay unseen.",
    causes="The TLSRPT record changed or is gone; the mailbox is full or a filter takes the "
    "mails; an intake was revoked; the reporter itself has trouble, which it then has for all "
    "domains at once.",
    action="Look at the record of a touched domain, send a mail to the address in it, and see "
    "whether the Inbox holds something that could not be read.",
    section="RFC 8460 3",
)
_COVERAGE = CauseWords(
    title="New domains without records",
    meaning="These domains had the time to get TLSRPT and MTA-STS records, and lack some.",
    action="Write the exact lines for all of them with the DNS kit, or tag those that are to stay "
    "without and leave them out of the rule.",
)


def cause_words(incident: Incident) -> CauseWords:
    """Give the words of an incident's cause."""
    kind = RuleKind(incident.rule.kind)
    if kind is RuleKind.SILENCE:
        return _SILENCE
    if kind is RuleKind.COVERAGE:
        return _COVERAGE
    if kind is RuleKind.POSTURE and (code := incident.evidence.get("code")):
        found = word(
            {"code": code, "severity": "error", "params": incident.evidence.get("params", {})}
        )
        return CauseWords(
            title=found.title,
            meaning=found.meaning,
            action=found.remedy,
            section=found.section,
        )
    known = describe_result_type(incident.result_type)
    return CauseWords(
        title=known.title,
        meaning=known.meaning,
        causes=known.causes,
        action=known.action,
        section=known.section,
    )
