"""What people do with incidents."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts import access
from accounts.models import Membership, User
from accounts.roles import Role
from alerts.lifecycle import Event, State
from alerts.models import MOST_TEXT_CHARS, Incident
from alerts.services import clock
from alerts.services.incidents import step
from alerts.services.resting import was_resolved_by_person
from webui.wording import day, too_long

# Who mutes means to look again soon; whatever was acceptable two years ago deserves another look.
LONGEST_MUTE = timedelta(days=90)
LONGEST_ACCEPTANCE = timedelta(days=2 * 365 + 1)


def may_handle(incident: Incident, user: User) -> bool:
    """Say whether this person is analyst for at least one of the domains it touches."""
    if access.may(user, Role.ANALYST, None):
        return True
    mine = access.teams_for(user, Role.ANALYST)
    return incident.incident_domains.filter(domain__team__in=mine).exists()


def people_who_may_handle(incident: Incident) -> QuerySet[User]:
    """Give everybody of whom `may_handle` is true."""
    roles = [role for role in Role if role.includes(Role.ANALYST)]
    teams = incident.incident_domains.order_by().values("domain__team")
    held = Membership.objects.filter(team__in=teams, role__in=roles).values("user")
    allowed = Q(is_superuser=True) | Q(role_everywhere__in=roles) | Q(pk__in=held)
    return User.objects.filter(allowed, is_active=True)


def acknowledge(incident: Incident, user: User, text: str = "") -> None:
    """Say that somebody works on it; takes it on where nobody has."""
    with transaction.atomic():
        held = _locked(incident, user)
        step(held, Event.ACKNOWLEDGE, _kept(text), user=user)
        held.assignee = held.assignee or user
        # Who takes on what was muted or accepted has not taken it on until then.
        clock.go_on(held, timezone.now())
        held.save(update_fields=["assignee", "quiet_until", "due_at"])


def assign(incident: Incident, user: User, assignee: User | None) -> None:
    """Give it to a person who may act on it, or to nobody."""
    with transaction.atomic():
        held = _locked(incident, user)
        if assignee is not None and not may_handle(held, assignee):
            raise ValidationError(
                f"{assignee} may not act on this incident: it takes the role analyst for one of "
                "the domains."
            )
        held.assignee = assignee
        held.save(update_fields=["assignee"])
        step(held, Event.ASSIGN, f"to {assignee}" if assignee else "to nobody", user=user)


def comment(incident: Incident, user: User, text: str) -> None:
    """Add a comment to the timeline."""
    if not text.strip():
        raise ValidationError("A comment needs some text.")
    with transaction.atomic():
        step(_locked(incident, user), Event.COMMENT, _kept(text), user=user)


def mute(incident: Incident, user: User, until: datetime, text: str = "") -> None:
    """Keep quiet about it until a time."""
    _check_end(until, LONGEST_MUTE, "90 days", "It can be muted again.")
    _quiet(incident, user, Event.MUTE, until, text)


def accept_risk(incident: Incident, user: User, until: datetime, text: str) -> None:
    """Accept the risk until a time, with a reason."""
    if not text.strip():
        raise ValidationError("Say why the risk is accepted: an auditor will ask.")
    _check_end(until, LONGEST_ACCEPTANCE, "two years", "It can be accepted again.")
    _quiet(incident, user, Event.ACCEPT_RISK, until, text)


def resolve(incident: Incident, user: User, text: str = "") -> None:
    """Say that it is over; `words.how_it_returns` says when it comes back by itself."""
    text = _kept(text)
    with transaction.atomic():
        held = _locked(incident, user)
        held.resolved_at = timezone.now()
        clock.go_on(held, held.resolved_at)
        held.save(update_fields=["resolved_at", "quiet_until", "due_at"])
        step(held, Event.RESOLVE, text, user=user)
        for part in held.parts.active():
            part.resolved_at = held.resolved_at
            part.save(update_fields=["resolved_at"])
            step(part, Event.RESOLVE, text, user=user)


def reopen(incident: Incident, user: User, text: str = "") -> None:
    """Take back that it is over, or end what keeps quiet about it. The time to deal with it is the
    one there was."""
    text = _kept(text)
    with transaction.atomic():
        held = _locked(incident, user)
        if held.state == State.RESOLVED:
            if not was_resolved_by_person(held):
                raise ValidationError(
                    "The portal saw that it was over, and opens it again should it return."
                )
            if _is_open_elsewhere(held):
                raise ValidationError("The same cause is open again as another incident.")
        resolved_at, held.resolved_at = held.resolved_at, None
        clock.go_on(held, timezone.now())
        held.save(update_fields=["resolved_at", "quiet_until", "due_at"])
        step(held, Event.REOPEN, text, user=user)
        # What was resolved with it.
        for part in held.parts.filter(state=State.RESOLVED, resolved_at=resolved_at):
            if not _is_open_elsewhere(part):
                part.resolved_at = None
                part.save(update_fields=["resolved_at"])
                step(part, Event.REOPEN, text, user=user)


def _is_open_elsewhere(resolved: Incident) -> bool:
    same = Incident.objects.active().filter(rule=resolved.rule_id, cause_key=resolved.cause_key)
    return same.exists()


def _quiet(incident: Incident, user: User, event: Event, until: datetime, text: str) -> None:
    with transaction.atomic():
        held = _locked(incident, user)
        clock.stand_still(held, until, timezone.now())
        held.save(update_fields=["quiet_until", "due_at"])
        words = f"until {day(until.date())} {until:%H:%M} UTC. {_kept(text)}"
        step(held, event, words.strip(), user=user)


def _check_end(until: datetime, longest: timedelta, words: str, after: str) -> None:
    """Raise ValidationError for an end that is over, or too far ahead to be looked at again."""
    now = timezone.now()
    if until <= now:
        raise ValidationError("The end lies in the past.")
    last_on = (now + longest).date()
    if until.date() > last_on:
        raise ValidationError(f"At most {words}: until {day(last_on)}. {after}")


def _kept(text: str) -> str:
    """Give what a person wrote as the timeline has it; ValidationError where it is too much."""
    kept = text.strip()
    if problem := too_long(kept, MOST_TEXT_CHARS):
        raise ValidationError(problem)
    return kept


def _locked(incident: Incident, user: User) -> Incident:
    """Read the row again for writing, or raise PermissionDenied."""
    if not may_handle(incident, user):
        raise PermissionDenied("This needs the role analyst for one of the domains.")
    return Incident.objects.select_for_update().get(pk=incident.pk)
