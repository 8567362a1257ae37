"""The life of an incident as one table; pure.

Everything that decides which state follows which stands here and nowhere else.
"""

from __future__ import annotations

from django.db.models import TextChoices


class State(TextChoices):
    """Where an incident stands."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    MUTED = "muted", "Muted"
    ACCEPTED = "accepted", "Risk accepted"
    RESOLVED = "resolved", "Resolved"


class Event(TextChoices):
    """What can happen to an incident."""

    OPEN = "opened", "Opened"
    WORSEN = "worsened", "Got worse"
    JOIN = "joined", "Seen in another way, too"
    ACKNOWLEDGE = "acknowledged", "Acknowledged"
    ASSIGN = "assigned", "Assigned"
    COMMENT = "commented", "Comment"
    MUTE = "muted", "Muted"
    ACCEPT_RISK = "accepted", "Risk accepted"
    EXPIRE = "expired", "Mute or acceptance ended"
    RESOLVE = "resolved", "Resolved"
    RETURN = "returned", "Came back"
    REOPEN = "reopened", "Opened again"
    ESCALATE = "escalated", "Nobody has taken it"
    REMIND = "reminded", "Accepted risk ends soon"


ACTIVE_STATES = frozenset({State.OPEN, State.ACKNOWLEDGED, State.MUTED, State.ACCEPTED})
# Somebody should deal with it by a time; or people decided that nobody has to until a time.
ASKING_STATES = frozenset({State.OPEN, State.ACKNOWLEDGED})
LAID_ASIDE_STATES = frozenset({State.MUTED, State.ACCEPTED})

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.OPEN, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.OPEN, Event.MUTE): State.MUTED,
    (State.OPEN, Event.ACCEPT_RISK): State.ACCEPTED,
    (State.OPEN, Event.RESOLVE): State.RESOLVED,
    (State.OPEN, Event.WORSEN): State.OPEN,
    (State.OPEN, Event.JOIN): State.OPEN,
    (State.OPEN, Event.ESCALATE): State.OPEN,
    (State.ACKNOWLEDGED, Event.MUTE): State.MUTED,
    (State.ACKNOWLEDGED, Event.ACCEPT_RISK): State.ACCEPTED,
    (State.ACKNOWLEDGED, Event.RESOLVE): State.RESOLVED,
    # Somebody works on it: a worse figure is shown, and asks nobody again.
    (State.ACKNOWLEDGED, Event.WORSEN): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.JOIN): State.ACKNOWLEDGED,
    # The same again is another end, or another reason.
    (State.MUTED, Event.MUTE): State.MUTED,
    (State.MUTED, Event.ACCEPT_RISK): State.ACCEPTED,
    (State.MUTED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.MUTED, Event.EXPIRE): State.OPEN,
    (State.MUTED, Event.REOPEN): State.OPEN,
    (State.MUTED, Event.RESOLVE): State.RESOLVED,
    (State.MUTED, Event.WORSEN): State.MUTED,
    (State.MUTED, Event.JOIN): State.MUTED,
    (State.ACCEPTED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACCEPTED, Event.ACCEPT_RISK): State.ACCEPTED,
    (State.ACCEPTED, Event.EXPIRE): State.OPEN,
    (State.ACCEPTED, Event.REOPEN): State.OPEN,
    (State.ACCEPTED, Event.REMIND): State.ACCEPTED,
    (State.ACCEPTED, Event.RESOLVE): State.RESOLVED,
    (State.ACCEPTED, Event.WORSEN): State.ACCEPTED,
    (State.ACCEPTED, Event.JOIN): State.ACCEPTED,
    (State.RESOLVED, Event.RETURN): State.OPEN,
    # Only what a person resolved: `handle.reopen` asks.
    (State.RESOLVED, Event.REOPEN): State.OPEN,
}


class NotPossible(Exception):
    """The event cannot happen in the incident's state."""


def next_state(state: State, event: Event) -> State:
    """Give the state that follows, or raise NotPossible. Comments and assignments change none."""
    if event in {Event.COMMENT, Event.ASSIGN}:
        return state
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise NotPossible(_refusal(state, event)) from None


_IS = {
    State.OPEN: "open",
    State.ACKNOWLEDGED: "taken on",
    State.MUTED: "muted",
    State.ACCEPTED: "accepted as a risk",
    State.RESOLVED: "resolved",
}
_LEADS_TO = {
    Event.ACKNOWLEDGE: State.ACKNOWLEDGED,
    Event.MUTE: State.MUTED,
    Event.ACCEPT_RISK: State.ACCEPTED,
    Event.RESOLVE: State.RESOLVED,
    Event.REOPEN: State.OPEN,
}


def _refusal(state: State, event: Event) -> str:
    wanted = _LEADS_TO.get(event)
    if wanted is state:
        return f"The incident is {_IS[state]} already."
    if wanted is State.OPEN:
        return f"The incident is {_IS[state]}: there is nothing to open again."
    what = f"be {_IS[wanted]}" if wanted else f"have the event “{event.label}”"
    return f"The incident is {_IS[state]}, so it cannot {what}."


def possible_events(state: State) -> frozenset[Event]:
    """Give what a person can do with an incident in this state."""
    by_people = {
        Event.ACKNOWLEDGE,
        Event.MUTE,
        Event.ACCEPT_RISK,
        Event.RESOLVE,
        Event.REOPEN,
    }
    return frozenset(event for (held, event) in TRANSITIONS if held == state and event in by_people)


def draw_diagram() -> str:
    """Give the table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.OPEN.value}: {Event.OPEN.value}"]
    for (before, event), after in TRANSITIONS.items():
        lines.append(f"    {before.value} --> {after.value}: {event.value}")
    return "\n".join(lines)
