"""What anybody may write into an address ends in a page, never in an error of the server."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import TeamFactory, UserFactory, make_domain, make_report

pytestmark = pytest.mark.django_db

PAGES = {
    "/": ("days", "team"),
    "/domains/": ("page", "sort", "q", "team", "tag", "state", "view", "tlsrpt", "sts"),
    "/domains/shop.example/": ("days",),
    "/domains/shop.example/versions/policy/": ("before", "after"),
    "/failures/": ("days", "team", "by", "sort", "cause", "provider", "sts", "view"),
    "/failures/group/?cause=certificate-expired": ("days", "team", "mx", "reason", "provider"),
    "/reporters/": ("days", "sort"),
    "/reports/": ("page", "sort", "q", "team", "day", "since", "until", "domain", "mx", "reporter"),
    "/incidents/": ("page", "sort", "q", "team", "state"),
    "/coverage/": ("days", "team", "on"),
    "/coverage/print/": ("team", "on"),
    "/rollout/": ("team", "stage"),
    "/rollout/what-if/": ("team",),
    "/tools/dns-kit/": ("pk", "team", "tag", "verifying", "rua", "as"),
    "/inbox/": ("page",),
    "/jump/": ("q",),
    "/settings/audit/": ("page", "q"),
}
ODD = {
    "no number that a database holds": "9" * 30,
    "no number that Python reads": "9" * 5000,
    "another script's digit": "٣",
    "a digit that is no decimal": "²",
    "negative": "-1",
    "quotes": "%'\"<",
    "no day": "2026-99-99",
    "the first day": "0001-01-01",
    "the last day": "9999-12-31",
}


@pytest.mark.thorough
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_address_ends_in_a_page(client, odd):
    client.force_login(UserFactory(is_superuser=True))
    shop = make_domain("shop.example", TeamFactory(), sts_mode="testing")
    make_report(shop, timezone.now().date() - timedelta(days=1), failures=3)

    for page, names in PAGES.items():
        path, _, asked = page.partition("?")
        fixed = dict([asked.split("=")]) if asked else {}
        for name in names:
            answer = client.get(path, fixed | {name: odd})
            assert answer.status_code in {200, 404}, (page, name)


@pytest.mark.parametrize(
    "address",
    ["/failures/?provider=%00", "/jump/?q=a%00b", "/domains/a%00b/", "/api/v1/figures?team=%00"],
)
def test_an_address_with_a_zero_byte_is_refused(client, address):
    client.force_login(UserFactory(is_superuser=True))

    answer = client.get(address)

    assert answer.status_code == 400
    assert "Content-Security-Policy" in answer.headers


def test_keys_that_are_none_choose_nothing(client):
    client.force_login(UserFactory(is_superuser=True))
    make_domain("shop.example", TeamFactory())

    page = client.get("/tools/dns-kit/", {"pk": "9" * 30})

    assert "shop.example" not in page.content.decode()


def test_a_name_that_is_not_the_portals_is_said_to_be_one(client):
    answer = client.get("/", headers={"host": "other.example"})

    assert answer.status_code == 400
    assert "ALLOWED_HOSTS" in answer.content.decode()
