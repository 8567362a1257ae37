"""The backtest of rules about records and coverage, and what of today's a rule would miss."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from accounts.models import Team
from alerts.models import Incident, Rule, RuleKind, Severity
from alerts.services.evaluate import evaluate
from alerts.services.replay import find_misses, replay
from domains.lacks import Lack
from domains.models import Domain, StateChange
from domains.services.record_check import record_check
from tests.alerts.figures import TODAY, add_day
from tests.alerts.test_coverage import except_from
from tests.domains.observations import RUA, observed

pytestmark = pytest.mark.django_db

NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)
DAYS = [TODAY - timedelta(days=back) for back in range(60, -1, -1)]


def see(domain, back, hour=0, **world):
    at = NOW - timedelta(days=back, hours=-hour)
    record_check(domain, observed(domain.name, at=at, **world), at)
    return at


def posture_rule():
    Rule.objects.exclude(kind=RuleKind.POSTURE).delete()
    return Rule.objects.get()


def told(found):
    return [
        (
            one.picture.evidence.get("code"),
            (TODAY - one.opened_on).days,
            one.resolved_on and (TODAY - one.resolved_on).days,
            sorted(one.domains),
        )
        for one in found
    ]


def test_changes_of_the_past_are_told_as_live_ones_are():
    rule = posture_rule()
    domains = [Domain.objects.create(name=f"d{n}.example") for n in range(3)]
    for domain in domains:
        see(domain, 50)
        for hour in (1, 2):
            see(domain, 40, hour, tlsrpt=None)
        for hour in (1, 2):
            see(domain, 30, hour, tlsrpt=RUA)
    for hour in (1, 2):
        at = see(domains[0], 20, hour, mx=("mx1.new.test",))
        evaluate(at)

    found = list(replay(DAYS, [rule]))

    assert told(found) == [
        ("change.tlsrpt.removed", 40, 30, ["d0.example", "d1.example", "d2.example"]),
        ("sts.mx.not-covered", 20, None, ["d0.example"]),
    ]
    incident = Incident.objects.get(evidence__code="sts.mx.not-covered")
    assert found[1].picture.title == incident.title
    assert found[1].picture.severity == incident.severity
    assert not find_misses(found, [rule], DAYS[0]).missed


def test_a_change_is_judged_by_the_hosts_and_the_policy_of_its_day():
    rule = posture_rule()
    domain = Domain.objects.create(name="a.example")
    see(domain, 50, mode="testing")
    StateChange.objects.create(
        domain=domain,
        aspect="starttls",
        kind="starttls-status",
        severity="error",
        findings=[{"code": "change.starttls.broken", "params": {}}],
        seen_at=NOW - timedelta(days=40),
        confirmed_at=NOW - timedelta(days=40),
    )
    for hour in (1, 2):
        see(domain, 20, hour, mode="enforce", mx=("mx1.moved.test",))

    found = {one.picture.evidence["code"]: one.picture for one in replay(DAYS, [rule])}

    broken = found["change.starttls.broken"]
    assert broken.severity == Severity.HIGH
    assert broken.evidence["site"] == "a.example"


def test_what_was_excepted_then_is_not_replayed():
    rule = posture_rule()
    domain = Domain.objects.create(name="a.example")
    start = TODAY - timedelta(days=45)
    except_from(domain, Lack.TLSRPT, start, start + timedelta(days=10))
    see(domain, 50)
    for hour in (1, 2):
        see(domain, 40, hour, tlsrpt=None)

    assert list(replay(DAYS, [rule])) == []


def test_a_team_rule_replays_its_domains_only():
    rule = posture_rule()
    rule.team = Team.objects.create(name="Mail")
    for name, team in (("mine.example", rule.team), ("theirs.example", None)):
        domain = Domain.objects.create(name=name, team=team)
        see(domain, 50)
        for hour in (1, 2):
            see(domain, 40, hour, tlsrpt=None)

    (one,) = replay(DAYS, [rule])

    assert one.domains == {"mine.example"}


def test_new_domains_of_the_past_are_replayed_with_what_they_lacked_then():
    rule = Rule.objects.get(kind=RuleKind.COVERAGE)
    for name, age, mode in (("new.example", 40, None), ("old.example", 300, None)):
        domain = Domain.objects.create(name=name, created_at=NOW - timedelta(days=age))
        see(domain, age, mode=mode)
    mended = Domain.objects.create(name="mended.example", created_at=NOW - timedelta(days=40))
    see(mended, 40, mode=None)
    for hour in (1, 2):
        see(mended, 35, hour)

    (one,) = replay(DAYS, [rule])

    assert one.domains == {"new.example"}
    assert (TODAY - one.opened_on).days == 26
    assert one.resolved_on is None


def test_a_blunter_rule_would_have_missed_what_is_open_today():
    Rule.objects.exclude(kind=RuleKind.FAILURE_RATE).delete()
    rule = Rule.objects.get()
    rule.is_active = True
    rule.parameters = {"threshold": 0.05}
    rule.save()
    for name, failed in (("a.example", 100), ("b.example", 900)):
        add_day(name, 1, 1000, failed, mx=f"mx1.{name}")
    evaluate(NOW)
    blunt = Rule(name="Blunt", kind=RuleKind.FAILURE_RATE, parameters={"threshold": 0.5})

    misses = find_misses(list(replay(DAYS, [blunt])), [blunt], DAYS[0])

    assert misses.open_count == 2
    assert [one.title for one in misses.missed] == ["Certificate expired at a.example"]


def test_the_command_says_what_would_have_been_missed_beside_the_incidents():
    Rule.objects.exclude(kind=RuleKind.FAILURE_RATE).delete()
    Rule.objects.update(is_active=True, parameters={"threshold": 0.05})
    add_day("a.example", 1, 1000, 100)
    evaluate(NOW)
    Rule.objects.update(parameters={"threshold": 0.5})
    out, err = StringIO(), StringIO()

    call_command("evaluatealerts", since=DAYS[0], until=TODAY, json=True, stdout=out, stderr=err)

    assert [json.loads(line) for line in out.getvalue().splitlines()] == []
    assert "1 of 1 incidents" in err.getvalue()
    assert "Certificate expired at a.example" in err.getvalue()


def make_old_domain(name):
    return Domain.objects.create(name=name, created_at=NOW - timedelta(days=70))


def ending(back):
    """An end of a certificate, so many days before today."""
    return NOW - timedelta(days=back, hours=1)


@pytest.mark.thorough
def test_certificates_that_ended_are_told_as_they_were_told_live():
    rule = posture_rule()
    late, *shared = [make_old_domain(f"{name}.example") for name in ("late", "one", "two")]
    in_time = make_old_domain("in-time.example")
    mx = ("mx1.hoster.test",)
    for back in range(60, -1, -1):
        see(late, back, cert_ends=ending(30 if back > 28 else -60))
        see(in_time, back, cert_ends=ending(-9 if back > 40 else -50), mx_cert_ends=ending(-40))
        for domain in shared:
            see(domain, back, mode="testing", mx=mx, mx_cert_ends=ending(9))
        evaluate(NOW - timedelta(days=back))

    found = [one for one in replay(DAYS, [rule]) if "cert" in one.picture.evidence["code"]]

    assert told(found) == [
        ("sts.cert.expires-soon", 51, 28, ["late.example"]),
        ("starttls.cert.expires-soon", 30, None, ["one.example", "two.example"]),
    ]
    for one in found:
        incident = Incident.objects.get(
            evidence__code=one.picture.evidence["code"], opened_at__date=one.opened_on
        )
        assert one.picture.severity == incident.severity
        assert one.picture.title == incident.title
        assert one.picture.evidence["site"] == incident.evidence["site"]
        assert incident.is_active == (one.resolved_on is None)


def test_the_margin_of_the_rule_decides_when_a_certificate_is_told():
    rule = posture_rule()
    rule.parameters = {"certificate_days": 5}
    domain = make_old_domain("a.example")
    see(domain, 50, cert_ends=ending(20))
    see(domain, 22, cert_ends=ending(-60))

    assert told(replay(DAYS, [rule])) == [("sts.cert.expires-soon", 25, 22, ["a.example"])]


def test_of_a_certificate_that_was_not_there_nothing_is_told():
    rule = posture_rule()
    domain = make_old_domain("a.example")
    see(domain, 50, mode=None)
    for hour in (1, 2):
        see(domain, 8, hour, cert_ends=ending(-5))
    new = Domain.objects.create(name="new.example", created_at=NOW - timedelta(days=3))
    see(new, 3, cert_ends=ending(-6))

    assert told(replay(DAYS, [rule])) == [
        ("sts.cert.expires-soon", 8, None, ["a.example"]),
        ("sts.cert.expires-soon", 3, None, ["new.example"]),
    ]


def test_renewals_take_no_room_from_other_changes(monkeypatch):
    monkeypatch.setattr("alerts.services.replay_records._MOST_CHANGES", 2)
    rule = posture_rule()
    domain = make_old_domain("a.example")
    for back in range(50, 40, -1):
        see(domain, back, cert_ends=ending(back - 60))
    for hour in (1, 2):
        see(domain, 30, hour, tlsrpt=None, cert_ends=ending(-60))

    assert [row[0] for row in told(replay(DAYS, [rule]))] == ["change.tlsrpt.removed"]


def test_a_cause_seen_and_reported_is_replayed_once():
    domain = Domain.objects.create(name="a.example")
    see(domain, 60)
    for hour in (1, 2):
        see(domain, 9, hour, mx=("mx1.new.test",))
    for back in range(50, 0, -1):
        failed = 900 if back <= 8 else 0
        add_day(
            "a.example", back, 1000, failed, mx="mx1.new.test", result_type="validation-failure"
        )

    found = list(replay(DAYS))

    assert [one.picture.evidence.get("code") for one in found] == ["sts.mx.not-covered"]
