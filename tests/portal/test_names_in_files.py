"""Files name domains as the pages do: in the letters of people, with the DNS form beside it."""

import csv
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from reports.services.roll_up import roll_up
from tests.factories import make_domain, make_member, make_report

pytestmark = pytest.mark.django_db
READABLE, WIRE = "aurélia.example", "xn--aurlia-dva.example"


@pytest.fixture
def rows(client):
    """Give the rows of a file, each by its header; one domain failed yesterday."""
    client.force_login(make_member(None, Role.VIEWER))
    domain = make_domain(WIRE)
    make_report(domain, timezone.now().date() - timedelta(days=1), failures=3)
    make_report(None, timezone.now().date() - timedelta(days=1), policy_domain="xn--fa-hia.example")
    roll_up()

    def read(name, **query):
        text = client.get(reverse(name), {"export": "csv", **query}).content.decode()
        return list(csv.DictReader(text.splitlines()))

    return read


@pytest.mark.parametrize("name", ["domains:list", "coverage"])
def test_files_of_domains_have_the_name_of_the_dns_beside_the_readable_one(rows, name):
    [row] = rows(name)

    assert (row["Domain"], row["ASCII name"]) == (READABLE, WIRE)


@pytest.mark.parametrize(
    ("name", "query", "column"),
    [
        ("rollout", {"as": "list"}, "Domain"),
        ("failures:list", {"by": "domain"}, "Group"),
        ("failures:group", {"cause": "certificate-expired"}, "Domain"),
        ("failures:group", {"cause": "certificate-expired", "table": "evidence"}, "Domain"),
    ],
)
def test_files_name_domains_as_pages_do(rows, name, query, column):
    assert [row[column] for row in rows(name, **query)] == [READABLE]


def test_domains_that_the_inventory_lacks_are_named_likewise(rows):
    assert [row["Domain"] for row in rows("inbox:unmanaged")] == ["faß.example"]
