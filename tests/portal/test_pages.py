"""Every page: it opens, and its queries do not grow with the rows."""

import json
import re
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.roles import Role
from tests.factories import TeamFactory, make_change, make_domain, make_incident, make_member

pytestmark = pytest.mark.django_db

COUNTS_FILE = Path(__file__).parent.parent / "query_counts.json"
COUNTS = json.loads(COUNTS_FILE.read_text())


def fill(domains: int) -> None:
    teams = [TeamFactory(name=f"Team {letter}") for letter in "AB"]
    made = [
        make_domain(f"domain{at}.example", teams[at % 2], owner="", covered=at % 5 != 0)
        for at in range(domains)
    ]
    for domain in made:
        make_change(domain, "sts-mode", "testing", "enforce")
        make_incident(domain)
    make_incident(*made, title="All of them")


def address(name: str) -> str:
    if name == "domains:detail":
        return reverse(name, args=["domain1.example"])
    if name == "domains:edit":
        return reverse(name, args=["domain1.example"])
    if name == "alerts:incident":
        return reverse(name, args=[_incident_of_all()])
    return reverse(name)


def _incident_of_all() -> int:
    from alerts.models import Incident

    return Incident.objects.get(title="All of them").pk


@pytest.fixture
def auditor(client):
    user = make_member(None, Role.MANAGER, email="auditor@corp.example")
    client.force_login(user)
    return user


@pytest.mark.parametrize("name", sorted(COUNTS))
@pytest.mark.parametrize("domains", [3, 30])
def test_the_queries_of_a_page_do_not_grow_with_its_rows(client, auditor, name, domains):
    fill(domains)

    with CaptureQueriesContext(connection) as queries:
        response = client.get(address(name))

    assert response.status_code == 200
    shown = "\n".join(query["sql"][:160] for query in queries)
    assert len(queries) == COUNTS[name], (
        f"{name} asked {len(queries)} queries, {COUNTS_FILE.name} says {COUNTS[name]}. Should the "
        f"new number be right for 3 and for 30 domains, write it there.\n{shown}"
    )


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_a_page_is_well_formed(client, auditor, name):
    fill(3)

    text = client.get(address(name)).content.decode()

    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)
    assert text.count("<h1") == 1
    assert not re.search(r"\son\w+=", text), "inline handlers break the content security policy"
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", text)
    assert "<style" not in text
    assert not re.search(r'(src|href)="(https?:)?//', text), "a request to a third party"


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_the_links_of_a_page_lead_somewhere(client, auditor, name):
    fill(3)
    text = client.get(address(name)).content.decode()
    links = {
        link.replace("&amp;", "&").partition("#")[0]
        for link in re.findall(r'<a[^>]*\shref="(/[^"]*|\?[^"]*)"', text)
    }

    for link in sorted(links):
        target = link if link.startswith("/") else address(name) + link
        if target.startswith("/accounts/"):
            continue  # allauth's own pages
        assert client.get(target).status_code == 200, target


def test_the_overview_without_domains_says_what_to_do(client, auditor):
    text = client.get(reverse("overview")).content.decode()

    assert reverse("domains:import") in text


def test_the_overview_counts_what_its_links_show(client, auditor):
    fill(10)
    make_domain("bare.example", None, tlsrpt="missing", mta_sts="missing")
    make_domain("paused.example", None, is_active=False)

    page = client.get(reverse("overview"))

    for strip in page.context["strips"]:
        for part in strip.parts:
            listed = client.get(part.href).context["table"].paginator
            assert listed.count == part.count, part


def test_a_jump_finds_domains_by_the_middle_of_their_name(client, auditor):
    make_domain("shop.north.example")
    make_domain("north.example")

    page = client.get(reverse("jump"), {"q": "north"}, headers={"HX-Request": "true"})

    titles = [target.title for target in page.context["targets"]]
    assert titles == ["north.example", "shop.north.example"]
