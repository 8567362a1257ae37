"""What checks saw of the domains that an incident about records and policies touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from alerts.models import Incident, IncidentDomain
from alerts.rules.kinds import RuleKind
from domains.aspects import read_aspects
from domains.models import Domain, Posture, StateChange
from mailtls.findings import Severity
from tlsrpt_portal.pages.marks import change_title
from webui.findings import WordedFinding

MOST_DOMAINS = 5
MOST_CHANGES = 100
# A change is told after a second check has seen it.
CONFIRMED_WITHIN = timedelta(days=2)
# Which aspects a code is about, by how it begins; others concern all of them.
_ASPECTS = {
    "tlsrpt": ("tlsrpt",),
    "sts": ("mta_sts", "mx", "sts_cert"),
    "mx": ("mx", "mta_sts"),
    "dane": ("dane", "mx_cert"),
    "starttls": ("starttls", "mx_cert"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainEvidence:
    """What the last check says of one domain, and what had changed when it began."""

    domain: Domain
    findings: list[WordedFinding]
    changes: list[tuple[str, StateChange]]  # with its title


def read_check_evidence(
    incident: Incident, touched: Sequence[IncidentDomain]
) -> list[DomainEvidence]:
    """Give the evidence of the first touched domains; none where the incident is about reports."""
    if RuleKind(incident.rule.kind) is not RuleKind.POSTURE:
        return []
    domains = [row.domain for row in touched[:MOST_DOMAINS]]
    aspects = _aspects_of(str(incident.evidence.get("code", "")))
    postures = Posture.objects.in_bulk([domain.pk for domain in domains])
    since = incident.since_on - CONFIRMED_WITHIN
    rows = StateChange.objects.filter(
        domain__in=domains,
        aspect__in=aspects,
        seen_at__date__gte=since,
        seen_at__date__lte=incident.last_seen_on,
    )
    changes: dict[int, list[tuple[str, StateChange]]] = defaultdict(list)
    for change in rows.order_by("-seen_at")[:MOST_CHANGES]:
        if change.before or change.after:
            changes[change.domain_id].append((change_title(change), change))
    found = [
        DomainEvidence(
            domain=domain,
            findings=_findings(postures.get(domain.pk), aspects),
            changes=changes[domain.pk],
        )
        for domain in domains
    ]
    return [one for one in found if one.findings or one.changes]


def _aspects_of(code: str) -> tuple[str, ...]:
    topic = code.removeprefix("change.").partition(".")[0]
    return _ASPECTS.get(topic, tuple(dict.fromkeys(sum(_ASPECTS.values(), ()))))


def _findings(posture: Posture | None, aspects: Sequence[str]) -> list[WordedFinding]:
    held = read_aspects(posture)
    return [
        finding
        for key in aspects
        if key in held
        for finding in held[key].findings
        if finding.severity is not Severity.INFO
    ]
