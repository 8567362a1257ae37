from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import Team, User
from alerts.lifecycle import Event, State
from alerts.models import Incident, Notification, Rule, RuleKind
from alerts.services import handle
from alerts.services.evaluate import evaluate
from alerts.services.evaluate_silence import INTAKE_KEY
from alerts.services.replay import replay
from alerts.services.store_incident import end_quiet_times, remind_of_ends
from domains.models import Domain
from tests.alerts.figures import TODAY, add_day
from tests.factories import make_incident

pytestmark = pytest.mark.django_db

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def rule():
    Rule.objects.all().delete()
    return Rule.objects.create(
        name="Failure rate",
        kind=RuleKind.FAILURE_RATE,
        parameters={"threshold": 0.05, "minimum_sessions": 20, "minimum_failed_sessions": 5},
        severity="high",
    )


def test_one_cause_behind_many_domains_is_one_incident():
    for n in range(30):
        add_day(f"d{n}.example", 1, 100, 40)

    outcome = evaluate(NOW)

    incident = Incident.objects.get()
    assert outcome.opened == 1
    assert incident.incident_domains.count() == 30
    assert (incident.failed_sessions, incident.sessions) == (1200, 3000)
    assert incident.title == "Certificate expired at 30 domains"


def test_looking_again_changes_nothing():
    add_day("a.example", 1, 100, 40)
    evaluate(NOW)

    outcome = evaluate(NOW)

    assert (outcome.opened, outcome.fed, outcome.returned, outcome.resolved) == (0, 0, 0, 0)
    assert Incident.objects.get().events.count() == 1


def test_a_domain_that_fails_later_joins():
    add_day("a.example", 2, 100, 40)
    evaluate(NOW - timedelta(days=1))
    add_day("b.example", 1, 100, 40)

    evaluate(NOW)

    incident = Incident.objects.get()
    assert {str(row.domain) for row in incident.incident_domains.all()} == {
        "a.example",
        "b.example",
    }


def test_noise_opens_nothing():
    add_day("a.example", 1, 1, 1)
    add_day("b.example", 1, 4000, 12)

    evaluate(NOW)

    assert not Incident.objects.exists()


def test_the_day_that_is_not_over_is_not_looked_at():
    add_day("a.example", 0, 100, 40)

    evaluate(NOW)

    assert not Incident.objects.exists()


def test_a_late_report_still_opens_an_incident():
    add_day("a.example", 3, 100, 40)

    evaluate(NOW)

    assert Incident.objects.get().since_on == TODAY - timedelta(days=3)


def test_it_is_over_after_two_clean_days_and_says_so():
    add_day("a.example", 3, 100, 40)
    evaluate(NOW - timedelta(days=2))
    add_day("a.example", 2, 100)
    evaluate(NOW - timedelta(days=1))
    assert Incident.objects.get().state == State.OPEN
    add_day("a.example", 1, 100)

    outcome = evaluate(NOW)

    assert outcome.resolved == 1
    assert Incident.objects.get().state == State.RESOLVED


def test_days_without_sessions_prove_nothing():
    add_day("a.example", 5, 100, 40)
    evaluate(NOW - timedelta(days=4))

    evaluate(NOW)

    assert Incident.objects.get().state == State.OPEN


def test_a_cause_that_returns_within_a_week_is_the_same_incident():
    add_day("a.example", 5, 100, 40)
    evaluate(NOW - timedelta(days=4))
    add_day("a.example", 4, 100)
    add_day("a.example", 3, 100)
    evaluate(NOW - timedelta(days=2))
    assert Incident.objects.get().state == State.RESOLVED
    add_day("a.example", 1, 100, 50)

    outcome = evaluate(NOW)

    assert outcome.returned == 1
    assert Incident.objects.get().state == State.OPEN


def test_what_a_person_closed_does_not_return_for_the_same_days():
    add_day("a.example", 1, 100, 40)
    evaluate(NOW)
    root = User.objects.create_superuser("root@corp.example")
    handle.resolve(Incident.objects.get(), root, "The provider renewed it.")

    evaluate(NOW)

    assert Incident.objects.get().state == State.RESOLVED


def test_an_acknowledged_incident_stays_so_while_it_gets_worse():
    add_day("a.example", 2, 100, 40)
    evaluate(NOW - timedelta(days=1))
    root = User.objects.create_superuser("root@corp.example")
    handle.acknowledge(Incident.objects.get(), root)
    told = Notification.objects.count()
    for n in range(5):
        add_day(f"d{n}.example", 1, 100, 90)

    evaluate(NOW)

    incident = Incident.objects.get()
    assert incident.state == State.ACKNOWLEDGED
    assert incident.events.filter(event="worsened").exists()
    assert Notification.objects.count() == told


def test_a_mute_ends_by_itself():
    add_day("a.example", 1, 100, 40)
    evaluate(NOW)
    Incident.objects.update(state=State.MUTED, quiet_until=NOW - timedelta(minutes=1))

    evaluate(NOW)

    assert Incident.objects.get().state == State.OPEN


def test_a_rule_of_a_team_looks_at_its_domains_only(rule):
    team = Team.objects.create(name="Mail")
    rule.team = team
    rule.save()
    mine = add_day("mine.example", 1, 100, 40, mx="mx1.mine.example")
    Domain.objects.filter(pk=mine.pk).update(team=team)
    add_day("theirs.example", 1, 100, 40, mx="mx1.theirs.example")

    evaluate(NOW)

    incident = Incident.objects.get()
    assert incident.team == team
    assert [str(row.domain) for row in incident.incident_domains.all()] == ["mine.example"]


def test_domains_that_are_not_watched_raise_nothing():
    add_day("a.example", 1, 100, 40)
    Domain.objects.update(is_active=False)

    evaluate(NOW)

    assert not Incident.objects.exists()


def test_the_queries_do_not_grow_with_the_domains(django_assert_max_num_queries):
    for n in range(300):
        add_day(f"d{n}.example", 1, 100, 40)

    with django_assert_max_num_queries(45):
        evaluate(NOW)


def test_the_backtest_finds_the_same_and_changes_nothing():
    for back in (6, 5, 4):
        add_day("a.example", back, 100, 40)
    for back in (3, 2, 1):
        add_day("a.example", back, 100)

    found = list(replay([TODAY - timedelta(days=back) for back in range(8, -1, -1)]))

    assert [one.as_dict() for one in found] == [
        {
            "rule": "failure-rate",
            "name": "Failure rate",
            "severity": "high",
            "opened_on": str(TODAY - timedelta(days=5)),
            "resolved_on": str(TODAY - timedelta(days=1)),
            "result_type": "certificate-expired",
            "reporters": ["Google Inc."],
            "receiving_mx": ["mx1.hoster.test"],
            "domains": ["a.example"],
            "failed_sessions": 120,
            "sessions": 300,
        }
    ]
    assert not Incident.objects.exists()


def test_the_backtest_agrees_with_live_evaluation():
    for back in range(9, 0, -1):
        add_day("a.example", back, 100, 30 if back in (9, 8, 4) else 0)
    days = [TODAY - timedelta(days=back) for back in range(8, -1, -1)]

    replayed = list(replay(days))
    for day in days:
        evaluate(datetime(day.year, day.month, day.day, 6, tzinfo=UTC))

    incident = Incident.objects.get()
    (one,) = replayed
    assert one.opened_on == incident.opened_at.date()
    assert one.resolved_on == incident.resolved_at.date()


def test_what_touches_no_watched_domain_any_more_is_over():
    add_day("gone.example", 1, 100, 40)
    add_day("paused.example", 1, 100, 40)
    evaluate(NOW)

    Domain.objects.get(name="gone.example").delete()
    evaluate(NOW + timedelta(minutes=1))
    assert Incident.objects.get().state == State.OPEN
    Domain.objects.update(is_active=False)
    outcome = evaluate(NOW + timedelta(minutes=2))

    incident = Incident.objects.get()
    assert (incident.state, outcome.resolved) == (State.RESOLVED, 1)
    assert incident.events.last().text == "None of its domains is watched any more."


def test_what_a_rule_found_is_over_when_the_rule_is_switched_off_and_back_with_it():
    add_day("a.example", 1, 100, 40)
    evaluate(NOW)
    [incident] = Incident.objects.all()

    Rule.objects.filter(pk=incident.rule_id).update(is_active=False)
    outcome = evaluate(NOW + timedelta(minutes=1))

    incident.refresh_from_db()
    assert (incident.state, outcome.resolved) == (State.RESOLVED, 1)
    assert incident.events.last().text == "Its rule is switched off."
    Rule.objects.filter(pk=incident.rule_id).update(is_active=True)
    add_day("a.example", 0, 100, 40)
    evaluate(NOW + timedelta(days=1))
    assert Incident.objects.get().state == State.OPEN


def test_what_is_about_the_intake_has_no_domains_and_stays():
    make_incident(cause_key=INTAKE_KEY)

    evaluate(NOW)

    assert Incident.objects.get().state == State.OPEN


@time_machine.travel(NOW, tick=False)
def test_the_end_of_each_accepted_risk_is_told_once():
    add_day("a.example", 1, 100, 40)
    evaluate(NOW)
    incident, person = Incident.objects.get(), User.objects.create_superuser("a@corp.example")
    told = incident.events.filter(event=Event.REMIND)

    handle.accept_risk(incident, person, NOW + timedelta(days=20), "Moves soon.")
    remind_of_ends(NOW + timedelta(days=15))
    remind_of_ends(NOW + timedelta(days=19))
    assert told.count() == 1
    end_quiet_times(NOW + timedelta(days=20))
    with time_machine.travel(NOW + timedelta(days=20), tick=False):
        handle.accept_risk(incident, person, NOW + timedelta(days=60), "Moves later.")
    with time_machine.travel(NOW + timedelta(days=50), tick=False):
        handle.comment(incident, person, "Still to come.")

    remind_of_ends(NOW + timedelta(days=54))
    remind_of_ends(NOW + timedelta(days=56))

    assert told.count() == 2


def test_who_takes_on_what_was_muted_has_it_without_an_end():
    add_day("a.example", 1, 100, 40)
    evaluate(NOW)
    incident, person = Incident.objects.get(), User.objects.create_superuser("a@corp.example")
    handle.mute(incident, person, timezone.now() + timedelta(days=7))

    handle.acknowledge(incident, person)

    incident.refresh_from_db()
    assert (incident.state, incident.quiet_until) == (State.ACKNOWLEDGED, None)
