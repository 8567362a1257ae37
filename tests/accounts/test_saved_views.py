import re

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from accounts.models import AuditEntry, SavedView, ViewedPage
from accounts.roles import Role
from accounts.services.saved_views import (
    PRIVATE,
    Share,
    change_view,
    clean_query,
    delete_view,
    open_first,
    save_view,
    visible_views,
)
from tests.factories import TeamFactory, make_domain, make_incident, make_member

pytestmark = pytest.mark.django_db

LIST = ViewedPage.DOMAINS


@pytest.fixture
def team():
    return TeamFactory(name="Retail")


@pytest.fixture
def manager(client, team):
    user = make_member(team, Role.MANAGER)
    client.force_login(user)
    return user


def save(user, name="Bare", query="tlsrpt=missing", share=PRIVATE):
    return save_view(user, LIST, name, query, share)


def rows(page):
    return [row.record.name for row in page.context["table"].paginated_rows]


def test_a_view_is_seen_by_its_owner_its_team_or_everybody(team, manager):
    colleague, stranger = make_member(team, Role.VIEWER), make_member(TeamFactory(), Role.MANAGER)
    boss = make_member(None, Role.MANAGER)
    save(manager, "mine")
    save(manager, "ours", share=Share(team=team))
    save(boss, "everybody's", share=Share(is_for_everyone=True))

    def seen_by(user):
        return [view.name for view in visible_views(user, LIST)]

    assert seen_by(manager) == ["everybody's", "mine", "ours"]
    assert seen_by(colleague) == ["everybody's", "ours"]
    assert seen_by(stranger) == ["everybody's"]
    assert not visible_views(manager, ViewedPage.REPORTS).exists()


@pytest.mark.parametrize("share", ["team", "everyone"])
def test_sharing_needs_the_role_manager(team, share):
    analyst = make_member(team, Role.ANALYST)
    wanted = Share(team=team) if share == "team" else Share(is_for_everyone=True)

    with pytest.raises(PermissionDenied):
        save(analyst, share=wanted)
    view = save(analyst)
    with pytest.raises(PermissionDenied):
        change_view(view, analyst, share=wanted)


def test_a_shared_view_is_changed_by_managers_of_its_team_only(team, manager):
    view = save(manager, share=Share(team=team))
    viewer, other = make_member(team, Role.VIEWER), make_member(team, Role.MANAGER)

    for deed in (lambda: change_view(view, viewer, name="x"), lambda: delete_view(view, viewer)):
        with pytest.raises(PermissionDenied):
            deed()
    change_view(view, other, name="Theirs now")

    view.refresh_from_db()
    assert view.name == "Theirs now"
    entry = AuditEntry.objects.get(verb="changed view")
    assert (entry.before["name"], entry.after["name"]) == ("Bare", "Theirs now")


def test_a_private_view_is_its_owners_alone(manager):
    view = save(manager)

    with pytest.raises(PermissionDenied):
        change_view(view, make_member(TeamFactory(), Role.MANAGER), name="x")


def test_only_what_belongs_to_the_filters_is_kept():
    sent = "q=&tlsrpt=missing&page=3&export=csv&view=4&columns=team&columns=dane&sort=-name"

    assert clean_query(sent) == "tlsrpt=missing&columns=team&columns=dane&sort=-name"


@pytest.mark.parametrize(
    ("name", "query"), [(" ", "q=a"), ("x" * 61, "q=a"), ("x", "q=" + "a" * 2000)]
)
def test_a_view_that_cannot_be_kept_is_explained(manager, name, query):
    with pytest.raises(ValidationError):
        save(manager, name, query)


def test_filters_are_kept_from_the_list_and_opened_by_a_tab(client, team, manager):
    make_domain("bare.example", team, tlsrpt="missing")
    make_domain("good.example", team)
    page = client.get(reverse("domains:list"), {"tlsrpt": "missing", "page": "1"})
    form = client.get(page.context["new_view_href"])

    values = {"list": form.context["page"].value, "query": form.context["query"], "name": "Bare"}
    answer = client.post(reverse("views:new"), values, follow=True)

    assert rows(answer) == ["bare.example"]
    tabs = [(tab.name, tab.is_current) for tab in answer.context["tabs"]]
    assert tabs == [("All", False), ("Bare", True)]
    assert answer.context["view_is_changed"] is False


def test_a_view_gets_the_filters_that_are_shown(client, team, manager):
    view = save(manager)

    page = client.get(reverse("domains:list"), {"view": view.pk, "sts": "missing"})
    assert page.context["view_is_changed"] is True
    client.post(reverse("views:update", args=[view.pk]), {"query": page.context["view_query"]})

    view.refresh_from_db()
    assert view.query == "sts=missing"


def test_the_list_opens_with_ones_own_first_view(client, team, manager):
    make_domain("bare.example", team, tlsrpt="missing")
    make_domain("good.example", team)
    view, other = save(manager, share=Share(team=team)), save(manager, "Other")
    open_first(manager, LIST, other)
    open_first(manager, LIST, view)

    way = re.search(r'href="(/domains/[^"]*)"[^>]*>.{0,400}?Domains', overview(client), re.S)[1]
    assert client.get(way)["Location"] == view.get_absolute_url()
    assert rows(client.get(way, follow=True)) == ["bare.example"]
    client.force_login(make_member(team, Role.VIEWER))
    assert rows(client.get(way)) == ["bare.example", "good.example"]


def test_a_number_that_leads_to_a_list_means_all_its_rows(client, team, manager):
    make_domain("bare.example", team, tlsrpt="missing")
    make_domain("good.example", team)
    open_first(manager, LIST, save(manager))

    way = re.search(r'href="([^"]*)">2 watched domains', overview(client))[1]

    assert rows(client.get(way)) == ["bare.example", "good.example"]


def overview(client):
    return client.get(reverse("overview")).content.decode()


def test_hidden_columns_are_hidden_in_files_too(client, team, manager):
    make_domain("a.example", team)
    query = {"columns": ["team", "dane"]}

    page = client.get(reverse("domains:list"), query)
    text = client.get(reverse("domains:list"), query | {"export": "csv"}).content.decode()

    assert [column.name for column in page.context["table"].columns] == [
        "tick",
        "name",
        "team",
        "dane",
    ]
    assert text.splitlines() == ["Domain,Team,DANE", "a.example,Retail,None"]


def test_a_view_is_renamed_shared_and_deleted_on_its_page(client, team, manager):
    view = save(manager)
    values = {"name": "Bare ones", "share": str(team.pk), "is_first": "on"}

    client.post(reverse("views:edit", args=[view.pk]), values)
    view.refresh_from_db()
    assert (view.name, view.team) == ("Bare ones", team)
    assert view.default_of.contains(manager)

    client.post(reverse("views:delete", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_a_viewer_chooses_a_shared_view_and_changes_nothing_else(client, team, manager):
    view = save(manager, share=Share(team=team))
    viewer = make_member(team, Role.VIEWER)
    client.force_login(viewer)

    sent = {"name": "Mine now", "share": "", "is_first": "on"}
    client.post(reverse("views:edit", args=[view.pk]), sent)

    view.refresh_from_db()
    assert (view.name, view.team) == ("Bare", team)
    assert view.default_of.contains(viewer)
    for name in ("update", "delete"):
        assert client.post(reverse(f"views:{name}", args=[view.pk])).status_code == 403


def test_a_stranger_finds_no_view(client, team, manager):
    view = save(manager, share=Share(team=team))
    client.force_login(make_member(TeamFactory(), Role.MANAGER))

    assert client.get(reverse("views:edit", args=[view.pk])).status_code == 404
    for name in ("update", "delete"):
        assert client.post(reverse(f"views:{name}", args=[view.pk])).status_code == 404
    assert client.get(reverse("views:new"), {"list": "settings:people"}).status_code == 404


@pytest.mark.parametrize("page", list(ViewedPage))
def test_each_of_the_lists_keeps_views(client, team, manager, page):
    make_incident(make_domain("a.example", team))
    view = save_view(manager, page, "Mine", "q=a")

    answer = client.get(view.get_absolute_url())

    assert answer.context["view"] == view
    assert [tab.name for tab in answer.context["tabs"]] == ["All", "Mine"]
