"""A number that leads to the list of reports equals what the list's rows add up to."""

import csv
import io
from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Team
from accounts.roles import Role
from domains.models import Domain
from reports.models import FailureDetail, PolicyResult, Report
from reports.services.roll_up import roll_up
from tests.factories import (
    TeamFactory,
    UserFactory,
    make_domain,
    make_incident,
    make_member,
    make_report,
)
from webui import wording

pytestmark = pytest.mark.django_db

YESTERDAY = timezone.now().date() - timedelta(days=1)


@pytest.fixture
def client(client):
    client.force_login(UserFactory(is_superuser=True))
    return client


@pytest.fixture(autouse=True)
def fleet():
    """Two watched domains, a paused one and a stranger; a report of one tells of the other, too."""
    shop = make_domain("shop.example", TeamFactory(name="Retail"), sts_mode="testing")
    bank = make_domain("bank.example", TeamFactory(name="Finance"))
    paused = make_domain("paused.example", is_active=False)
    for ago in range(3):
        day = YESTERDAY - timedelta(days=ago)
        both = make_report(shop, day, failures=20 - ago)
        other = make_report(bank, day, failures=3)
        other.results.update(report=both, position=1)
        make_report(bank, day, "GMX", failures=2, result_type="starttls-not-supported")
        make_report(paused, day, failures=7)
        make_report(None, day, policy_domain="stray.example", failures=5)
    PolicyResult.objects.filter(policy_type="sts", domain=bank).update(policy_type="tlsa")
    roll_up()


def rows_of(client, href):
    """Read the file of a list: sessions, failed, and failed for its cause."""
    text = client.get(f"{href}&export=csv").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    return {
        key: sum(int(row.get(key) or 0) for row in rows)
        for key in ("Sessions", "Failed", "Of this cause")
    }


def totals_of(client, href):
    return client.get(href).context["totals"]


def test_a_day_of_the_overview_equals_its_reports(client):
    page = client.get(reverse("overview"))

    for row in page.context["chart"].rows[:3]:
        day, sessions, failed, *_ = row
        added, totals = rows_of(client, day.href), totals_of(client, day.href)
        assert sessions.value == added["Sessions"] == totals.sessions > 0
        assert failed.value == added["Failed"] == totals.failed > 0


def test_a_day_and_a_cause_of_a_domain_equal_its_reports(client):
    page = client.get(reverse("domains:detail", args=["bank.example"]))

    day, sessions, failed, *_ = page.context["reports"].chart.rows[0]
    assert sessions.value == totals_of(client, day.href).sessions
    assert rows_of(client, day.href)["Failed"] == failed.value == 5
    for cause in page.context["reports"].causes:
        added = rows_of(client, cause.reports_href)
        assert cause.failed_sessions == added["Of this cause"] > 0
        assert cause.failed_sessions == totals_of(client, cause.reports_href).failed


@pytest.mark.thorough
@pytest.mark.parametrize(
    "narrowed",
    [{}, {"sts": "testing"}, {"provider": "none"}, {"team": "Retail"}, {"team": "none"}],
)
@pytest.mark.parametrize("by", ["reporter", "policy"])
def test_groups_of_failures_equal_their_reports(client, by, narrowed):
    if narrowed.get("team") == "none":
        nobodys = make_domain("nobodys.example")
        make_report(nobodys, YESTERDAY, failures=4)
        roll_up()
    elif "team" in narrowed:
        narrowed = {"team": Team.objects.get(name=narrowed["team"]).pk}
    page = client.get(reverse("failures:list"), {"by": by, **narrowed})

    rows = page.context["table"].data.data
    assert rows
    for row in rows:
        assert row.failed == rows_of(client, row.failed_href)["Failed"]
        assert row.failed == totals_of(client, row.failed_href).failed


def test_a_cause_by_reporter_and_day_equals_its_reports(client):
    page = client.get(reverse("failures:group"), {"cause": "certificate-expired", "days": "7"})

    assert len(page.context["reporters"]) == 1
    for part, href, _ in page.context["reporters"]:
        assert part.failed_sessions == rows_of(client, href)["Of this cause"]
        assert part.failed_sessions == totals_of(client, href).failed
    assert len(page.context["domains"]) == 2
    for _, part, href in page.context["domains"]:
        assert part.failed_sessions == rows_of(client, href)["Of this cause"]
        assert part.failed_sessions == totals_of(client, href).failed
    for day, failed in page.context["chart"].rows:
        if failed.value:
            assert failed.value == rows_of(client, day.href)["Of this cause"]


@pytest.mark.thorough
@pytest.mark.parametrize("mx", [{}, {"operator": "hoster.example"}, {"mx": "mx1.hoster.example"}])
def test_a_cause_can_be_narrowed_to_one_reporter(client, mx):
    bank = Domain.objects.get(name="bank.example")
    for ago in range(2):
        make_report(bank, YESTERDAY - timedelta(days=ago), "GMX", failures=4)
    roll_up()
    query = {"cause": "certificate-expired", "days": "7", **mx}
    page = client.get(reverse("failures:group"), query)

    parts = {part.key: (part, alone) for part, _, alone in page.context["reporters"]}
    assert len(parts) == 2
    for part, alone in parts.values():
        narrowed = client.get(alone).context
        assert part.failed_sessions == narrowed["failed"]
        assert narrowed["domain_count"] == len(narrowed["domains"]) > 0
        if not mx:
            [(_, place, href)] = narrowed["places"]
            assert place.domains == narrowed["domain_count"]
            assert client.get(href).context["failed"] == part.failed_sessions
        assert [one.key for one, _, _ in narrowed["reporters"]] == [part.key]
        assert {detail.result.reporter for detail, _ in narrowed["evidence"]} == {part.key}
        assert part.failed_sessions == totals_of(client, narrowed["reports_href"]).failed
        for day, failed in narrowed["chart"].rows:
            assert failed.value == totals_of(client, day.href).failed
        for _, one, href in narrowed["domains"]:
            assert one.failed_sessions == rows_of(client, href)["Of this cause"]
    assert parts["GMX"][0].failed_sessions == 8


def test_a_reporter_without_a_name_leads_nowhere(client):
    bank = Domain.objects.get(name="bank.example")
    make_report(bank, YESTERDAY, "", failures=4)
    roll_up()

    page = client.get(reverse("failures:group"), {"cause": "certificate-expired"})

    links = {part.key: (href, alone) for part, href, alone in page.context["reporters"]}
    assert links[""] == ("", "")
    assert "Unnamed reporter" in page.content.decode()


def test_the_reasons_of_a_cause_add_up_to_it_and_lead_to_their_evidence(client):
    told = FailureDetail.objects.filter(
        result_type="certificate-expired", result__domain__isnull=False
    )
    FailureDetail.objects.filter(pk=told.earliest("pk").pk).update(
        failure_reason_code="X509_V_ERR_CERT_HAS_EXPIRED"
    )
    page = client.get(reverse("failures:group"), {"cause": "certificate-expired", "days": "7"})

    reasons = {one.code: (one, href) for one, _, href in page.context["reasons"]}
    assert set(reasons) == {"", "X509_V_ERR_CERT_HAS_EXPIRED"}
    assert sum(one.failed_sessions for one, _ in reasons.values()) == page.context["failed"]
    for code, (one, href) in reasons.items():
        shown = [detail for detail, _ in client.get(href).context["evidence"]]
        assert {detail.failure_reason_code for detail in shown} == {code}
        assert sum(detail.failed_sessions for detail in shown) == one.failed_sessions
        domains = Counter()
        for detail in shown:
            domains[detail.result.domain] += detail.failed_sessions
        assert dict(client.get(href).context["given_domains"]) == domains
        assert len(one.by_domain) == len(domains)
        assert dict(one.by_reporter) == {shown[0].result.reporter: one.failed_sessions}


@pytest.mark.parametrize("names", [["shop.example"], ["shop.example", "paused.example"]])
@pytest.mark.parametrize("is_member", [False, True])
def test_a_day_of_an_incident_equals_the_reports_on_its_domains(client, names, is_member):
    # Somebody else's domain is touched as well, and bank.example fails for the same cause.
    theirs = make_domain("theirs.example", TeamFactory())
    make_report(theirs, YESTERDAY, failures=50)
    shop = Domain.objects.get(name="shop.example")
    Domain.objects.filter(name__in=names).update(team=shop.team)
    roll_up()
    incident = make_incident(*Domain.objects.filter(name__in=names), theirs)
    if is_member:
        client.force_login(make_member(shop.team, Role.VIEWER))

    page = client.get(incident.get_absolute_url())

    assert page.context["touched_count"] == len(names) + (0 if is_member else 1)
    days = [row for row in page.context["chart"].rows if row[1].value]
    assert len(days) == 3
    for day, sessions, failed, *_ in days:
        added, totals = rows_of(client, day.href), totals_of(client, day.href)
        assert sessions.value == added["Sessions"] == totals.sessions
        assert failed.value == added["Failed"] == totals.failed


def test_an_incident_narrows_reports_and_can_be_dropped(client):
    incident = make_incident(*Domain.objects.filter(name__in=["shop.example", "bank.example"]))
    listing = reverse("reports:list")

    page = client.get(listing, {"incident": incident.pk, "domain": "bank.example"})
    [chip] = page.context["chips"]

    assert chip.words == f"Domains of incident #{incident.pk}, {incident.title}"
    assert chip.href_without == "?domain=bank.example"
    assert page.context["table"].paginator.count == 6
    odd = client.get(listing, {"incident": incident.pk, "domain": "paused.example"})
    assert odd.context["table"].paginator.count == 0


def test_a_chip_leads_to_the_list_without_its_condition(client):
    page = client.get(
        reverse("reports:list"), {"cause": "certificate-expired", "mx": "", "reporter": "Comcast"}
    )

    chips = {chip.words: chip.href_without for chip in page.context["chips"]}
    assert chips == {
        "Certificate expired, no MX named": "?reporter=Comcast",
        "By Comcast": "?cause=certificate-expired&mx=",
    }


@pytest.mark.parametrize(
    "query",
    [
        "team=99999999999999999999999",
        "incident=99999999999999999999999",
        "incident=x",
        "team=1.5",
        "team=-1",
        "sts=odd",
        "cause=x&mx=%F0%9F",
        "about=x",
    ],
)
def test_an_odd_address_narrows_to_nothing_and_breaks_nothing(client, query):
    page = client.get(f"{reverse('reports:list')}?about=watched&day={YESTERDAY}&{query}")

    assert page.status_code == 200
    assert not page.context["table"].rows


def test_nothing_is_added_up_where_daily_figures_do_not_tell(client):
    listing = reverse("reports:list")

    assert client.get(listing).context["totals"] is None
    assert totals_of(client, f"{listing}?about=watched&day={YESTERDAY}&trust=upload") is None
    assert totals_of(client, f"{listing}?about=unmanaged&day={YESTERDAY}") is None


def test_a_failure_of_a_provider_is_one_group_whatever_hosts_its_customers_have(client):
    for name in ("one", "two", "three"):
        domain = make_domain(f"{name}.example")
        mx = f"{name}-example.mail.protection.outlook.com"
        make_report(domain, YESTERDAY, failures=4, result_type="dane-required", receiving_mx=mx)
    make_report(domain, YESTERDAY, failures=1, result_type="dane-required", receiving_mx="")
    roll_up()

    rows = [row.record for row in client.get(reverse("failures:list")).context["table"].rows]

    provider, unnamed = (row for row in rows if row.name == "Sender insists on DANE")
    assert (provider.operator, unnamed.operator) == ("Microsoft 365 (outlook.com)", "no MX named")
    assert (provider.failed, provider.domains, unnamed.failed) == (12, 3, 1)
    group = client.get(provider.failed_href).context
    assert (group["failed"], group["domain_count"], group["place_count"]) == (12, 3, 3)
    assert rows_of(client, group["reports_href"])["Of this cause"] == 12
    assert totals_of(client, group["reports_href"]).failed == 12
    for host, part, href in group["places"]:
        assert host.endswith("-example.mail.protection.outlook.com")
        behind = client.get(href).context
        assert (behind["failed"], behind["domain_count"]) == (part.failed_sessions, 1) == (4, 1)
    nowhere = client.get(unnamed.failed_href).context
    assert (nowhere["failed"], rows_of(client, nowhere["reports_href"])["Of this cause"]) == (1, 1)
    assert "no MX named" in client.get(nowhere["reports_href"]).content.decode()


def test_a_list_says_that_its_reports_are_no_longer_kept(client, settings):
    before = reverse("reports:list") + f"?about=watched&day={YESTERDAY - timedelta(days=2)}"
    kept = reverse("reports:list") + f"?about=watched&day={YESTERDAY}"
    assert "no longer kept" not in client.get(before).content.decode()

    settings.KEEP_REPORT_DAYS = 2
    first = YESTERDAY - timedelta(days=1)
    Report.objects.filter(day__lt=first).delete()
    told, other = client.get(before), client.get(kept)

    assert "Nothing matches" in told.content.decode()
    assert f"before {wording.day(first)} are no longer kept" in told.content.decode()
    assert "no longer kept" not in other.content.decode()
    cause = reverse("failures:group") + "?cause=certificate-expired&days="
    assert "no longer kept" in client.get(f"{cause}7").content.decode()
