import json
from io import StringIO

import pytest
from django.core.management import call_command

from alerts.services.replay import replay
from tests.alerts.worlds import make_world

pytestmark = pytest.mark.django_db


def test_a_restless_fleet_without_events_is_left_alone():
    world = make_world(11, domains=150, days=75, events=False)
    world.store()

    found = list(replay([world.day(n) for n in range(35, 76)]))

    assert len(found) <= 1


def test_an_expired_certificate_in_a_restless_fleet_is_one_incident_the_next_day():
    world = make_world(12, domains=150, days=50, events=False)
    names = world.names[:60]
    for name in names:
        for reporter in ("Google Inc.", "Microsoft Corporation"):
            for day in (44, 45, 46):
                row = world.sessions.get((name, day, reporter), [0])
                world.fail(name, day, reporter, "certificate-expired", "mx1.shared.test", row[0])
    world.store()
    out = StringIO()

    call_command(
        "evaluatealerts",
        since=world.day(40),
        until=world.day(50),
        json=True,
        stdout=out,
    )

    told = [json.loads(line) for line in out.getvalue().splitlines()]
    (one,) = [row for row in told if row["result_type"] == "certificate-expired"]
    assert one["opened_on"] == str(world.day(45))
    assert one["receiving_mx"] == ["mx1.shared.test"]
    assert set(one["domains"]) <= set(names)
    assert len(one["domains"]) > 40
