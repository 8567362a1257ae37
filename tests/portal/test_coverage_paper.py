from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from domains.lacks import Lack
from domains.models import Domain
from tests.factories import TeamFactory, make_domain, make_exception, make_member, make_span
from tlsrpt_portal.pages import coverage_paper

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client):
    user = make_member(None, Role.VIEWER)
    client.force_login(user)
    return user


def paper(client, **query):
    return client.get(reverse("coverage-paper"), query)


def figures(page, aspect, team="All"):
    """Give the non-zero figures of a team by the word of the state: (count, excepted)."""
    [table] = [one for one in page.context["tables"] if one.standard.aspect == aspect]
    [line] = [one for one in table.lines if one.team == team]
    return {
        state.word: (figure.count, figure.excepted)
        for state, figure in zip(table.standard.states, line.figures, strict=True)
        if figure.count
    }


def test_each_domain_is_in_one_state_of_each_standard(client, auditor):
    team = TeamFactory(name="Retail")
    bare = make_domain("bare.example", team, tlsrpt="missing", mta_sts="missing")
    make_domain("broken.example", team, tlsrpt="invalid", mta_sts="invalid", dane="valid")
    make_domain("slow.example", None, sts_mode="testing", dane="not-checked")
    make_domain("new.example", None, checked=False)
    make_domain("off.example", None, sts_mode="none")
    make_exception(bare, Lack.TLSRPT)

    page = paper(client)

    assert figures(page, "tlsrpt") == {
        "Valid": (2, 0),
        "Missing": (1, 1),
        "Invalid": (1, 0),
        "Unknown": (1, 0),
    }
    assert figures(page, "sts", "No team") == {
        "Testing": (1, 0),
        "Mode none": (1, 0),
        "Unknown": (1, 0),
    }
    for table in page.context["tables"]:
        for line in table.lines:
            assert sum(figure.count for figure in line.figures) == line.total
    assert [row.name for row in page.context["lacking"]] == [
        "bare.example",
        "broken.example",
        "off.example",
    ]
    assert page.context["lacking"][0].excepted_from == "TLS-RPT"


def test_the_paper_says_who_made_it_when_of_what(client, auditor, settings):
    make_domain("a.example")

    text = paper(client).content.decode()

    assert auditor.email in text
    assert settings.SITE_URL in text
    assert "All watched domains of all teams: 1 domain." in text
    assert "<nav" not in text


def test_a_person_files_only_what_they_may_see(client):
    team = TeamFactory(name="Retail")
    make_domain("ours.example", team, tlsrpt="missing")
    theirs = make_domain("theirs.example", TeamFactory(name="Other"), tlsrpt="missing")
    make_exception(theirs, reason="Their secret reason.")
    client.force_login(make_member(team, Role.VIEWER))

    for query in ({}, {"team": str(theirs.team_id)}, {"team": "none"}):
        text = paper(client, **query).content.decode()
        assert "theirs.example" not in text
        assert "secret" not in text
    assert "team Retail, which are all this person may see" in paper(client).content.decode()


def test_a_team_is_filed_by_itself(client, auditor):
    team = TeamFactory(name="Retail")
    make_domain("ours.example", team, tlsrpt="missing")
    make_domain("theirs.example", TeamFactory(), tlsrpt="missing")

    page = paper(client, team=str(team.pk))

    assert [row.name for row in page.context["lacking"]] == ["ours.example"]
    assert "The watched domains of the team Retail" in page.content.decode()
    csv = client.get(reverse("coverage"), {"team": str(team.pk), "export": "csv"})
    assert len(csv.content.decode().splitlines()) == 2


def test_a_past_day_shows_the_states_and_exceptions_of_that_day(client, auditor):
    now = timezone.now()
    seen_on = (now - timedelta(days=20)).date()
    domain = make_domain("a.example", first_day=seen_on)
    Domain.objects.update(created_at=now - timedelta(days=60))
    first_day = (now - timedelta(days=60)).date()
    make_span(domain, first_day, seen_on - timedelta(days=1), tlsrpt="missing")
    span = {"starts_on": (now - timedelta(days=50)).date(), "expires_on": seen_on}
    held = make_exception(domain, **span)

    past = paper(client, on=(now - timedelta(days=30)).date().isoformat())
    today = paper(client)

    assert figures(past, "tlsrpt", "No team") == {"Missing": (1, 1)}
    assert past.context["exceptions"] == [held]
    assert figures(today, "tlsrpt", "No team") == {"Valid": (1, 0)}
    assert today.context["exceptions"] == []


def test_what_ran_out_while_the_lack_stands_is_told(client, auditor):
    domain = make_domain("a.example", tlsrpt="missing")
    day = timezone.now().date() - timedelta(days=4)
    lapsed = make_exception(domain, starts_on=day - timedelta(days=9), expires_on=day)

    assert paper(client).context["lapsed"] == [lapsed]


def test_long_lists_are_cut_and_say_so(client, auditor, monkeypatch):
    monkeypatch.setattr(coverage_paper, "MOST_LINES", 2)
    for at in range(4):
        make_exception(make_domain(f"d{at}.example", tlsrpt="missing"))

    page = paper(client)

    text = page.content.decode()
    assert [row.name for row in page.context["lacking"]] == ["d0.example", "d1.example"]
    assert text.count("The first 2 of 4") == 2
    assert "export=xlsx" in text


@pytest.mark.parametrize("name", ["coverage", "coverage-paper"])
def test_the_coverage_says_that_domains_without_mail_count(client, name):
    make_domain("parked.example", mx="null-mx", tlsrpt="missing")
    client.force_login(make_member(None, Role.VIEWER))

    page = client.get(reverse(name)).content.decode()

    assert "take no mail are counted like others" in page


def test_the_length_of_the_history_lasts_when_another_day_is_chosen(client):
    make_domain("a.example")
    client.force_login(make_member(None, Role.VIEWER))

    chosen = client.get(reverse("coverage"), {"days": "365"}).content.decode()
    usual = client.get(reverse("coverage")).content.decode()

    assert '<input type="hidden" name="days" value="365">' in chosen
    assert 'name="days"' not in usual


def test_another_day_of_the_chart_keeps_the_span(client):
    make_domain("d.example")
    client.force_login(make_member(None, Role.VIEWER))

    chart = client.get(reverse("coverage"), {"days": "90"}).context["chart"]

    assert chart.day_href == "?on=DAY&days=90"
    assert chart.rows[0][0].href.endswith("&days=90")
