from datetime import UTC, datetime, timedelta

import pytest

from alerts.lifecycle import State
from alerts.models import ArrivalDay, Incident, Rule, RuleKind
from alerts.rules.silence import SilenceRule
from alerts.services.evaluate import evaluate
from alerts.services.replay import replay
from reports.models import Channel, Receipt
from tests.alerts.figures import TODAY, add_day

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


def bits(*missed, span=40):
    return sum(1 << day for day in range(span) if day not in missed)


@pytest.mark.parametrize(
    ("presence", "end", "told"),
    [
        pytest.param(bits(), 39, False, id="reports every day"),
        pytest.param(bits(39), 39, False, id="one day may be late"),
        pytest.param(bits(38, 39), 39, False, id="two days may be late"),
        pytest.param(bits(37, 38, 39), 39, True, id="three days of a daily reporter"),
        pytest.param(
            sum(1 << day for day in range(0, 36, 3)), 39, False, id="now and then is spared"
        ),
        pytest.param(
            sum(1 << day for day in range(37) if day % 7 not in (2, 3)),
            38,
            False,
            id="never at weekends",
        ),
        pytest.param(0, 39, False, id="never heard of"),
    ],
)
def test_the_cadence_decides(presence, end, told):
    rule = SilenceRule()

    silence = rule.missed(presence, end)

    assert (silence is not None and rule.is_told_alone(silence)) is told


@pytest.mark.parametrize(
    ("missed", "told"),
    [
        pytest.param((38, 39), False, id="two of which it is usually late"),
        pytest.param((37, 38, 39), False, id="one more"),
        pytest.param((35, 36, 37, 38, 39), True, id="three that would be there by now"),
    ],
)
def test_what_usually_comes_late_is_not_missed_before_it_would_be_there(missed, told):
    rule = SilenceRule()

    silence = rule.missed(bits(*missed), 39, (0.4, 0.7, 1.0))

    assert (silence is not None and rule.is_told_alone(silence)) is told


@pytest.mark.parametrize(
    ("mean", "missed", "told"),
    [
        pytest.param(100, 3, True, id="three days of many sessions"),
        pytest.param(2, 3, False, id="three days of two sessions"),
        pytest.param(2, 14, True, id="two weeks of two sessions"),
    ],
)
def test_a_day_without_sessions_says_little_where_there_are_few(mean, missed, told):
    rule = SilenceRule()

    presence = bits(*range(60 - missed, 60), span=60)
    silence = rule.missed(presence, 59, volumes=[mean] * 7)

    assert (silence is not None and rule.is_told_alone(silence)) is told


@pytest.fixture
def rule(db):
    Rule.objects.exclude(kind=RuleKind.SILENCE).delete()
    return Rule.objects.get()


def report_daily(name, reporter, until_back=1):
    for back in range(until_back, 45):
        add_day(name, back, 50, reporter=reporter)


def test_a_reporter_that_is_silent_everywhere_is_one_incident(rule):
    for n in range(8):
        report_daily(f"d{n}.example", "Google Inc.")
        report_daily(f"d{n}.example", "Comcast", until_back=3)

    evaluate(NOW)

    incident = Incident.objects.get()
    assert incident.title == "Comcast no longer reports"
    assert incident.incident_domains.count() == 8
    assert incident.since_on == TODAY - timedelta(days=2)


def test_a_domain_nobody_tells_of_is_told_as_such_and_ends_by_itself(rule):
    for n in range(8):
        report_daily(f"d{n}.example", "Google Inc.")
    report_daily("gone.example", "Google Inc.", until_back=5)

    evaluate(NOW)

    incident = Incident.objects.get()
    assert incident.title == "No reports any more about gone.example"

    add_day("gone.example", 0, 50)
    for n in range(8):
        add_day(f"d{n}.example", 0, 50)
    evaluate(NOW + timedelta(days=1))

    incident.refresh_from_db()
    assert incident.state == State.RESOLVED


def test_live_and_backtest_agree_on_silence(rule):
    for n in range(8):
        report_daily(f"d{n}.example", "Google Inc.")
        report_daily(f"d{n}.example", "Comcast", until_back=6)

    days = [TODAY - timedelta(days=back) for back in range(6, -1, -1)]
    (one,) = replay(days)
    for day in days:
        evaluate(datetime(day.year, day.month, day.day, 6, tzinfo=UTC))

    incident = Incident.objects.get()
    assert one.opened_on == incident.opened_at.date() == TODAY - timedelta(days=3)
    assert one.as_dict()["reporters"] == ["Comcast"]


def morning(back):
    day = TODAY - timedelta(days=back)
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC)


def test_a_reporter_that_is_always_two_days_late_is_learnt_and_left_alone(rule):
    for n in range(8):
        for back in range(14, 55):
            add_day(f"d{n}.example", back, 50)
            add_day(f"d{n}.example", back + 2, 50, reporter="Slow")
    for back in range(12, -1, -1):
        for n in range(8):
            add_day(f"d{n}.example", back + 1, 50)
            add_day(f"d{n}.example", back + 3, 50, reporter="Slow")
        evaluate(morning(back))

    assert not Incident.objects.active().exists()
    assert ArrivalDay.objects.last().shares["Slow"][:3] == [0.0, 0.0, 1.0]


def test_a_reporter_that_calls_itself_otherwise_is_not_silent(rule):
    for n in range(8):
        report_daily(f"d{n}.example", "Comcast")
        report_daily(f"d{n}.example", "Google Inc.", until_back=4)
        for back in (1, 2, 3):
            add_day(f"d{n}.example", back, 50, reporter="Google LLC")

    evaluate(NOW)

    assert not Incident.objects.exists()


def test_an_intake_that_receives_nothing_is_critical_once_and_ends(rule):
    for day in range(2, 30):
        Receipt.objects.create(channel=Channel.SMTP, received_at=NOW - timedelta(days=day))

    evaluate(NOW)
    evaluate(NOW + timedelta(hours=1))

    incident = Incident.objects.get()
    assert (incident.severity, incident.title) == ("critical", "No reports arrive at all")

    Receipt.objects.create(channel=Channel.SMTP, received_at=NOW + timedelta(hours=1))
    evaluate(NOW + timedelta(hours=2))

    incident.refresh_from_db()
    assert incident.state == State.RESOLVED


def test_an_intake_that_is_hardly_used_is_not_missed(rule):
    Receipt.objects.create(channel=Channel.SMTP, received_at=NOW - timedelta(days=5))

    evaluate(NOW)

    assert not Incident.objects.exists()
