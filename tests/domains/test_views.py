import json
import re

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.roles import Role
from domains.models import Domain
from tests.factories import TeamFactory, make_domain, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return TeamFactory(name="Retail")


@pytest.fixture
def manager(client, team):
    user = make_member(team, Role.MANAGER)
    client.force_login(user)
    return user


def test_the_list_shows_only_what_a_person_may_see(client, team, manager):
    make_domain("ours.example", team)
    make_domain("theirs.example", TeamFactory())

    text = client.get(reverse("domains:list")).content.decode()

    assert "ours.example" in text
    assert "theirs.example" not in text


def test_a_cell_that_holds_nothing_is_marked_for_small_screens(client):
    client.force_login(make_member(None, Role.VIEWER))
    make_domain("alone.example")
    make_domain("ours.example", TeamFactory(name="Retail"))

    text = client.get(reverse("domains:list")).content.decode()

    assert re.findall(r'<td role="cell" class="(team[^"]*)"[^>]*>([^<]*)<', text) == [
        ("team blank", "–"),
        ("team", "Retail"),
    ]


def test_the_filters_narrow_the_list(client, team, manager):
    make_domain("good.example", team)
    make_domain("bare.example", team, tlsrpt="missing", mta_sts="missing")

    for query in ("tlsrpt=missing", "sts=missing", "q=bare", f"team={team.pk}&q=bar"):
        text = client.get(f"{reverse('domains:list')}?{query}").content.decode()
        assert "bare.example" in text
        assert "good.example" not in text


def test_the_search_finds_a_name_in_its_own_alphabet(client, team, manager):
    make_domain("xn--mller-kva.example", team)

    text = client.get(reverse("domains:list"), {"q": "müller.example"}).content.decode()

    assert "müller.example" in text


def test_htmx_gets_the_results_alone(client, team, manager):
    make_domain("ours.example", team)

    text = client.get(reverse("domains:list"), headers={"HX-Request": "true"}).content.decode()

    assert "ours.example" in text
    assert "<html" not in text


def test_the_list_is_saved_as_filtered(client, team, manager):
    make_domain("good.example", team)
    make_domain("bare.example", team, tlsrpt="missing")

    response = client.get(reverse("domains:list"), {"tlsrpt": "missing", "export": "csv"})

    header, *rows = response.content.decode().splitlines()
    assert header.startswith("Domain,Incidents,Team,Owner,TLS-RPT,MTA-STS,DANE")
    assert [row.split(",")[:5] for row in rows] == [["bare.example", "0", "Retail", "", "Missing"]]


def test_the_links_below_a_list_keep_its_filters(client, team, manager):
    for at in range(60):
        make_domain(f"bare{at:02}.example", team, tlsrpt="missing")
    query = {"tlsrpt": "missing", "sort": "-name"}

    page = client.get(reverse("domains:list"), query)

    links = re.findall(r'href="(\?[^"]*)"', page.content.decode())
    links = [link.replace("&amp;", "&") for link in links]
    [following] = [link for link in links if "page=2" in link]
    second = client.get(reverse("domains:list") + following)
    rows = [row.record.name for row in second.context["table"].paginated_rows]
    assert rows == [f"bare{at:02}.example" for at in range(9, -1, -1)]
    [csv_link] = [link for link in links if "export=csv" in link]
    lines = client.get(reverse("domains:list") + csv_link).content.decode().splitlines()
    assert len(lines) == 61
    assert lines[1].startswith("bare59.example")


def test_a_viewer_can_neither_import_nor_edit_nor_check(client, team):
    domain = make_domain("ours.example", team)
    client.force_login(make_member(team, Role.VIEWER))

    assert client.get(reverse("domains:import")).status_code == 403
    assert client.get(reverse("domains:edit", args=[domain.name])).status_code == 403
    assert client.post(reverse("domains:check", args=[domain.name])).status_code == 403
    assert client.post(reverse("domains:delete", args=[domain.name])).status_code == 403


@pytest.mark.parametrize("page", ["detail", "edit"])
def test_a_stranger_does_not_learn_that_a_domain_exists(client, team, page):
    domain = make_domain("ours.example", team)
    client.force_login(make_member(TeamFactory(), Role.MANAGER))

    assert client.get(reverse(f"domains:{page}", args=[domain.name])).status_code == 404


def test_editing_changes_tags_both_ways(client, team, manager):
    domain = make_domain("ours.example", team)
    domain.tags.create(name="old")
    values = {"team": team.pk, "owner": "", "tags": "new, newer", "is_active": "on"}

    client.post(reverse("domains:edit", args=[domain.name]), values)

    assert {tag.name for tag in domain.tags.all()} == {"new", "newer"}
    assert AuditEntry.objects.filter(verb="changed domain", actor=manager).exists()


def test_bulk_changes_leave_out_what_a_person_may_not_edit(client, team, manager):
    ours = make_domain("ours.example", team)
    theirs = make_domain("theirs.example", TeamFactory())
    keys = {"pk": [ours.pk, theirs.pk], "owner": "new@corp.example", "apply": "1"}

    client.post(reverse("domains:edit_chosen"), keys)

    ours.refresh_from_db()
    theirs.refresh_from_db()
    assert (ours.owner, theirs.owner) == ("new@corp.example", "")


def test_everything_means_all_that_match_the_filters(client, team, manager):
    for name in ("a.example", "b.example"):
        make_domain(name, team, tlsrpt="missing")
    make_domain("good.example", team)
    chosen = {"everything": "1", "query": "tlsrpt=missing"}

    page = client.post(reverse("domains:delete_chosen"), chosen)
    assert page.context["count"] == 2

    client.post(reverse("domains:delete_chosen"), chosen | {"apply": "1"})
    assert list(Domain.objects.values_list("name", flat=True)) == ["good.example"]


def test_checking_now_makes_the_domain_due(client, team, manager):
    domain = make_domain("ours.example", team)

    response = client.post(reverse("domains:check", args=[domain.name]))

    page = client.get(response["Location"])
    assert page.context["is_checking"] is True
    polled = client.get(response["Location"], headers={"HX-Request": "true"})
    assert polled.status_code == 204


def test_the_page_reloads_when_the_check_has_ended(client, team, manager):
    domain = make_domain("ours.example", team)

    response = client.get(
        reverse("domains:detail", args=[domain.name]),
        {"checking": "1"},
        headers={"HX-Request": "true"},
    )

    assert response["HX-Redirect"] == domain.get_absolute_url()


def test_hosts_outside_the_policy_are_not_called_fine(client, team, manager):
    text = client.get(make_domain("fine.example", team).get_absolute_url()).content.decode()
    assert "mx1.<wbr>mail.<wbr>fine.<wbr>example" in text
    assert "see MTA-STS" not in text

    domain = make_domain("ours.example", team, covered=False)

    page = client.get(domain.get_absolute_url())
    assert page.context["aspects"]["mx"].sign.meaning.endswith("see MTA-STS.")
    assert "see MTA-STS." in page.content.decode()


def test_what_was_not_checked_is_not_called_fine(client, team, manager):
    aspects = {"mx": "null-mx", "dane": "not-checked", "starttls": "not-checked"}
    domain = make_domain("idle.example", team, **aspects)

    text = client.get(domain.get_absolute_url()).content.decode()

    assert "No host takes its mail, so there is none to look at." in text
    assert "switched off here, or no host takes its mail." in text


def test_the_page_words_what_checks_found(client, team, manager):
    found = {"code": "tlsrpt.record.missing", "severity": "warning", "params": {}}
    domain = make_domain("ours.example", team, tlsrpt="missing", findings={"tlsrpt": [found]})

    page = client.get(domain.get_absolute_url())

    assert page.context["aspects"]["tlsrpt"].findings[0].code == "tlsrpt.record.missing"
    assert "Nobody reports on this domain" in page.content.decode()


def test_the_judgement_of_an_older_version_still_shows(client, team, manager):
    domain = make_domain("ours.example", team)
    domain.posture.judgement = json.loads('{"tlsrpt": {"findings": [{"code": "gone.code"}]}}')
    domain.posture.save()

    page = client.get(domain.get_absolute_url())

    assert "gone.code" in page.content.decode()


@pytest.mark.parametrize("query", ["team=987654", "tag=gone", "sts=soon", "state=odd&q=a"])
def test_a_filter_for_what_is_gone_chooses_no_domain(client, team, manager, query):
    make_domain("a.example", team)

    page = client.get(f"{reverse('domains:list')}?{query}").content.decode()
    client.post(reverse("domains:delete_chosen"), {"everything": "1", "query": query, "apply": "1"})
    kit = client.get(f"{reverse('tools:dns_kit')}?{query}&rua=mailto:tls@a.example")

    assert "a.example</a>" not in page
    assert Domain.objects.filter(name="a.example").exists()
    assert kit.context["domain_count"] == 0


def test_a_tag_that_is_too_long_is_refused_on_the_form(client, team, manager):
    domain = make_domain("a.example", team)
    sent = {"pk": domain.pk, "apply": "1", "add_tags": f"good, {'x' * 51}", "remove_tags": "x" * 51}

    text = client.post(reverse("domains:edit_chosen"), sent).content.decode()

    assert text.count("A tag has more than 50 characters.") == 2
    assert not domain.tags.exists()


@pytest.mark.parametrize("name", ["check", "edit", "delete", "except", "dns_kit"])
def test_a_page_that_the_list_leads_to_leads_back_to_it_when_nothing_was_posted(
    client, manager, name
):
    address = reverse(f"domains:{name}_chosen")

    page = client.get(address, follow=True)

    assert page.redirect_chain == [(reverse("domains:list"), 302)]
    assert "Choose domains here first." in page.content.decode()
    assert client.put(address).status_code == 405
