"""The domains that belong to no team can be chosen wherever a team can, by those who see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from domains.models import Domain
from reports.services.roll_up import roll_up
from tests.factories import TeamFactory, make_domain, make_member, make_report

pytestmark = pytest.mark.django_db

PAGES = (
    "failures:list",
    "rollout",
    "what-if",
    "coverage",
    "domains:list",
    "coverage:domains",
    "coverage:exceptions",
)
OPTION = ">No team</option>"


@pytest.fixture(autouse=True)
def fleet():
    """One domain of a team and one of none, both in testing and failing."""
    team = TeamFactory(name="Retail")
    day = timezone.now().date() - timedelta(days=1)
    for name, owner, failures in (("ours.example", team, 7), ("nobodys.example", None, 5)):
        make_report(make_domain(name, owner, sts_mode="testing"), day, failures=failures)
    roll_up()
    return team


@pytest.mark.parametrize("name", PAGES)
def test_no_team_is_a_choice_for_those_who_see_all(client, fleet, name):
    client.force_login(make_member(None, Role.VIEWER))
    assert OPTION in client.get(reverse(name)).content.decode()

    client.force_login(make_member(fleet, Role.MANAGER))
    assert OPTION not in client.get(reverse(name)).content.decode()


def test_the_failures_of_no_team_are_those_of_its_domains(client, fleet):
    client.force_login(make_member(None, Role.VIEWER))
    query = {"team": "none", "by": "cause"}

    page = client.get(reverse("failures:list"), query)
    [row] = [row.record for row in page.context["table"].rows]

    assert row.failed == 5
    assert '<option value="none" selected' in page.content.decode()
    group = client.get(row.href)
    assert group.context["failed"] == 5
    assert [domain.name for domain, _, _ in group.context["domains"]] == ["nobodys.example"]
    assert "domains that belong to no team" in group.content.decode()
    reports = client.get(group.context["reports_href"])
    assert reports.context["totals"].failed == 5
    assert "No team" in reports.content.decode()


def test_the_roll_out_of_no_team_and_its_links_are_about_its_domains(client, fleet):
    client.force_login(make_member(None, Role.VIEWER))

    page = client.get(reverse("rollout"), {"team": "none"})
    parts = client.get(reverse("what-if"), {"team": "none"}).context
    found = page.context["what_if"]

    assert (found.domains, found.failed.refused) == (1, 5)
    assert [row.name for row in parts["by_domain"]] == ["nobodys.example"]
    assert client.get(parts["by_cause"][0].href).context["failed"] == 5
    stage = client.get(reverse("rollout"), {"team": "none", "stage": "testing"})
    assert [row.record.name for row in stage.context["table"].rows] == ["nobodys.example"]


@pytest.mark.parametrize("name", ["failures:list", "rollout", "reports:list"])
def test_a_member_gets_nothing_of_no_team(client, fleet, name):
    client.force_login(make_member(fleet, Role.MANAGER))

    text = client.get(reverse(name), {"team": "none", "by": "domain"}).content.decode()

    assert "nobodys.example" not in text
    assert "ours.example" not in text


@pytest.mark.parametrize("name", ["coverage", "coverage-paper"])
def test_an_empty_coverage_of_today_does_not_speak_of_that_day(client, fleet, name):
    client.force_login(make_member(None, Role.VIEWER))
    empty = TeamFactory(name="Empty")
    Domain.objects.filter(team=None).update(team=fleet)

    nobodys = client.get(reverse(name), {"team": "none"}).content.decode()
    of_team = client.get(reverse(name), {"team": empty.pk}).content.decode()
    past = client.get(reverse(name), {"team": "none", "on": "2020-02-02"}).content.decode()

    is_paper = name == "coverage-paper"
    assert ("watched here today" if is_paper else "Every watched domain belongs") in nobodys
    assert ("watched here today" if is_paper else "This team has no watched domain") in of_team
    for text in (nobodys, of_team):
        assert "on that day" not in text.split("<main", 1)[-1]
    assert "No domain was known on that day" in past


def test_the_what_if_belongs_to_the_roll_out(client, fleet):
    client.force_login(make_member(None, Role.VIEWER))

    text = client.get(reverse("what-if"), {"team": fleet.pk}).content.decode()

    assert f'<a href="{reverse("rollout")}" aria-current="page"' in text
    assert f'<a href="{reverse("rollout")}?team={fleet.pk}">Roll-out</a>' in text


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("failures:group", {"cause": "certificate-expired"}),
        ("rollout", {"stage": "testing"}),
        ("reports:list", {}),
    ],
)
def test_a_number_in_the_address_names_no_team_of_others(client, fleet, name, query):
    theirs = TeamFactory(name="Secret project")
    client.force_login(make_member(fleet, Role.MANAGER))

    page = client.get(reverse(name), query | {"team": theirs.pk}).content.decode().lower()
    own = client.get(reverse(name), query | {"team": fleet.pk}).content.decode()

    assert "secret project" not in page
    assert "another team" in page
    assert "Retail" in own
