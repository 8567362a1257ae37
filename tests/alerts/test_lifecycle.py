from pathlib import Path

import pytest

from alerts.lifecycle import (
    ACTIVE_STATES,
    TRANSITIONS,
    Event,
    NotPossible,
    State,
    draw_diagram,
    next_state,
    possible_events,
)


def test_a_resolved_incident_can_only_return_or_be_opened_again():
    possible = {event for (state, event) in TRANSITIONS if state is State.RESOLVED}

    assert possible == {Event.RETURN, Event.REOPEN}


@pytest.mark.parametrize(
    ("state", "event"), [(State.MUTED, Event.MUTE), (State.ACCEPTED, Event.ACCEPT_RISK)]
)
def test_what_is_quiet_can_be_kept_so_for_longer(state, event):
    assert next_state(state, event) is state


@pytest.mark.parametrize("state", [State.MUTED, State.ACCEPTED, State.RESOLVED])
def test_what_people_laid_aside_they_can_open_again(state):
    assert Event.REOPEN in possible_events(state)
    assert next_state(state, Event.REOPEN) is State.OPEN


@pytest.mark.parametrize("state", sorted(ACTIVE_STATES))
def test_every_active_incident_can_be_resolved(state):
    assert next_state(state, Event.RESOLVE) is State.RESOLVED


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("event", [Event.COMMENT, Event.ASSIGN])
def test_comments_and_assignments_leave_the_state(state, event):
    assert next_state(state, event) is state


@pytest.mark.parametrize("state", list(State))
def test_what_the_table_does_not_name_is_refused(state):
    for event in Event:
        if (state, event) not in TRANSITIONS and event not in {Event.COMMENT, Event.ASSIGN}:
            with pytest.raises(NotPossible):
                next_state(state, event)


@pytest.mark.parametrize(
    ("state", "event", "said"),
    [
        (State.RESOLVED, Event.ACCEPT_RISK, "resolved, so it cannot be accepted as a risk."),
        (State.ACKNOWLEDGED, Event.ACKNOWLEDGE, "taken on already."),
        (State.ACCEPTED, Event.MUTE, "accepted as a risk, so it cannot be muted."),
        (State.OPEN, Event.REOPEN, "open already."),
    ],
)
def test_what_cannot_happen_is_said_in_the_words_of_people(state, event, said):
    with pytest.raises(NotPossible, match=f"^The incident is {said}$"):
        next_state(state, event)


def test_getting_worse_wakes_nobody():
    assert all(
        after is before for (before, event), after in TRANSITIONS.items() if event is Event.WORSEN
    )


def test_the_documentation_shows_the_table():
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()

    assert f"```mermaid\n{draw_diagram()}\n```" in text
