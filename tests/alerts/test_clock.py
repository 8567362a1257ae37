"""The time to deal with an incident stands still while it is laid aside."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps
from django.urls import reverse

from accounts.models import User
from accounts.services.tokens import create_token
from alerts.lifecycle import State
from alerts.models import Incident, Severity
from alerts.services import clock, handle
from alerts.services.store_incident import end_quiet_times
from tests.factories import make_domain, make_incident

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def person():
    return User.objects.create_superuser("root@corp.example", name="Root")


@pytest.fixture
def incident():
    return make_incident(make_domain("a.example"), due_at=NOW - 3 * HOUR)


def at(moment, deed, *args):
    with time_machine.travel(moment, tick=False):
        deed(*args)


def now_of(incident):
    return Incident.objects.get(pk=incident.pk)


def test_what_was_overdue_is_as_much_so_afterwards(incident, person):
    at(NOW, handle.accept_risk, incident, person, NOW + 30 * DAY, "legacy")
    assert now_of(incident).asked_by is None

    end_quiet_times(NOW + 30 * DAY)

    assert now_of(incident).asked_by == NOW + 30 * DAY - 3 * HOUR


def test_another_end_counts_once(incident, person):
    at(NOW, handle.mute, incident, person, NOW + 10 * DAY)
    at(NOW + DAY, handle.mute, incident, person, NOW + 40 * DAY)
    at(NOW + 2 * DAY, handle.accept_risk, incident, person, NOW + 20 * DAY, "legacy")

    end_quiet_times(NOW + 20 * DAY)

    assert now_of(incident).asked_by == NOW + 20 * DAY - 3 * HOUR


@pytest.mark.parametrize("deed", [handle.acknowledge, handle.reopen])
def test_who_ends_it_early_gets_no_more_time(incident, person, deed):
    at(NOW, handle.mute, incident, person, NOW + 10 * DAY)

    at(NOW + DAY, deed, incident, person)

    assert now_of(incident).asked_by == NOW + DAY - 3 * HOUR


def test_what_gets_worse_meanwhile_is_due_after_the_quiet_time(incident, person):
    at(NOW, handle.mute, incident, person, NOW + 10 * DAY)
    held = now_of(incident)
    held.severity = Severity.CRITICAL

    clock.start(held, NOW + DAY)

    assert held.due_at == NOW + 10 * DAY + 4 * HOUR


def test_nothing_laid_aside_is_overdue_on_any_screen(client, person):
    domain = make_domain("a.example")
    until = datetime(2027, 1, 13, 23, 59, tzinfo=UTC)
    for n, (state, due_at) in enumerate(
        [
            (State.ACCEPTED, NOW - 9 * DAY),
            (State.MUTED, NOW - 8 * DAY),
            (State.OPEN, NOW - DAY),
            (State.ACKNOWLEDGED, NOW + DAY),
        ]
    ):
        quiet = until if n < 2 else None
        make_incident(domain, title=f"No. {n}", state=state, due_at=due_at, quiet_until=quiet)
    client.force_login(person)

    with time_machine.travel(NOW, tick=False):
        for sort, order in (("due_at", [2, 3]), ("-due_at", [3, 2])):
            page = client.get(reverse("alerts:incidents"), {"sort": sort})
            rows = page.context["table"].paginated_rows
            assert [row.record.title for row in rows][:2] == [f"No. {n}" for n in order]
            shown = {row.record.title: row.get_cell("due_at") for row in rows}
            assert shown["No. 0"] == shown["No. 1"] == "–"
            assert "overdue" in shown["No. 2"]
        accepted = Incident.objects.get(state=State.ACCEPTED)
        text = client.get(accepted.get_absolute_url()).content.decode()
        assert "Risk accepted until" in text
        assert "13 Jan 2027" in text
        assert "have been dealt with" not in text
        bearer = {"Authorization": f"Bearer {create_token(person, 'script')[1]}"}
        found = client.get("/api/v1/incidents", headers=bearer).json()["items"]

    due = {one["title"]: (one["due_at"] is None, one["quiet_until"] is None) for one in found}
    assert due == {
        "No. 0": (True, False),
        "No. 1": (True, False),
        "No. 2": (False, True),
        "No. 3": (False, True),
    }


def test_quiet_times_of_before_are_counted_into_what_is_due(incident):
    Incident.objects.filter(pk=incident.pk).update(state=State.ACCEPTED, quiet_until=NOW + 30 * DAY)
    incident.events.create(event="accepted", at=NOW, actor_name="Root")

    import_module("alerts.migrations.0012_due_after_quiet_times").count_further(apps, None)

    assert now_of(incident).due_at == NOW + 30 * DAY - 3 * HOUR
