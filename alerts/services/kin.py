"""Joins incidents of different rules that have one cause: the first is whole, others parts.

A part lives by its own rule and is neither shown nor told apart: its domains, figures and severity
count for the whole, and the whole is not over before its parts are.
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count

from alerts.lifecycle import Event, State
from alerts.models import Incident, IncidentDomain, Rule, RuleKind, Severity
from alerts.rules.kinds import RATE_KINDS
from alerts.rules.kinship import FAILS_WITH, Signs, is_kin, site_of
from alerts.services import clock
from alerts.services.incidents import step
from alerts.services.picture import Picture, told, told_again
from alerts.services.resting import is_resting, wake

# What a row says of sessions.
FIGURES = ("failed_sessions", "sessions", "failed_first_on", "failed_last_on")
_KINDS = (*RATE_KINDS, RuleKind.POSTURE)
# So many domains are enough to know a cause by.
_SAMPLE = 500


def find_whole(rule: Rule, picture: Picture) -> Incident | None:
    """Give the incident that is there already for the cause of a picture, found by another rule."""
    new = signs_of(RuleKind(rule.kind), picture, min(_SAMPLE, len(picture.domains)))
    if new is None:
        return None
    names = sorted(picture.domains)[:_SAMPLE]
    held = Incident.objects.active().filter(part_of=None, rule__kind__in=_KINDS)
    rows = IncidentDomain.objects.filter(incident__in=held, domain__name__in=names).order_by()
    shared = dict(rows.values_list("incident").annotate(Count("pk")))
    for incident in held.filter(pk__in=shared).select_related("rule").order_by("opened_at", "pk"):
        count = min(_SAMPLE, incident.incident_domains.count())
        signs = signs_of(RuleKind(incident.rule.kind), incident, count)
        if signs is not None and is_kin(signs, new, shared[incident.pk]):
            return incident
    return None


def join(part: Incident, picture: Picture, now: datetime, *, is_news: bool) -> None:
    """Let a part count for its whole: what it touches, its figures, its severity."""
    whole = _lock_whole(part)
    if whole.state == State.RESOLVED:
        if not _wake(whole, part, picture, now):
            return
        is_news = False  # its return says so
    _add_domains(whole, part)
    if picture.sessions:
        whole.failed_sessions, whole.sessions = picture.failed_sessions, picture.sessions
        whole.failed_first_on, whole.failed_last_on = (
            picture.failed_first_on,
            picture.failed_last_on,
        )
        whole.result_type, whole.reporters = picture.result_type, list(picture.reporters)
        whole.receiving_mx = list(picture.receiving_mx)
    whole.last_seen_on = max(whole.last_seen_on, picture.last_on)
    has_risen = Severity(part.severity).rank < Severity(whole.severity).rank
    if has_risen:
        whole.severity = part.severity
        clock.start(whole, now)
    whole.save()
    if has_risen or is_news:
        who = "Senders report it" if RuleKind(part.rule.kind) in RATE_KINDS else "The checks see it"
        event = Event.WORSEN if has_risen else Event.JOIN
        step(whole, event, *told(picture, f"{who}, too: "), at=now)


def leave(part: Incident, text: str, now: datetime) -> None:
    """Note at the whole that a part is over."""
    whole = _lock_whole(part)
    if whole.is_active:
        step(whole, Event.COMMENT, f"“{part.title}” is over. {text}", at=now)


def _lock_whole(part: Incident) -> Incident:
    assert part.part_of_id is not None
    return Incident.objects.select_for_update().get(pk=part.part_of_id)


def _wake(whole: Incident, part: Incident, picture: Picture, now: datetime) -> bool:
    """Open the whole again for a part that returned; one long gone gives the part free."""
    if not Incident.objects.filter(is_resting(now), pk=whole.pk).exists():
        part.part_of = None
        part.save(update_fields=["part_of"])
        step(part, Event.WORSEN, *told(picture), at=now)
        return False
    by_person = wake(whole, now)
    whole.save(update_fields=["resolved_at", "due_at"])
    step(whole, Event.RETURN, *told_again(picture, by_person), at=now)
    return True


def _add_domains(whole: Incident, part: Incident) -> None:
    rows = part.incident_domains.values("domain_id", "first_on", "last_on", *FIGURES)
    own = set(whole.incident_domains.filter(is_of_part=False).values_list("domain", flat=True))
    copies = [
        IncidentDomain(
            incident=whole,
            is_of_part=row["domain_id"] not in own,
            **row,
        )
        for row in rows
    ]
    for mine, fields in ((False, []), (True, ["first_on", "last_on"])):
        IncidentDomain.objects.bulk_create(
            # A row of the whole's own keeps its days, and figures only its rule may have.
            [row for row in copies if row.is_of_part is mine and (mine or row.sessions)],
            update_conflicts=True,
            unique_fields=["incident", "domain"],
            update_fields=[*FIGURES, *fields],
            batch_size=1_000,
        )


def signs_of(kind: RuleKind, shown: Picture | Incident, count: int) -> Signs | None:
    """Give what shows the cause; None for what has no kin: sessions do not fail of it."""
    if kind not in _KINDS:
        return None
    evidence = shown.evidence
    if kind in RATE_KINDS:
        return Signs(
            is_seen=False,
            types=frozenset(evidence.get("types", [shown.result_type])),
            site=evidence.get("site", ""),
            since_on=shown.since_on,
            domain_count=count,
        )
    code = evidence.get("code", "")
    if code not in FAILS_WITH:
        return None
    return Signs(
        is_seen=True,
        types=FAILS_WITH[code],
        site=site_of(code, evidence.get("site", ""), evidence.get("operators", ())),
        since_on=shown.since_on,
        domain_count=count,
    )
