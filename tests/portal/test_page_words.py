"""Sentences of pages that depend on what is counted."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from domains.models import Domain
from reports.services.roll_up import roll_up
from tests.factories import (
    TeamFactory,
    finding,
    make_domain,
    make_incident,
    make_member,
    make_report,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(client) -> User:
    user = make_member(None, Role.VIEWER)
    client.force_login(user)
    return user


@pytest.mark.usefixtures("viewer")
def test_one_domain_with_one_failed_session_is_told_of_in_the_singular(client):
    domain = make_domain("one.example", sts_mode="testing")
    make_incident(domain, failed_sessions=1, sessions=1)
    make_report(domain, timezone.now().date() - timedelta(days=1), successes=0, failures=1)
    roll_up()

    pages = (domain.get_absolute_url(), *map(reverse, ("rollout", "failures:list", "overview")))
    told = " ".join(client.get(page).content.decode() for page in pages)

    assert "1 session, 1 failed" in told
    assert ">session, 1 reporter<" in told
    assert "1 of 1 session failed" in told
    assert '1<span class="visually-hidden"> domain</span>' in told
    assert "1 of 1 day so far" in told
    assert "1 sessions" not in told


@pytest.mark.usefixtures("viewer")
def test_a_domain_whose_tlsa_records_match_nothing_is_not_well(client):
    mismatch = finding("dane.tlsa.mismatch", mx="mx1.mail.one.example")
    domain = make_domain("one.example", dane="invalid", findings={"dane": [mismatch]})
    make_report(domain, timezone.now().date() - timedelta(days=1))
    roll_up()

    diagnosis = client.get(domain.get_absolute_url()).context["diagnosis"]

    assert diagnosis.tone == "bad"
    assert diagnosis.what.startswith("No TLSA record matches the certificate of mx1.mail.one.")


@pytest.mark.usefixtures("viewer")
def test_an_mx_host_says_what_checks_and_reports_say_of_it(client):
    domain = make_domain("one.example")
    hosts = [
        {"name": "mx1.hoster.example", "preference": 10, "covered": True},
        {"name": "mx2.hoster.example", "preference": 20, "covered": False},
    ]
    posture = domain.last_posture
    posture.judgement |= {"mx": {"status": "valid", "hosts": hosts, "findings": []}}
    posture.save()
    make_report(domain, timezone.now().date() - timedelta(days=1), failures=3)
    roll_up()

    page = client.get(domain.get_absolute_url())

    first, second = page.context["mx_hosts"]
    assert first.reported == "Certificate expired: 3 sessions failed"
    table = client.get(first.reported_href).context["table"]
    assert (table.paginator.count, second.reported) == (1, "")
    assert page.context["aspects"]["mx"].sign.word == "Not covered"


def test_who_may_not_see_domains_of_nobody_is_not_led_to_them(client):
    client.force_login(make_member(TeamFactory(), Role.ANALYST))

    inbox, strays = reverse("inbox:list"), reverse("inbox:unmanaged")

    assert strays not in client.get(inbox).content.decode()
    assert client.get(strays).status_code == 403

    client.force_login(make_member(None, Role.ANALYST))
    assert strays in client.get(inbox).content.decode()

    client.force_login(make_member(None, Role.VIEWER))
    assert "Could not be read" not in client.get(strays).content.decode()
    assert client.get(inbox).status_code == 403


@pytest.mark.usefixtures("viewer")
def test_the_domains_of_a_team_are_those_behind_the_number(client):
    team = TeamFactory()
    make_domain("watched.example", team)
    make_domain("paused.example", team, is_active=False)

    page = client.get(reverse("settings:team", args=[team.pk])).content.decode()
    href, count = re.search(r'href="([^"]+)">(\d+) domains<', page).groups()

    assert client.get(href.replace("&amp;", "&")).context["table"].paginator.count == int(count)


@pytest.mark.usefixtures("viewer")
def test_the_cause_in_the_diagnosis_is_that_of_its_days_whatever_the_span(client):
    domain, today = make_domain("a.example"), timezone.now().date()
    failed = {"successes": 0, "receiving_mx": "mx1.a.example"}
    for ago, result_type, failures in (
        (200, "starttls-not-supported", 900),
        (2, "starttls-not-supported", 1),
        (1, "certificate-expired", 60),
    ):
        day = today - timedelta(days=ago)
        make_report(domain, day, result_type=result_type, failures=failures, **failed)
    roll_up()

    page = client.get(domain.get_absolute_url(), {"days": 365})

    assert "certificate expired at mx1.a.example" in page.context["diagnosis"].what


@pytest.mark.usefixtures("viewer")
def test_the_file_of_causes_has_those_that_the_page_leaves_out(client):
    domain, yesterday = make_domain("a.example"), timezone.now().date() - timedelta(days=1)
    for at in range(10):
        make_report(domain, yesterday, f"Reporter {at}", failures=1, receiving_mx=f"mx{at}.example")
    roll_up()

    page = client.get(domain.get_absolute_url())
    saved = client.get(domain.get_absolute_url(), {"table": "causes", "export": "csv"})

    assert len(page.context["reports"].causes) == 8
    assert "The 8 with the most failed sessions. All 10:" in page.content.decode()
    assert len(saved.content.decode().splitlines()) == 1 + 10


@pytest.mark.usefixtures("viewer")
def test_a_parked_domain_with_a_record_stands_in_for_no_domain_with_mail(client):
    make_domain("mail.example", tlsrpt="missing")
    make_domain("parked.example", mx="null-mx")

    steps = client.get(reverse("start")).context["steps"]

    [step] = [one for one in steps if one.title == "Publish the TLSRPT records"]
    assert (step.is_done, step.state) == (False, "0 of 1 domain with mail")


@pytest.mark.usefixtures("viewer")
def test_the_age_of_an_incident_is_that_of_its_first_signs(client):
    now = timezone.now()
    make_incident(make_domain("a.example"), since_on=now.date() - timedelta(days=23))

    assert "first signs 23 days ago" in client.get(reverse("overview")).content.decode()


@pytest.mark.usefixtures("viewer")
def test_a_number_of_a_stranger_leads_to_its_reports(client):
    day = timezone.now().date() - timedelta(days=1)
    both = make_report(None, day, policy_domain="stranger.example", failures=3)
    make_report(None, day, "Comcast", policy_domain="stranger.example")
    make_report(None, day, policy_domain="other.example")
    again = make_report(None, day, "GMX", policy_domain="stranger.example")
    again.results.update(report=both, position=1)
    again.delete()

    page = client.get(reverse("inbox:unmanaged"))
    [row] = [row for row in page.context["rows"] if row[0].name == "stranger.example"]
    found, _, href = row

    assert found.sessions == 90 + 3 + 90 + 90
    assert found.reports == client.get(href).context["table"].paginator.count == 2
    assert client.get(f"{href}&content=failures").context["table"].paginator.count == 1
    assert f"{href}&content=failures".replace("&", "&amp;") in page.content.decode()


def test_strangers_are_added_together_once_their_team_is_chosen(admin_client):
    day = timezone.now().date() - timedelta(days=1)
    for name in ("one.example", "two.example", "three.example"):
        make_report(None, day, policy_domain=name)

    boxes = admin_client.get(reverse("inbox:unmanaged")).content.decode()
    chosen = {"chosen": ["one.example", "two.example"]}
    form = admin_client.post(reverse("domains:import"), chosen).context["form"]

    assert boxes.count('name="chosen"') == 3
    assert form["text"].value() == "one.example\ntwo.example"
    assert not form.errors
    assert not Domain.objects.exists()


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize(("ago", "is_longer"), [(89, False), (90, True)])
def test_failures_of_the_first_day_looked_at_may_be_older(client, ago, is_longer):
    domain, today = make_domain("a.example"), timezone.now().date()
    for back in (1, ago):
        make_report(domain, today - timedelta(days=back), successes=0, failures=60)
    roll_up()

    diagnosis = client.get(domain.get_absolute_url()).context["diagnosis"]

    assert (" or earlier" in diagnosis.what) == is_longer


@pytest.mark.parametrize("name", ["failures:list", "reporters:list"])
def test_without_any_domain_a_page_of_figures_offers_to_add_some(client, name):
    client.force_login(make_member(None, Role.MANAGER))

    empty = client.get(reverse(name)).content.decode()
    make_domain("one.example")
    silent = client.get(reverse(name)).content.decode()

    assert "No domains yet" in empty
    assert f'href="{reverse("domains:import")}"' in empty
    assert "Domains without a record" not in empty
    assert "Domains without a record" in silent
