from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import Team
from alerts.lifecycle import State
from alerts.models import Incident, Rule, RuleKind, Severity
from alerts.rules.coverage import CoverageRule
from alerts.services.evaluate import evaluate
from alerts.services.replay import replay
from alerts.words import words_of
from domains.lacks import Lack
from domains.models import CoverageException, Domain, Status
from domains.services.record_check import record_check
from tests.domains.observations import RUA, observed

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
TODAY = NOW.date()


def except_from(domain, lack, starts_on, expires_on, *, approver="boss@corp.example", **more):
    return CoverageException.objects.create(
        domain=domain,
        lack=lack,
        reason="The relay is replaced in spring.",
        approver_name=approver,
        granted_by_name=approver,
        starts_on=starts_on,
        expires_on=expires_on,
        **more,
    )


@pytest.fixture(autouse=True)
def rule():
    Rule.objects.exclude(kind=RuleKind.COVERAGE).delete()
    return Rule.objects.get()


def add(name, age, *, team=None, mode=None, tlsrpt=RUA):
    domain = Domain.objects.create(name=name, team=team, created_at=NOW - timedelta(days=age))
    record_check(domain, observed(name, at=NOW, mode=mode, tlsrpt=tlsrpt), NOW)
    return domain


def touched(incident):
    return sorted(str(row.domain) for row in incident.incident_domains.all())


def test_new_domains_without_records_are_one_incident_a_team():
    for n, age in enumerate((3, 20, 30, 90)):
        add(f"d{n}.example", age)
    add("theirs.example", 20, team=Team.objects.create(name="Web"))

    evaluate(NOW)

    assert sorted(touched(one) for one in Incident.objects.all()) == [
        ["d1.example", "d2.example"],
        ["theirs.example"],
    ]


def test_a_domain_that_takes_no_mail_has_nothing_to_protect():
    parked = add("parked.example", 20)
    Domain.objects.filter(pk=parked.pk).update(mx=Status.NULL_MX)

    evaluate(NOW)

    assert not Incident.objects.exists()
    assert not list(replay([TODAY]))


def test_a_domain_that_is_covered_leaves_an_incident_that_goes_on():
    for name in ("a.example", "b.example"):
        add(name, 20)
    evaluate(NOW)
    later = NOW + timedelta(days=1)
    record_check(Domain.objects.get(name="a.example"), observed("a.example", at=later), later)

    evaluate(later)

    incident = Incident.objects.get()
    assert touched(incident) == ["b.example"]
    assert incident.title.endswith("b.example")
    assert incident.events.filter(text="No longer part of it: a.example.").exists()


def test_what_was_told_lasts_until_it_is_covered():
    domain = add("a.example", 30)
    evaluate(NOW)

    evaluate(NOW + timedelta(days=90))
    incident = Incident.objects.get()
    assert incident.state == State.OPEN

    record_check(
        domain, observed("a.example", at=NOW + timedelta(days=91)), NOW + timedelta(days=91)
    )
    evaluate(NOW + timedelta(days=91))

    incident.refresh_from_db()
    assert incident.state == State.RESOLVED


def test_an_excepted_lack_is_not_told():
    except_from(add("a.example", 30), Lack.MTA_STS, TODAY, TODAY + timedelta(days=90))
    except_from(add("b.example", 30, tlsrpt=None), Lack.MTA_STS, TODAY, TODAY + timedelta(days=90))

    evaluate(NOW)

    assert touched(Incident.objects.get()) == ["b.example"]


@pytest.mark.parametrize(
    ("excepted", "lacks"),
    [((), [Lack.TLSRPT, Lack.MTA_STS]), ((Lack.TLSRPT,), [Lack.MTA_STS]), (tuple(Lack), [])],
)
def test_a_rule_leaves_out_what_is_excepted(excepted, lacks):
    added_at = NOW - timedelta(days=20)

    assert CoverageRule().missing(added_at, NOW, "missing", "missing", excepted) == lacks


def test_an_old_domain_is_not_new_again_when_its_exception_ends():
    except_from(add("old.example", 300), Lack.MTA_STS, TODAY, TODAY + timedelta(days=5))

    for n in range(8):
        evaluate(NOW + timedelta(days=n))

    [incident] = Incident.objects.all()
    assert incident.title == "Exception from MTA-STS ended on 25 Nov 2026: old.example"


def test_exceptions_of_one_approval_that_end_soon_are_one_incident():
    ends_on = TODAY + timedelta(days=10)
    for n in range(3):
        except_from(add(f"d{n}.example", 300), Lack.MTA_STS, TODAY, ends_on)
    except_from(add("later.example", 300), Lack.MTA_STS, TODAY, TODAY + timedelta(days=15))
    except_from(add("done.example", 300, mode="testing"), Lack.MTA_STS, TODAY, ends_on)
    except_from(add("other.example", 300), Lack.MTA_STS, TODAY, ends_on, approver="x@corp.example")

    evaluate(NOW)

    found = {one.title: touched(one) for one in Incident.objects.all()}
    assert found == {
        "Exceptions from MTA-STS end on 30 Nov 2026: 3 domains": [
            "d0.example",
            "d1.example",
            "d2.example",
        ],
        "Exception from MTA-STS ends on 30 Nov 2026: other.example": ["other.example"],
    }


def test_an_exception_that_ended_while_the_lack_stands_is_the_same_incident_and_worse():
    except_from(add("a.example", 300), Lack.MTA_STS, TODAY, TODAY + timedelta(days=10))
    evaluate(NOW)
    incident = Incident.objects.get()
    assert incident.severity == Severity.LOW
    assert words_of(incident).title == "Exceptions that end soon"

    evaluate(NOW + timedelta(days=11))

    incident.refresh_from_db()
    assert incident.severity == Severity.MEDIUM
    assert incident.title == "Exception from MTA-STS ended on 30 Nov 2026: a.example"
    assert words_of(incident).title == "Exceptions that have ended"


def test_an_end_that_changes_nothing_is_not_told():
    domain = add("a.example", 300)
    except_from(domain, Lack.ENFORCE, TODAY, TODAY + timedelta(days=10))
    except_from(domain, Lack.MTA_STS, TODAY, TODAY + timedelta(days=200))

    evaluate(NOW)
    evaluate(NOW + timedelta(days=11))

    assert not Incident.objects.exists()


def test_a_renewal_ends_the_incident():
    first = except_from(add("a.example", 300), Lack.MTA_STS, TODAY, TODAY + timedelta(days=10))
    evaluate(NOW)
    tomorrow = TODAY + timedelta(days=1)
    except_from(first.domain, Lack.MTA_STS, tomorrow, TODAY + timedelta(days=200), renews=first)
    CoverageException.objects.filter(pk=first.pk).update(ended_on=tomorrow)

    evaluate(NOW + timedelta(days=1))

    assert Incident.objects.get().state == State.RESOLVED


def test_what_ended_long_ago_is_not_dug_up():
    start = TODAY - timedelta(days=300)
    except_from(add("a.example", 400), Lack.MTA_STS, start, TODAY - timedelta(days=100))

    evaluate(NOW)

    assert not Incident.objects.exists()


def test_a_rule_of_a_team_tells_of_its_exceptions_only(rule):
    team = Team.objects.create(name="Mail")
    rule.team = team
    rule.save()
    ends_on = TODAY + timedelta(days=10)
    except_from(add("mine.example", 300, team=team), Lack.MTA_STS, TODAY, ends_on)
    except_from(add("theirs.example", 300), Lack.MTA_STS, TODAY, ends_on)

    evaluate(NOW)

    assert touched(Incident.objects.get()) == ["mine.example"]


def test_the_title_says_what_is_lacking_and_whose():
    labs, web, retail = (Team.objects.create(name=name) for name in ("Labs", "Web", "Retail"))
    add("one.example", 77 - 30, team=labs)
    for name in ("a.example", "b.example"):
        add(name, 20, team=web, tlsrpt=None)
    add("c.example", 20, team=retail)
    add("d.example", 20, team=retail, tlsrpt=None)
    for name in ("e.example", "f.example"):
        add(name, 20)

    evaluate(NOW)

    assert {one.title for one in Incident.objects.all()} == {
        "Still without MTA-STS: one.example",
        "Still without TLS-RPT and MTA-STS: 2 domains of Web",
        "Still without TLS-RPT or MTA-STS: 2 domains of Retail",
        "Still without MTA-STS: 2 domains of no team",
    }
