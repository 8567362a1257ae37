"""Results that name an MX host find the domain whose MX it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from domains.models import Domain, RecordKind, RecordVersion
from reports import mx_owners
from reports.models import DailySessions, PolicyResult
from reports.mx_owners import find_mx_owners
from reports.services.attribute import attribute_new_domains
from tests.mailtls.samples import policy_entry, report
from tests.reports.arrivals import inventory, take_in

pytestmark = pytest.mark.django_db

SEEN_AT = datetime(2026, 3, 1, tzinfo=UTC)
ABOUT_HOST = report(policies=[policy_entry("tlsa", "mx1.hoster.example")])


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    mx_owners.forget()
    yield
    mx_owners.forget()


def observed(domain: Domain, *hosts: str, replaced_at: datetime | None = None) -> None:
    content = "\n".join(f"10 {host}" for host in hosts)
    RecordVersion.objects.create(
        domain=domain,
        kind=RecordKind.MX,
        content=content,
        first_seen_at=SEEN_AT,
        replaced_at=replaced_at,
    )


def test_the_mx_of_one_domain_leads_to_it():
    a, b = inventory("a.example", "b.example")
    observed(a, "mx1.hoster.example", "shared.example")
    observed(b, "MX2.hoster.example.", "shared.example")
    wanted = {"mx1.hoster.example", "mx2.hoster.example", "shared.example", "x.example", ""}

    assert find_mx_owners(wanted) == {"mx1.hoster.example": a.pk, "mx2.hoster.example": b.pk}


def test_a_former_mx_leads_nowhere():
    [a] = inventory("a.example")
    observed(a, "mx1.hoster.example", replaced_at=SEEN_AT)

    assert find_mx_owners(["mx1.hoster.example"]) == {}


def test_what_is_remembered_of_a_domain_that_is_gone_leads_nowhere():
    [a] = inventory("a.example")
    observed(a, "mx1.hoster.example")
    assert find_mx_owners(["mx1.hoster.example"]) == {"mx1.hoster.example": a.pk}

    a.delete()

    assert find_mx_owners(["mx1.hoster.example"]) == {}


def test_a_report_about_an_mx_host_counts_for_its_domain():
    [a] = inventory("a.example")
    observed(a, "mx1.hoster.example")

    take_in(ABOUT_HOST)

    assert PolicyResult.objects.get().domain == a
    assert DailySessions.objects.get().domain == a


def test_a_host_that_several_domains_share_stays_unassigned():
    for domain in inventory("a.example", "b.example"):
        observed(domain, "mx1.hoster.example")

    take_in(ABOUT_HOST)
    attribute_new_domains()

    assert PolicyResult.objects.get().domain is None


def test_reports_from_before_the_first_check_are_attributed_later():
    [a] = inventory("a.example")
    take_in(ABOUT_HOST, report(report_id="2", policies=[policy_entry("sts", "mx1.hoster.example")]))
    mx_owners.forget()
    observed(a, "mx1.hoster.example")

    assert attribute_new_domains() == 1

    assert PolicyResult.objects.get(policy_type="tlsa").domain == a
    assert PolicyResult.objects.get(policy_type="sts").domain is None
    assert DailySessions.objects.get().domain == a
