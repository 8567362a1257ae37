"""Looks at the figures of the complete days and opens, feeds and closes incidents."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from alerts import facts
from alerts.grouping import Cause, group_by_cause
from alerts.lifecycle import ACTIVE_STATES, Event, State
from alerts.models import Incident, IncidentDomain, Rule, RuleKind
from alerts.rules import DayFigures, failing_days, read_failure_rate_rule
from alerts.services.incidents import step
from domains.models import Domain, DomainQuerySet

logger = logging.getLogger(__name__)

# Reports of a day come up to some days late; each evaluation looks at this many complete days.
WINDOW_DAYS = 14
# A cause that returns within this time is the same incident again, not a new one.
REOPEN_WITHIN = timedelta(days=7)
# Half of this growth in domains or failed sessions is worth a line in the timeline.
WORSE_FACTOR = 2


@dataclass(kw_only=True)
class Outcome:
    """How many incidents an evaluation touched."""

    opened: int = 0
    returned: int = 0
    fed: int = 0
    resolved: int = 0


def evaluate(now: datetime | None = None) -> Outcome:
    """Apply every active rule to the complete days (UTC) before `now`."""
    now = now or timezone.now()
    outcome = Outcome()
    _end_quiet_times(now)
    for rule in Rule.objects.filter(is_active=True, kind=RuleKind.FAILURE_RATE):
        _evaluate_rule(rule, now, outcome)
    return outcome


def rule_scope(rule: Rule) -> DomainQuerySet:
    """Give the domains a rule looks at."""
    scope = Domain.objects.active()
    return scope.filter(team=rule.team_id) if rule.team_id is not None else scope


def current_causes(rule: Rule, figures: list[DayFigures], today: date) -> list[Cause]:
    """Give the causes that are not over: failing within the last `clean_days` days with figures.

    The one judgement that live evaluation and backtest share; pure but for reading the rule.
    """
    parameters = read_failure_rate_rule(rule.parameters)
    found = []
    for cause in group_by_cause(failing_days(parameters, figures)):
        clean = _clean_days_since(cause, figures)
        # Without newer figures nobody knows that it is over; after the window it is let go.
        if clean < parameters.clean_days and cause.last_on >= today - timedelta(days=WINDOW_DAYS):
            found.append(cause)
    return found


def _clean_days_since(cause: Cause, figures: Iterable[DayFigures]) -> int:
    """Count the days after the last failing one on which the cause's domains had sessions."""
    return len(
        {
            day.day
            for day in figures
            if day.domain in cause.domains and day.day > cause.last_on and day.sessions
        }
    )


def _evaluate_rule(rule: Rule, now: datetime, outcome: Outcome) -> None:
    today = now.astimezone(UTC).date()
    since = today - timedelta(days=WINDOW_DAYS)
    parameters = read_failure_rate_rule(rule.parameters)
    figures = facts.suspicious_days(rule_scope(rule), since, today - timedelta(days=1), parameters)
    causes = {cause.key: cause for cause in current_causes(rule, figures, today)}
    for cause in causes.values():
        _take(rule, cause, now, outcome)
    for incident in Incident.objects.active().filter(rule=rule):
        if incident.cause_key not in causes:
            _close(incident, now, outcome)


def _take(rule: Rule, cause: Cause, now: datetime, outcome: Outcome) -> None:
    """Open an incident for the cause, wake the one that rested, or feed the one that is open."""
    try:
        with transaction.atomic():
            same_cause = Incident.objects.select_for_update().filter(rule=rule, cause_key=cause.key)
            incident = same_cause.filter(state__in=sorted(ACTIVE_STATES)).first()
            if incident is not None:
                if _feed(incident, cause, now):
                    outcome.fed += 1
                return
            recent = same_cause.filter(
                state=State.RESOLVED, resolved_at__gte=now - REOPEN_WITHIN
            ).first()
            if recent is not None:
                # What people closed returns only when newer days fail.
                if cause.last_on > recent.last_seen_on:
                    _feed(recent, cause, now)
                    recent.resolved_at = None
                    recent.save(update_fields=["resolved_at"])
                    step(recent, Event.RETURN, _sentence(cause), at=now)
                    outcome.returned += 1
                return
            _open(rule, cause, now)
            outcome.opened += 1
    except IntegrityError:
        # Another worker opened it between our look and our write: it is there, as wanted.
        logger.info("incident %s of rule %s is being opened elsewhere", cause.key, rule.pk)


def _open(rule: Rule, cause: Cause, now: datetime) -> None:
    incident = Incident(
        rule=rule,
        cause_key=cause.key,
        severity=rule.severity,
        title=title_of(cause),
        opened_at=now,
    )
    _write_figures(incident, cause)
    incident.save()
    _write_domains(incident, cause)
    step(incident, Event.OPEN, _sentence(cause), at=now)
    logger.info("opened incident %s: %s", incident.pk, incident.cause_key)


def _feed(incident: Incident, cause: Cause, now: datetime) -> bool:
    """Write newer figures; give whether anything had changed."""
    earlier = (incident.failed_sessions, incident.sessions, incident.last_seen_on)
    known = incident.incident_domains.count()
    if (cause.failed_sessions, cause.sessions, cause.last_on) == earlier and known == len(
        cause.domains
    ):
        return False
    worse = len(cause.domains) >= known * WORSE_FACTOR or (
        cause.failed_sessions >= max(1, earlier[0]) * WORSE_FACTOR
    )
    _write_figures(incident, cause)
    incident.save()
    _write_domains(incident, cause)
    if worse and incident.is_active:
        step(incident, Event.WORSEN, _sentence(cause), at=now, tell=False)
    return True


def _close(incident: Incident, now: datetime, outcome: Outcome) -> None:
    with transaction.atomic():
        held = Incident.objects.select_for_update().get(pk=incident.pk)
        if not held.is_active:
            return
        held.resolved_at = now
        held.quiet_until = None
        held.save(update_fields=["resolved_at", "quiet_until"])
        step(held, Event.RESOLVE, f"No failing day after {held.last_seen_on}.", at=now)
        outcome.resolved += 1


def _end_quiet_times(now: datetime) -> None:
    over = Incident.objects.filter(state__in=[State.MUTED, State.ACCEPTED], quiet_until__lte=now)
    for incident in over:
        with transaction.atomic():
            held = Incident.objects.select_for_update().get(pk=incident.pk)
            if State(held.state) in {State.MUTED, State.ACCEPTED}:
                held.quiet_until = None
                held.save(update_fields=["quiet_until"])
                step(held, Event.EXPIRE, at=now)


def _write_figures(incident: Incident, cause: Cause) -> None:
    incident.title = title_of(cause)
    incident.result_type = cause.result_type
    incident.receiving_mx = list(cause.receiving_mx)
    incident.reporters = list(cause.reporters)
    incident.since_on = min(incident.since_on or cause.since_on, cause.since_on)
    incident.last_seen_on = cause.last_on
    incident.failed_sessions = cause.failed_sessions
    incident.sessions = cause.sessions


def _write_domains(incident: Incident, cause: Cause) -> None:
    ids = dict(Domain.objects.filter(name__in=cause.domains).values_list("name", "pk"))
    teams = set(Domain.objects.filter(pk__in=ids.values()).values_list("team", flat=True))
    IncidentDomain.objects.bulk_create(
        [
            IncidentDomain(
                incident=incident,
                domain_id=ids[name],
                first_on=figures.first_on,
                last_on=figures.last_on,
                failed_sessions=figures.failed_sessions,
                sessions=figures.sessions,
            )
            for name, figures in cause.domains.items()
            if name in ids
        ],
        update_conflicts=True,
        unique_fields=["incident", "domain"],
        update_fields=["first_on", "last_on", "failed_sessions", "sessions"],
    )
    # One team owns it when all its domains are that team's.
    Incident.objects.filter(pk=incident.pk).update(team=teams.pop() if len(teams) == 1 else None)


def title_of(cause: Cause) -> str:
    """Give the incident's headline, with the figures that decide whether to open it."""
    what = cause.result_type or "failed sessions without a reported cause"
    where = (
        next(iter(cause.domains)) if len(cause.domains) == 1 else f"{len(cause.domains)} domains"
    )
    return f"{what} at {where}"[:300]


def _sentence(cause: Cause) -> str:
    rate = cause.failed_sessions / cause.sessions if cause.sessions else 0
    return (
        f"{cause.failed_sessions} of {cause.sessions} sessions failed ({rate:.1%}) at "
        f"{len(cause.domains)} domain{'s' if len(cause.domains) != 1 else ''} from "
        f"{cause.since_on} to {cause.last_on}; reported by {', '.join(cause.reporters[:5])}."
    )
