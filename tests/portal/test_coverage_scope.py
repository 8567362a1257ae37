"""What the coverage makes of teams that are not there and of days still to come."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from tests.factories import TeamFactory, make_domain, make_member
from webui.wording import day

pytestmark = pytest.mark.django_db
PAGES = ("coverage", "coverage-paper")


@pytest.fixture
def team():
    team = TeamFactory(name="Retail")
    make_domain("ours.example", team)
    return team


@pytest.mark.parametrize("name", PAGES)
def test_a_team_that_is_not_there_has_no_domains(client, team, name):
    client.force_login(make_member(None, Role.VIEWER))

    text = client.get(reverse(name), {"team": team.pk + 99}).content.decode()

    assert "no domains, as this person sees no such team" in text.lower()
    assert "ours.example" not in text
    assert "0 watched domains" in text or "0 domains" in text


def test_the_team_of_others_shows_nothing_and_is_not_named(client, team):
    client.force_login(make_member(TeamFactory(name="Labs"), Role.MANAGER))

    page = client.get(reverse("coverage"), {"team": team.pk})
    file = client.get(reverse("coverage"), {"team": team.pk, "export": "csv"})

    assert "No such team" in page.content.decode()
    assert "Retail" not in page.content.decode()
    assert len(file.content.decode().splitlines()) == 1


@pytest.mark.parametrize("name", [*PAGES, "coverage:domains"])
def test_a_day_that_is_still_to_come_is_said_to_be(client, team, name):
    client.force_login(make_member(None, Role.VIEWER))
    today = timezone.now().date()
    ahead = today + timedelta(days=9)

    text = client.get(reverse(name), {"on": ahead.isoformat()}).content.decode()
    of_today = client.get(reverse(name), {"on": today.isoformat()}).content.decode()

    assert f"{day(ahead)} is still to come" in text
    assert "still to come" not in of_today
