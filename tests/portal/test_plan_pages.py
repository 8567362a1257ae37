from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from alerts.models import Rule
from domains.lacks import Lack
from domains.models import Domain, Posture
from mailtls.catalogue import ENTRIES
from mailtls.catalogue.result_types import RESULT_TYPES
from reports.services.roll_up import roll_up
from reports.under_enforce import Apart, UnderEnforce, split
from tests.factories import (
    TeamFactory,
    make_change,
    make_destination,
    make_domain,
    make_exception,
    make_incident,
    make_member,
    make_report,
)
from tlsrpt_portal.pages.rollout_board import read_board

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client):
    user = make_member(None, Role.VIEWER)
    client.force_login(user)
    return user


def test_the_cells_of_the_coverage_equal_the_lists_behind_them(client, auditor):
    team = TeamFactory()
    make_domain("a.example", team, tlsrpt="missing")
    make_domain("b.example", team, sts_mode="testing", dane="valid")
    make_domain("c.example", None, mta_sts="missing")
    make_domain("d.example", team, tlsrpt="invalid", mta_sts="invalid")

    page = client.get(reverse("coverage"))

    for row in page.context["rows"]:
        # Whatever a domain publishes, it is in one column of each standard.
        by_title = {cell.title: cell.count for cell in row.counts}
        assert row.total == sum(by_title[f"{one}TLS-RPT"] for one in ("", "No ", "Broken "))
    for row in page.context["rows"]:
        for cell in [row, *row.counts]:
            count = cell.total if cell is row else cell.count
            assert client.get(cell.href).context["table"].paginator.count == count


def make_old_domain(name, team=None, **states):
    """Make a domain that was added twenty days ago and whose state stands for fifteen days."""
    first_day = (timezone.now() - timedelta(days=15)).date()
    domain = make_domain(name, team, first_day=first_day, **states)
    Domain.objects.filter(pk=domain.pk).update(created_at=timezone.now() - timedelta(days=20))
    return domain


@pytest.mark.thorough
@pytest.mark.parametrize("is_member", [False, True])
@pytest.mark.parametrize("ago", [10, 17])
def test_the_numbers_of_a_past_day_equal_the_lists_behind_them(client, auditor, is_member, ago):
    team = TeamFactory()
    bare = make_old_domain("bare.example", team, tlsrpt="missing", mta_sts="missing")
    make_exception(bare, Lack.MTA_STS, starts_on=timezone.now().date() - timedelta(days=12))
    slow = make_old_domain("slow.example", team, sts_mode="testing", dane="valid")
    make_exception(slow, Lack.MTA_STS, starts_on=timezone.now().date() - timedelta(days=12))
    make_old_domain("late.example", team, mta_sts="missing")
    make_old_domain("theirs.example", None, mta_sts="invalid")
    make_old_domain("paused.example", team, is_active=False)
    make_domain("young.example", team)
    # What is published today is not asked for.
    Domain.objects.update(tlsrpt="valid", mta_sts="valid", sts_mode="enforce", dane="missing")
    if is_member:
        client.force_login(make_member(team, Role.VIEWER))
    day = (timezone.now() - timedelta(days=ago)).date()

    page = client.get(reverse("coverage"), {"on": day.isoformat()})

    def listed(href):
        return client.get(href).context["table"].paginator.count

    rows = page.context["rows"]
    assert rows[-1].total == (3 if is_member else 4)
    for row in rows:
        assert listed(row.href) == row.total
        for cell in row.counts:
            assert listed(cell.href) == cell.count, cell
            if cell.excepted:
                assert listed(cell.excepted_href) == cell.excepted, cell
    assert sum(cell.excepted for cell in rows[-1].counts) == (2 if ago == 10 else 0)
    for line in page.context["chart"].rows:
        for number in line[1:]:
            assert listed(number.href) == number.value, number


def test_a_list_of_a_past_day_shows_and_saves_what_was_published_then(client, auditor):
    domain = make_old_domain("a.example", TeamFactory(name="Retail"), mta_sts="missing")
    make_exception(domain, Lack.MTA_STS, starts_on=timezone.now().date() - timedelta(days=12))
    Domain.objects.update(mta_sts="valid", sts_mode="enforce")
    day = (timezone.now() - timedelta(days=10)).date().isoformat()
    query = {"on": day, "sts": "missing"}

    page = client.get(reverse("coverage:domains"), query)
    file = client.get(reverse("coverage:domains"), query | {"export": "csv"})

    assert page.context["clear_href"] == f"{reverse('coverage:domains')}?on={day}"
    assert f'<input type="hidden" name="on" value="{day}">' in page.content.decode()
    assert file["Content-Disposition"] == f'attachment; filename="domains-{day}.csv"'
    assert file.content.decode().splitlines() == [
        "Domain,Team,Owner,TLS-RPT,MTA-STS,DANE,ASCII name",
        "a.example,Retail,,Valid,Missing (excepted),None,a.example",
    ]


def test_a_past_day_has_a_file_of_its_own(client, auditor):
    make_old_domain("a.example")
    day = (timezone.now() - timedelta(days=10)).date().isoformat()

    file = client.get(reverse("coverage"), {"on": day, "export": "csv"})
    assert file["Content-Disposition"] == f'attachment; filename="coverage-{day}.csv"'
    assert f"{day},a.example,,,valid,enforce,missing" in file.content.decode()


@pytest.mark.parametrize("on", ["2999-01-01", "no day", ""])
def test_a_day_that_is_none_means_today(client, auditor, on):
    assert client.get(reverse("coverage"), {"on": on}).context["is_today"] is True


def test_each_domain_stands_in_the_lane_its_evidence_puts_it_in():
    today = timezone.now().date()
    made = {
        "dark": make_domain("dark.example", tlsrpt="missing", mta_sts="missing"),
        "reporting": make_domain("reporting.example", mta_sts="missing"),
        "few": make_domain("few.example", sts_mode="testing"),
        "failing": make_domain("failing.example", sts_mode="testing"),
        "ready": make_domain("ready.example", sts_mode="testing"),
        "enforce": make_domain("enforce.example", sts_mode="enforce"),
    }
    make_domain("parked.example", mx="null-mx", tlsrpt="missing")
    make_report(made["few"], today - timedelta(days=2), successes=3)
    make_report(made["failing"], today - timedelta(days=2), successes=300, failures=30)
    make_report(made["ready"], today - timedelta(days=25), successes=300)
    roll_up()

    lanes = {
        lane.title: [card.domain.name for card in lane.cards]
        for lane in read_board(Domain.objects.all()).lanes
    }

    assert lanes == {
        "No record": ["dark.example"],
        "Reporting": ["reporting.example"],
        "Testing": ["failing.example", "few.example"],
        "Ready": ["ready.example"],
        "Enforce": ["enforce.example"],
    }


def test_each_number_of_the_board_leads_to_so_many_domains(client, auditor):
    today = timezone.now().date()
    team = TeamFactory(name="Retail")
    for at in range(3):
        make_domain(f"dark{at}.example", team, tlsrpt="missing", mta_sts="missing")
    testing = make_domain("testing.example", team, sts_mode="testing")
    make_domain("theirs.example", TeamFactory(), sts_mode="testing")
    make_report(testing, today - timedelta(days=2), successes=300, failures=30)
    roll_up()
    query = {"team": team.pk}

    for lane in client.get(reverse("rollout"), query).context["lanes"]:
        page = client.get(reverse("rollout"), query | {"stage": lane.stage.value})
        assert len(page.context["table"].rows) == lane.count
    whole = client.get(reverse("rollout"), query | {"export": "csv"}).content.decode()

    _, *rows = whole.splitlines()
    assert [row.split(",")[:4] for row in rows] == [
        ["No record", "dark0.example", "Retail", ""],
        ["No record", "dark1.example", "Retail", ""],
        ["No record", "dark2.example", "Retail", ""],
        ["Testing", "testing.example", "Retail", "Look"],
    ]
    assert rows[3].endswith(",330,30")


def test_a_stage_says_whose_domains_it_lists_and_leads_back_to_them(client, auditor):
    team = TeamFactory(name="Retail")
    make_domain("unseen.example", team, tlsrpt="unknown", mta_sts="unknown")
    make_domain("other.example", tlsrpt="missing")

    page = client.get(reverse("rollout"), {"stage": "dark", "team": team.pk})

    text = page.content.decode()
    assert "of Retail alone" in text
    assert f'href="{reverse("rollout")}?team={team.pk}"' in text
    assert "other.example" not in text
    assert "Whether it has a record could not be found out." in text
    everywhere = client.get(reverse("rollout"), {"stage": "dark"}).content.decode()
    assert "alone" not in everywhere


def test_what_enforce_would_have_refused_equals_the_failures_behind_it(client, auditor):
    today = timezone.now().date()
    team = TeamFactory()
    testing = make_domain("testing.example", team, sts_mode="testing")
    make_report(testing, today - timedelta(days=2), "Google Inc.", successes=300, failures=30)
    make_report(testing, today - timedelta(days=3), "Comcast", successes=300, failures=3)
    make_report(make_domain("other.example", team), today - timedelta(days=2), failures=500)
    roll_up()

    board = client.get(reverse("rollout"), {"team": team.pk})
    page = client.get(reverse("what-if"), {"team": team.pk})

    found, parts = page.context["what_if"], page.context
    assert board.context["what_if"] == found
    assert f"{reverse('what-if')}?team={team.pk}" in board.content.decode()
    assert (found.domains, found.sessions, found.failed.refused) == (1, 633, 33)
    for rows in (parts["by_domain"], parts["by_cause"], parts["by_sender"]):
        assert sum(row.sessions for row in rows) == 33
    for row in parts["by_cause"]:
        assert client.get(row.href).context["failed"] == row.sessions
    behind = [row.record for row in client.get(parts["by_sender"][0].href).context["table"].rows]
    assert [(row.name, row.failed) for row in behind] == [("Google Inc.", 30), ("Comcast", 3)]


@pytest.mark.parametrize("is_of_one_team", [True, False])
def test_what_enforce_refuses_is_told_apart_from_what_it_does_not(client, auditor, is_of_one_team):
    today = timezone.now().date()
    team = TeamFactory()
    query = {"team": team.pk} if is_of_one_team else {}
    testing = make_domain("testing.example", team, sts_mode="testing")
    unread = make_domain("unread.example", team, sts_mode="testing")
    day = today - timedelta(days=2)
    make_report(testing, day, "Google Inc.", failures=10)
    make_report(testing, day, "Comcast", failures=4, result_type="tlsa-invalid")
    make_report(unread, day, "Google Inc.", failures=20, result_type="sts-webpki-invalid")
    make_report(unread, day - timedelta(days=28), failures=0)
    roll_up()

    page = client.get(reverse("rollout"), query)
    parts = client.get(reverse("what-if"), query).context
    found = page.context["what_if"]

    assert found == parts["what_if"]
    assert found.failed == UnderEnforce(refused=10, unread=20, under_dane=4)
    assert [(row.name, row.sessions) for row in parts["by_domain"]] == [("testing.example", 10)]
    assert [row.sessions for row in parts["by_cause"]] == [10]
    assert [(row.name, row.sessions, row.detail) for row in parts["by_sender"]] == [
        ("Google Inc.", 10, "of 30 failed")
    ]
    for concern, count in (("connection", 10), ("policy", 20), ("dane", 4)):
        href = f"{found.failures_href}&concern={concern}"
        assert href.replace("&", "&amp;") in page.content.decode()
        rows = client.get(href).context["table"].rows
        assert sum(row.record.failed for row in rows) == count
    lanes = {lane.title: [card.evidence for card in lane.cards] for lane in page.context["lanes"]}
    assert any("could not be read for 20 of 200 sessions" in one for one in lanes["Testing"])


def test_a_domain_says_what_enforce_would_not_refuse(client, auditor):
    domain = make_domain("unread.example", sts_mode="testing")
    day = timezone.now().date() - timedelta(days=2)
    make_report(domain, day, failures=20, result_type="sts-policy-fetch-error")
    roll_up()

    page = client.get(domain.get_absolute_url())

    states = {one.title: one for one in page.context["conditions"]}
    assert not states["Senders can read the policy"].is_met
    assert states["Nothing worth the name would be refused"].is_met
    assert "senders could not read the policy since" in page.context["diagnosis"].what


def test_more_details_than_failures_set_no_more_apart_than_failed():
    assert split(5, Apart(unread=3, under_dane=9)) == UnderEnforce(0, 3, 2)
    assert split(5, Apart(unread=9)) == UnderEnforce(0, 5, 0)
    assert split(5, Apart()) == UnderEnforce(5, 0, 0)


def test_the_steps_tick_themselves(client, auditor, settings):
    settings.MAIL_ADDRESS = ""
    assert not any(step.is_done for step in client.get(reverse("start")).context["steps"])

    settings.MAIL_ADDRESS = "tls@portal.example"
    domain = make_domain("a.example", sts_mode="testing")
    make_report(domain, timezone.now().date() - timedelta(days=1))
    roll_up()
    make_destination("Mail")

    done = [step.is_done for step in client.get(reverse("start")).context["steps"]]
    assert done == [True, True, True, True, False, True, False]


@pytest.mark.parametrize(
    ("kind", "evidence", "words"),
    [
        ("silence", {"kind": "reporter"}, "Reports that used to come do not come"),
        ("coverage", {"team": None}, "New domains without records"),
        (
            "posture",
            {"code": "tlsrpt.record.missing", "params": {}},
            ENTRIES["tlsrpt.record.missing"].title,
        ),
        ("regression", {"types": []}, RESULT_TYPES["certificate-expired"].title),
    ],
)
def test_an_incident_of_each_kind_says_what_it_is_about(client, auditor, kind, evidence, words):
    incident = make_incident(make_domain("a.example", tlsrpt="missing"), evidence=evidence)
    incident.rule = Rule.objects.filter(kind=kind).first()
    incident.save()

    page = client.get(incident.get_absolute_url())

    assert page.status_code == 200
    assert page.context["cause_words"].title == words
    assert page.context["is_about_sessions"] is (kind == "regression")
    assert client.get(reverse("overview")).status_code == 200


def test_an_incident_about_a_record_shows_what_checks_saw(client, auditor):
    domain = make_domain("a.example", tlsrpt="invalid")
    judgement = {
        "tlsrpt": {
            "findings": [{"code": "tlsrpt.rua.no-scheme", "severity": "error", "params": {}}]
        },
        "dane": {"findings": [{"code": "dane.tlsa.unusable", "severity": "error", "params": {}}]},
    }
    Posture.objects.filter(domain=domain).update(judgement=judgement)
    seen_at = timezone.now() - timedelta(days=3)
    for aspect, after in (("tlsrpt", "v=TLSRPTv1; rua=a@b"), ("dane", "other")):
        make_change(domain, "tlsrpt-record", "", after, aspect=aspect, seen_at=seen_at)
    incident = make_incident(domain, evidence={"code": "change.tlsrpt.broken", "params": {}})
    incident.rule = Rule.objects.filter(kind="posture").first()
    incident.save()

    [evidence] = client.get(incident.get_absolute_url()).context["checks"]

    assert [finding.code for finding in evidence.findings] == ["tlsrpt.rua.no-scheme"]
    assert [(title, change.after) for title, change in evidence.changes] == [
        ("TLSRPT record changed", "v=TLSRPTv1; rua=a@b")
    ]
