"""What a person resolves while its cause goes on comes back as the same incident."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry, User
from alerts.lifecycle import Event, State
from alerts.models import Incident, Notification, Rule, RuleKind, Severity
from alerts.services import handle
from alerts.services.destinations import save_destination
from alerts.services.evaluate import evaluate
from domains.lacks import Lack
from domains.models import Domain
from domains.services.record_check import record_check
from tests.alerts.figures import TODAY, add_day
from tests.alerts.test_coverage import add, except_from
from tests.alerts.test_posture import BROKEN, check
from tests.domains.observations import AT, RUA, observed, servfail
from tests.factories import make_incident

pytestmark = pytest.mark.django_db
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


@pytest.fixture
def person():
    return User.objects.create_superuser("root@corp.example", name="Root")


@pytest.fixture
def domain():
    return Domain.objects.create(name="a.example")


@pytest.fixture
def posture():
    Rule.objects.exclude(kind=RuleKind.POSTURE).delete()


def resolve(incident, person, hours):
    with time_machine.travel(AT + timedelta(hours=hours), tick=False):
        handle.resolve(incident, person, "Done.")


def break_record(domain):
    """Let two checks see a record that cannot be used; give the incident, taken on by nobody."""
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, tlsrpt=BROKEN)
    return Incident.objects.get()


def test_the_next_check_that_still_sees_it_brings_the_same_incident_back(domain, person, posture):
    incident = break_record(domain)
    with time_machine.travel(AT + timedelta(hours=2)):
        handle.assign(incident, person, person)
        handle.comment(incident, person, "Asked the hoster.")
    was = Incident.objects.get()
    save_destination(
        person, name="Team", kind="email", address="t@corp.example", team=None,
        minimum_severity=Severity.LOW,
    )  # fmt: skip
    resolve(incident, person, 30)

    check(domain, 31, tlsrpt=BROKEN)

    incident = Incident.objects.get()
    assert (incident.state, incident.resolved_at) == (State.OPEN, None)
    assert (incident.assignee, incident.due_at, incident.since_on) == (
        person,
        was.due_at,
        was.since_on,
    )
    back = incident.events.get(event=Event.RETURN)
    assert back.text.startswith("The check of 2 Nov 2026 19:00 UTC still sees it: ")
    assert Notification.objects.filter(event=back, destination__name="Team").exists()


def test_it_comes_back_each_time_also_on_the_day_it_was_opened(domain, person, posture):
    incident = break_record(domain)

    for hours in (3, 5, 7):
        resolve(incident, person, hours)
        check(domain, hours + 1, tlsrpt=BROKEN)
        assert Incident.objects.get().state == State.OPEN

    assert incident.events.filter(event=Event.RETURN).count() == 3


def test_a_check_of_before_it_was_resolved_brings_nothing_back(domain, person, posture):
    incident = break_record(domain)
    at = AT + timedelta(hours=3)
    record_check(domain, observed(domain.name, at=at, tlsrpt=BROKEN), at)
    resolve(incident, person, 4)

    evaluate(AT + timedelta(hours=4))

    assert Incident.objects.get().state == State.RESOLVED


def test_a_first_check_that_finds_it_mended_brings_nothing_back(domain, person, posture):
    incident = break_record(domain)
    resolve(incident, person, 3)

    check(domain, 4, tlsrpt=RUA)
    check(domain, 5, tlsrpt=RUA)

    assert Incident.objects.get().state == State.RESOLVED


def test_a_check_that_finds_out_nothing_brings_nothing_back(domain, person, posture):
    incident = break_record(domain)
    resolve(incident, person, 3)
    check(domain, 4, servfail(domain.name, at=AT + timedelta(hours=4)))
    assert Incident.objects.get().state == State.RESOLVED

    check(domain, 5, tlsrpt=BROKEN)

    assert Incident.objects.get().state == State.OPEN


def test_what_came_back_is_over_only_after_two_checks_that_find_it_mended(domain, person, posture):
    incident = break_record(domain)
    # One check has found it mended, then it broke again.
    for hours, record in ((3, RUA), (4, RUA), (5, BROKEN), (6, BROKEN)):
        check(domain, hours, tlsrpt=record)
    resolve(incident, person, 7)
    check(domain, 8, tlsrpt=BROKEN)
    evaluate(AT + timedelta(hours=9))
    assert Incident.objects.get().state == State.OPEN

    for hours in (10, 11, 12):
        check(domain, hours, tlsrpt=RUA)

    assert Incident.objects.get().state == State.RESOLVED


def test_what_the_checks_found_mended_returns_within_a_week_and_is_due_anew(domain, posture):
    incident = break_record(domain)
    for hours in (3, 4, 5):
        check(domain, hours, tlsrpt=RUA)
    assert Incident.objects.get().state == State.RESOLVED

    for hours in (30, 31):
        check(domain, hours, tlsrpt=BROKEN)

    back = Incident.objects.get()
    assert back.state == State.OPEN
    assert back.due_at == incident.due_at + timedelta(hours=29)
    assert "sees it again" in back.events.get(event=Event.RETURN).text
    evaluate(AT + timedelta(hours=32))
    assert Incident.objects.get().state == State.OPEN


def test_a_change_that_stands_comes_back_though_it_was_told_once(domain, person, posture):
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, tlsrpt=None)
    resolve(Incident.objects.get(), person, 3)

    check(domain, 4, tlsrpt=None)

    incident = Incident.objects.get()
    assert incident.state == State.OPEN
    assert incident.title == "The TLSRPT record is gone at a.example"
    for hours in (5, 6, 7):
        check(domain, hours, tlsrpt=RUA)
    assert Incident.objects.get().state == State.RESOLVED


def test_a_change_that_is_excepted_meanwhile_does_not_come_back(domain, person, posture):
    check(domain, 0)
    for hours in (1, 2):
        check(domain, hours, tlsrpt=None)
    resolve(Incident.objects.get(), person, 3)
    except_from(domain, Lack.TLSRPT, AT.date(), AT.date() + timedelta(days=30))

    check(domain, 4, tlsrpt=None)

    assert Incident.objects.get().state == State.RESOLVED


def test_looking_at_what_rests_takes_as_many_queries_for_many_domains(
    person, posture, django_assert_max_num_queries
):
    domains = [Domain.objects.create(name=f"d{n}.example") for n in range(20)]
    for one in domains:
        for hours, record in ((0, RUA), (1, BROKEN), (2, BROKEN)):
            at = AT + timedelta(hours=hours)
            record_check(one, observed(one.name, at=at, tlsrpt=record), at)
    evaluate(AT + timedelta(hours=2))
    resolve(Incident.objects.get(), person, 3)
    for one in domains:
        at = AT + timedelta(hours=4)
        record_check(one, observed(one.name, at=at, tlsrpt=BROKEN), at)

    with django_assert_max_num_queries(60):
        evaluate(AT + timedelta(hours=4))

    assert Incident.objects.get().state == State.OPEN


def only(kind):
    Rule.objects.exclude(kind=kind).delete()


def resolve_at(moment, person):
    with time_machine.travel(moment, tick=False):
        handle.resolve(Incident.objects.get(), person, "Done.")


def test_failures_come_back_with_the_figures_of_a_later_day(person):
    only(RuleKind.REGRESSION)
    for back in range(40, 2, -1):
        add_day("a.example", back, 1000)
    add_day("a.example", 2, 1000, 400)
    evaluate(NOW - timedelta(days=1))
    was = Incident.objects.get()
    resolve_at(NOW - timedelta(hours=20), person)
    evaluate(NOW - timedelta(hours=19))
    assert Incident.objects.get().state == State.RESOLVED
    # Less than would be found, and no end of what there is.
    add_day("a.example", 1, 1000, 12)

    evaluate(NOW)

    incident = Incident.objects.get()
    assert incident.state == State.OPEN
    assert (incident.since_on, incident.due_at) == (was.since_on, was.due_at)
    assert incident.failed_sessions == 412
    assert incident.events.filter(event=Event.RETURN).count() == 1


def test_failures_that_are_over_stay_resolved(person):
    only(RuleKind.REGRESSION)
    for back in range(40, 2, -1):
        add_day("a.example", back, 1000)
    add_day("a.example", 2, 1000, 400)
    evaluate(NOW - timedelta(days=1))
    resolve_at(NOW - timedelta(hours=20), person)
    add_day("a.example", 1, 1000)

    evaluate(NOW)

    assert Incident.objects.get().state == State.RESOLVED


def test_a_silence_that_goes_on_comes_back_the_next_day(person):
    only(RuleKind.SILENCE)
    for n in range(8):
        for back in range(1, 45):
            add_day(f"d{n}.example", back, 50)
        for back in range(3, 45):
            add_day(f"d{n}.example", back, 50, reporter="Comcast")
    evaluate(NOW)
    resolve_at(NOW + timedelta(hours=1), person)
    evaluate(NOW + timedelta(hours=2))
    assert Incident.objects.get().state == State.RESOLVED
    for n in range(8):
        add_day(f"d{n}.example", 0, 50)

    evaluate(NOW + timedelta(days=1))

    incident = Incident.objects.get()
    assert (incident.title, incident.state) == ("Comcast no longer reports", State.OPEN)


def test_new_domains_come_back_also_when_they_are_new_no_more(person):
    only(RuleKind.COVERAGE)
    add("a.example", 50)
    evaluate(NOW)
    evaluate(NOW + timedelta(days=20))
    resolve_at(NOW + timedelta(days=20, hours=1), person)

    evaluate(NOW + timedelta(days=21))

    assert Incident.objects.get().state == State.OPEN


def test_who_resolved_it_by_mistake_opens_it_again_with_its_parts(person, posture, domain):
    incident = break_record(domain)
    part = make_incident(domain, part_of=incident)
    over_before = make_incident(domain, part_of=incident, state=State.RESOLVED, resolved_at=AT)
    resolve(incident, person, 3)

    handle.reopen(incident, person, "The wrong one.")

    for one in (part, over_before):
        one.refresh_from_db()
    again = Incident.objects.get(pk=incident.pk)
    assert (again.state, again.resolved_at, again.due_at) == (State.OPEN, None, incident.due_at)
    assert (part.state, over_before.state) == (State.OPEN, State.RESOLVED)
    back = again.events.get(event=Event.REOPEN)
    assert (back.actor, back.text) == (person, "The wrong one.")
    assert AuditEntry.objects.filter(verb="reopened incident").count() == 1


def test_what_the_portal_saw_end_is_not_opened_by_hand(person, posture, domain):
    incident = break_record(domain)
    for hours in (3, 4, 5):
        check(domain, hours, tlsrpt=RUA)

    with pytest.raises(ValidationError, match="opens it again should it return"):
        handle.reopen(incident, person)

    assert Incident.objects.get().state == State.RESOLVED


def test_one_cause_is_not_opened_twice_by_hand(person, posture, domain):
    incident = break_record(domain)
    resolve(incident, person, 3)
    Incident.objects.create(
        rule=incident.rule,
        cause_key=incident.cause_key,
        severity=Severity.LOW,
        since_on=AT.date(),
        last_seen_on=AT.date(),
    )

    with pytest.raises(ValidationError, match="another incident"):
        handle.reopen(incident, person)
