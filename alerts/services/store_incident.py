"""Writes what the rules found into incidents: opens, feeds, wakes and closes them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from alerts.lifecycle import ACTIVE_STATES, LAID_ASIDE_STATES, Event, State
from alerts.models import Incident, IncidentDomain, IncidentEvent, Rule, Severity
from alerts.services import clock, kin
from alerts.services.incidents import step
from alerts.services.picture import Picture, told, told_again
from alerts.services.resting import is_resting, wake
from alerts.silences import SilenceKind
from domains.models import Domain
from webui.wording import day, sentence_list

logger = logging.getLogger(__name__)

# This growth in domains or failed sessions is worth a line in the timeline.
WORSE_FACTOR = 2


@dataclass(kw_only=True)
class Outcome:
    """How many incidents an evaluation touched."""

    opened: int = 0
    returned: int = 0
    fed: int = 0
    resolved: int = 0


def take(rule: Rule, picture: Picture, now: datetime, outcome: Outcome) -> None:
    """Open an incident for a cause, wake the one that rested, or feed the one that is open."""
    try:
        with transaction.atomic():
            same = Incident.objects.select_for_update().filter(rule=rule, cause_key=picture.key)
            incident = same.filter(state__in=sorted(ACTIVE_STATES)).first()
            if incident is not None:
                outcome.fed += _feed(incident, picture, now)
                return
            recent = same.filter(is_resting(now)).order_by("-resolved_at").first()
            if recent is not None:
                if _is_newer(picture, recent):
                    by_person = wake(recent, now)
                    _write(recent, picture)
                    step(recent, Event.RETURN, *told_again(picture, by_person), at=now)
                    if recent.part_of_id is not None:
                        kin.join(recent, picture, now, is_news=True)
                    outcome.returned += 1
                return
            _open(rule, picture, now)
            outcome.opened += 1
    except IntegrityError:
        # Another worker opened it between our look and our write: it is there, as wanted.
        logger.info("incident %s of rule %s is being opened elsewhere", picture.key, rule.pk)


def _is_newer(picture: Picture, rested: Incident) -> bool:
    """Say whether a cause is seen after its incident was resolved: by a later check, or in the
    figures of a later day."""
    if picture.checked_at is not None:
        return rested.resolved_at is None or picture.checked_at > rested.resolved_at
    # A part that checks see goes on without newer figures.
    last_on = rested.failed_last_on if picture.failed_last_on else None
    return (picture.failed_last_on or picture.last_on) > (last_on or rested.last_seen_on)


def close(incident: Incident, text: str, now: datetime, outcome: Outcome) -> None:
    """End an incident, unless somebody was faster or a part of it goes on."""
    with transaction.atomic():
        held = Incident.objects.select_for_update().get(pk=incident.pk)
        if not held.is_active or held.parts.filter(state__in=sorted(ACTIVE_STATES)).exists():
            return
        held.resolved_at = now
        clock.go_on(held, now)
        held.save(update_fields=["resolved_at", "quiet_until", "due_at"])
        step(held, Event.RESOLVE, text, at=now)
        if held.part_of_id is not None:
            kin.leave(held, text, now)
        outcome.resolved += 1


def close_unseen(now: datetime, outcome: Outcome) -> None:
    """Close what no rule looks at any more: its own is switched off, or its domains were deleted or
    paused. What is about the portal itself has no domains."""
    # Parts first: a whole is not over before them.
    active = Incident.objects.active().order_by(F("part_of").desc(nulls_last=True), "pk")
    watched = IncidentDomain.objects.filter(incident=OuterRef("pk"), domain__is_active=True)
    unwatched = active.exclude(cause_key=SilenceKind.INTAKE).exclude(Exists(watched))
    for lost, text in (
        (active.filter(rule__is_active=False), "Its rule is switched off."),
        (unwatched, "None of its domains is watched any more."),
    ):
        for incident in lost:
            close(incident, text, now, outcome)


def end_quiet_times(now: datetime) -> None:
    """Open again what was muted or accepted until now."""
    over = Incident.objects.filter(state__in=sorted(LAID_ASIDE_STATES), quiet_until__lte=now)
    for incident in over:
        with transaction.atomic():
            held = Incident.objects.select_for_update().get(pk=incident.pk)
            if State(held.state) in LAID_ASIDE_STATES:
                clock.go_on(held, now)
                held.save(update_fields=["quiet_until", "due_at"])
                step(held, Event.EXPIRE, at=now)


def remind_of_ends(now: datetime, ahead: timedelta = timedelta(days=7)) -> None:
    """Tell once, of each acceptance, that it ends soon."""
    ending = Incident.objects.filter(
        state=State.ACCEPTED, quiet_until__gt=now, quiet_until__lte=now + ahead
    )
    accepted = IncidentEvent.objects.filter(incident=OuterRef("pk"), event=Event.ACCEPT_RISK)
    accepted_at = Subquery(accepted.order_by("-at").values("at")[:1])
    ending = ending.annotate(accepted_at=Coalesce(accepted_at, "opened_at"))
    reminded = IncidentEvent.objects.filter(
        incident=OuterRef("pk"), event=Event.REMIND, at__gte=OuterRef("accepted_at")
    )
    for incident in ending.exclude(Exists(reminded)):
        with transaction.atomic():
            held = Incident.objects.select_for_update().get(pk=incident.pk)
            if State(held.state) is State.ACCEPTED and held.quiet_until is not None:
                text = f"The accepted risk ends on {day(held.quiet_until.date())}."
                step(held, Event.REMIND, text, at=now)


def _open(rule: Rule, picture: Picture, now: datetime) -> None:
    incident = Incident(rule=rule, cause_key=picture.key, opened_at=now, severity=picture.severity)
    incident.part_of = kin.find_whole(rule, picture)
    clock.start(incident, now)
    _write(incident, picture)
    step(incident, Event.OPEN, *told(picture), at=now)
    if incident.part_of_id is not None:
        kin.join(incident, picture, now, is_news=True)
    logger.info("opened incident %s: %s", incident.pk, incident.cause_key)


def _feed(incident: Incident, picture: Picture, now: datetime) -> bool:
    """Write newer figures; give whether anything had changed."""
    earlier = (incident.failed_sessions, incident.sessions, incident.last_seen_on)
    known = incident.incident_domains.filter(is_of_part=False).count()
    severity = Severity(incident.severity)
    has_risen = picture.severity.rank < severity.rank
    newer = (picture.failed_sessions, picture.sessions, picture.last_on)
    if newer == earlier and known == len(picture.domains) and not has_risen:
        return False
    is_worse = has_risen or len(picture.domains) >= max(1, known) * WORSE_FACTOR
    is_worse = is_worse or picture.failed_sessions >= max(1, earlier[0]) * WORSE_FACTOR
    if has_risen:
        incident.severity = picture.severity
        clock.start(incident, now)
    _write(incident, picture)
    if picture.names_all:
        _let_go(incident, picture, now)
    if incident.part_of_id is not None:
        kin.join(incident, picture, now, is_news=False)
    if is_worse and incident.is_active:
        # A higher severity is news also to those who have it; more of the same is not.
        step(incident, Event.WORSEN, *told(picture), at=now, tell=has_risen)
    return True


def _let_go(incident: Incident, picture: Picture, now: datetime) -> None:
    """Take out the domains that the picture names no more, with a line that says so."""
    rows = incident.incident_domains.filter(is_of_part=False).select_related("domain")
    gone = [row for row in rows if row.domain.name not in picture.domains]
    for start in range(0, len(gone), 500):
        chunk = [row.pk for row in gone[start : start + 500]]
        IncidentDomain.objects.filter(pk__in=chunk).delete()
    if gone:
        names = sentence_list(sorted(row.domain.display_name for row in gone), 10)
        step(incident, Event.COMMENT, f"No longer part of it: {names}.", at=now)


def _write(incident: Incident, picture: Picture) -> None:
    _write_figures(incident, picture)
    incident.save()
    _write_domains(incident, picture)


def _write_figures(incident: Incident, picture: Picture) -> None:
    incident.title = picture.title
    incident.since_on = min(incident.since_on or picture.since_on, picture.since_on)
    incident.last_seen_on = max(incident.last_seen_on or picture.last_on, picture.last_on)
    incident.evidence = dict(picture.evidence)
    if incident.sessions and not picture.sessions:
        return  # those of a part
    incident.result_type = picture.result_type
    incident.receiving_mx = list(picture.receiving_mx)
    incident.reporters = list(picture.reporters)
    incident.failed_sessions = picture.failed_sessions
    incident.sessions = picture.sessions
    incident.failed_first_on = picture.failed_first_on
    incident.failed_last_on = picture.failed_last_on


def _write_domains(incident: Incident, picture: Picture) -> None:
    names = list(picture.domains)
    ids: dict[str, int] = {}
    teams: set[int | None] = set()
    for start in range(0, len(names), 500):
        rows = Domain.objects.filter(name__in=names[start : start + 500])
        for pk, name, team in rows.values_list("pk", "name", "team"):
            ids[name] = pk
            teams.add(team)
    # Where checks found it, the figures are those of a part that senders told of.
    figures = list(kin.FIGURES) if picture.sessions else []
    IncidentDomain.objects.bulk_create(
        [
            IncidentDomain(
                incident=incident,
                domain_id=ids[name],
                first_on=row.first_on,
                last_on=row.last_on,
                **{field: getattr(row, field) for field in kin.FIGURES},
            )
            for name, row in picture.domains.items()
            if name in ids
        ],
        update_conflicts=True,
        unique_fields=["incident", "domain"],
        update_fields=["first_on", "last_on", "is_of_part", *figures],
        batch_size=1_000,
    )
    # One team owns it when all its domains are that team's.
    if teams:
        incident.team_id = teams.pop() if len(teams) == 1 else None
        incident.save(update_fields=["team"])
