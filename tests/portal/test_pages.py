"""Every page: it opens, and its queries do not grow with the rows."""

import json
import re
from datetime import timedelta
from pathlib import Path

import plotly.graph_objects
import pytest
import tablib
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, SavedView, Team, User, ViewedPage
from accounts.roles import Role
from alerts.lifecycle import State
from alerts.models import Destination, Incident, Rule, RuleKind
from domains.lacks import Lack
from domains.models import CoverageException, Domain, ImportJob, RecordKind
from mailtls.catalogue.result_types import Concern
from reports.models import FailureDetail, Intake, Receipt, Report
from reports.services.roll_up import roll_up
from tests.factories import (
    TeamFactory,
    UserFactory,
    make_change,
    make_destination,
    make_domain,
    make_exception,
    make_import,
    make_incident,
    make_member,
    make_receipt,
    make_report,
    make_versions,
)
from tlsrpt_portal.pages.reports import PortalReports

pytestmark = pytest.mark.django_db

FAILURES = "/failures/"
COUNTS_FILE = Path(__file__).parent.parent / "query_counts.json"
COUNTS = json.loads(COUNTS_FILE.read_text())


def fill(domains: int) -> None:
    today = timezone.now().date()
    teams = [TeamFactory(name=f"Team {letter}") for letter in "AB"]
    made = [
        make_domain(f"domain{at}.example", teams[at % 2], owner="", covered=at % 5 != 0)
        for at in range(domains)
    ]
    for domain in made:
        make_change(domain, "sts-mode", "testing", "enforce")
        make_versions(domain, "version: STSv1\nmode: testing", "version: STSv1\nmode: enforce")
        make_incident(domain)
        make_exception(domain, Lack.DANE)
        for ago in (1, 2, 3):
            make_report(domain, today - timedelta(days=ago), "Google Inc.", failures=ago)
            make_report(domain, today - timedelta(days=ago), "Comcast")
    make_incident(*made, title="All of them")
    for at in range(domains):
        make_destination(f"Mail {at}")
        make_receipt(f"not a report {at}")
        Intake.objects.create(name=f"Intake {at}")
        Rule.objects.create(name=f"Rule {at}", kind=RuleKind.FAILURE_RATE)
        member = make_member(teams[0], Role.VIEWER)
        make_import(member, domains)
        ApiToken.objects.create(user=member, name=f"Token {at}", digest=str(at))
        SavedView.objects.create(
            page=ViewedPage.DOMAINS, name=f"View {at}", owner=member, is_for_everyone=True
        )
        make_report(None, today - timedelta(days=2), policy_domain=f"stray{at}.example")
    roll_up()


_MODELS = {
    "settings:team": Team,
    "settings:person": User,
    "settings:rule": Rule,
    "settings:destination": Destination,
    "inbox:receipt": Receipt,
    "domains:import_job": ImportJob,
    "views:edit": SavedView,
    "coverage:exception": CoverageException,
    "coverage:renew_exception": CoverageException,
}


def address(name: str) -> str:
    if name == "domains:detail":
        return reverse(name, args=["domain1.example"])
    if name == "domains:edit":
        return reverse(name, args=["domain1.example"])
    if name == "domains:versions":
        return reverse(name, args=["domain1.example", "policy"])
    if name == "alerts:incident":
        return reverse(name, args=[Incident.objects.get(title="All of them").pk])
    if name == "report":
        return Report.objects.filter(reporter="Google Inc.").first().get_absolute_url()
    if name in _MODELS:
        return reverse(name, args=[_MODELS[name].objects.first().pk])
    if name == "views:new":
        return f"{reverse(name)}?list=domains:list&query=tlsrpt%3Dmissing"
    if name == "failures:group":
        return f"{reverse(name)}?cause=certificate-expired"
    return reverse(name)


@pytest.fixture
def admin(client):
    user = UserFactory(is_superuser=True, email="admin@corp.example")
    client.force_login(user)
    return user


@pytest.mark.parametrize("domains", [3, 30])
def test_the_queries_of_a_page_do_not_grow_with_its_rows(admin, subtests, domains):
    fill(domains)

    for name in COUNTS:
        with subtests.test(name):
            client, url = Client(), address(name)
            client.force_login(admin)
            with CaptureQueriesContext(connection) as queries:
                response = client.get(url)

            assert response.status_code == 200
            shown = "\n".join(query["sql"][:160] for query in queries)
            assert len(queries) == COUNTS[name], (
                f"{name} asked {len(queries)} queries, {COUNTS_FILE.name} says {COUNTS[name]}. "
                f"Should the new number be right for 3 and for 30 domains, write it there.\n{shown}"
            )


def test_a_page_is_well_formed(client, admin, subtests):
    fill(3)

    for name in COUNTS:
        with subtests.test(name):
            text = client.get(address(name)).content.decode()

            ids = re.findall(r'\sid="([^"]+)"', text)
            assert len(ids) == len(set(ids)), sorted(one for one in ids if ids.count(one) > 1)
            assert text.count("<h1") == 1
            assert not re.search(r"\son\w+=", text), "inline handlers break the security policy"
            assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))", text)
            assert "<style" not in text
            assert not re.search(r'(src|href)="(https?:)?//', text), "a request to a third party"


@pytest.mark.thorough
def test_the_links_of_a_page_lead_somewhere(client, admin, subtests):
    fill(3)
    met_on = {}
    for name in COUNTS:
        text = client.get(address(name)).content.decode()
        for link in re.findall(r'<a[^>]*\shref="(/[^"]*|\?[^"]*)"', text):
            target = link.replace("&amp;", "&").partition("#")[0]
            met_on.setdefault(target if target[0] == "/" else address(name) + target, name)

    for target, name in met_on.items():
        if target.startswith("/accounts/"):
            continue  # allauth's own pages
        with subtests.test(f"{name}: {target}"):
            assert client.get(target).status_code == 200


# Tables that are no list of rows to take along, or whose files have their own buttons.
WITHOUT_FILES = {
    "domains:detail": 1,  # the MX hosts
    "domains:versions": 1,  # two versions side by side
    "settings:system": 1,  # the settings in force
    "tools:dns_kit": 1,
}


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("form", "kind"), [("csv", "text/csv"), ("xlsx", "application/vnd.openxmlformats")]
)
def test_each_table_of_a_page_can_be_saved(client, admin, subtests, form, kind):
    fill(3)

    for name in COUNTS:
        text = client.get(address(name)).content.decode()
        tables = len(re.findall(r'<table class="grid-table', text)) - WITHOUT_FILES.get(name, 0)
        links = {
            link.replace("&amp;", "&")
            for link in re.findall(rf'href="(\?[^"]*export={form}[^"]*)"', text)
        }
        with subtests.test(name):
            assert len(links) >= tables, links
            for link in links:
                base = address(name).partition("?")[0]
                file = client.get(base + link)
                assert file["Content-Type"].startswith(kind), link
                if form == "csv":
                    assert len(file.content.decode().splitlines()) > 1, link


BEFORE_ANY_DATA = (
    "overview",
    "domains:list",
    "alerts:incidents",
    "failures:list",
    "reports:list",
    "reporters:list",
    "coverage",
    "coverage-paper",
    "coverage:domains",
    "rollout",
    "what-if",
    "tools:dns_kit",
    "start",
    "settings:teams",
    "settings:rules",
    "settings:destinations",
)


@pytest.mark.parametrize("is_in_a_team", [False, True])
def test_a_portal_without_data_leads_nobody_where_they_may_not_go(client, subtests, is_in_a_team):
    user = make_member(TeamFactory(), Role.VIEWER) if is_in_a_team else UserFactory()
    client.force_login(user)
    met_on = {}
    for name in BEFORE_ANY_DATA:
        text = client.get(reverse(name)).content.decode()
        for link in re.findall(r'<a[^>]*\shref="(/[^"#]*)"', text):
            met_on.setdefault(link.replace("&amp;", "&"), name)
        if "No domains yet" in text:
            assert ("You belong to no team yet" in text) is not is_in_a_team, name

    for link, name in met_on.items():
        with subtests.test(f"{name}: {link}"):
            assert client.get(link).status_code in {200, 302}


@pytest.mark.parametrize(
    "name", ["overview", "domains:list", "coverage", "coverage:domains", "rollout"]
)
def test_a_portal_without_domains_says_what_to_do(client, admin, name):
    text = client.get(reverse(name)).content.decode()

    assert "No domains yet" in text
    assert reverse("domains:import") in text


def test_without_a_report_nobody_says_that_nothing_failed(client, admin):
    make_domain("ours.example")

    empty = client.get(FAILURES).content.decode()
    make_report(Domain.objects.get(), timezone.now().date() - timedelta(days=1))
    roll_up()

    assert "Nobody reported in this span" in empty
    assert "Nothing failed" not in empty
    assert "Nothing failed" in client.get(FAILURES).content.decode()


def test_the_dns_kit_asks_for_an_address_before_it_complains(client, admin, settings):
    settings.MAIL_ADDRESS = ""

    first = client.get(reverse("tools:dns_kit")).content.decode()
    sent = client.get(reverse("tools:dns_kit"), {"rua": ""}).content.decode()

    for text in (first, sent):
        assert "Where should reports go?" in text
    assert "This field is required" not in first
    assert "This field is required" in sent


def test_the_overview_counts_what_its_links_show(client, admin):
    fill(10)
    make_domain("bare.example", None, tlsrpt="missing", mta_sts="missing")
    make_domain("paused.example", None, is_active=False)

    page = client.get(reverse("overview"))

    for strip in page.context["strips"]:
        for part in strip.parts:
            listed = client.get(part.href).context["table"].paginator
            assert listed.count == part.count, part


def test_the_number_beside_incidents_is_that_of_its_list(client, admin):
    domain = make_domain("a.example")
    for state in State:
        make_incident(domain, title=str(state), state=state)
    client.get(reverse("overview"))

    page = client.get(reverse("alerts:incidents"))

    shown = re.search(r'class="count[^"]*">(\d+)<', page.content.decode())
    assert int(shown[1]) == page.context["table"].paginator.count > 1


def test_an_incident_of_many_domains_has_pages_of_them(client, admin):
    incident = make_incident(*(make_domain(f"d{at:02}.example") for at in range(51)))

    pages = [client.get(incident.get_absolute_url(), {"page": at}) for at in (1, 2, 3)]
    file = client.get(incident.get_absolute_url(), {"export": "csv", "page": 3}).content.decode()

    names = [row.domain.name for page in pages for row in page.context["page"]]
    assert [len(page.context["page"]) for page in pages] == [25, 25, 1]
    assert sorted(names) == [f"d{at:02}.example" for at in range(51)]
    assert "51–51 of 51 domains" in pages[2].content.decode()
    assert pages[0].context["touched_count"] == len(file.splitlines()) - 1 == 51


def test_an_incident_of_other_teams_as_well_says_so(client):
    team = TeamFactory()
    incident = make_incident(make_domain("ours.example", team), make_domain("theirs.example"))
    client.force_login(make_member(team, Role.VIEWER))

    page = client.get(incident.get_absolute_url())
    text = client.get(incident.get_absolute_url(), {"export": "csv"}).content.decode()

    assert (page.context["touched_count"], page.context["all_count"]) == (1, 2)
    assert "of 2; the others belong to other teams" in page.content.decode()
    assert "ours.example" in text
    assert "theirs.example" not in text + page.content.decode()


@pytest.mark.thorough
@pytest.mark.parametrize("by", ["cause-operator", "cause", "domain", "provider"])
@pytest.mark.parametrize("is_member", [False, True])
def test_each_number_of_failures_is_that_of_the_page_behind_it(client, admin, by, is_member):
    fill(10)
    if is_member:
        client.force_login(make_member(Team.objects.get(name="Team A"), Role.VIEWER))

    rows = [row.record for row in client.get(FAILURES, {"by": by}).context["table"].rows]

    assert rows
    for row in rows:
        page = client.get(row.failed_href.partition("#")[0]).context
        if by == "domain":
            totals = page["reports"].totals
            assert (row.failed, row.sessions) == (totals.failures, totals.sessions)
            assert row.reporters == len(page["reports"].reporters)
        elif by == "provider":
            behind = [one.record for one in page["table"].rows]
            assert (row.failed, row.domains) == (sum(one.failed for one in behind), len(behind))
        else:
            found = (page["failed"], page["domain_count"], len(page["reporters"]))
            assert (row.failed, row.domains, row.reporters) == found


@pytest.mark.parametrize("is_member", [False, True])
def test_each_number_of_the_overview_is_that_of_the_page_behind_it(client, admin, is_member):
    fill(10)
    make_domain("bare.example", Team.objects.first(), tlsrpt="missing", mta_sts="missing")
    if is_member:
        client.force_login(make_member(Team.objects.get(name="Team A"), Role.VIEWER))
    page = client.get(reverse("overview"))
    context, listing = page.context, reverse("domains:list")

    week = client.get(FAILURES, {"days": 7}).context["totals"]
    assert (context["week"].sessions, context["week"].failures) == (week.sessions, week.failures)
    reporters = client.get(reverse("reporters:list"), {"days": 7}).context["rows"]
    assert context["week_totals"].reporters == len(reporters)
    for cause, domains in context["causes"]:
        query = {"cause": cause.result_type, "days": 7}
        behind = client.get(reverse("failures:group"), query).context
        assert cause.failed_sessions == behind["failed"]
        assert domains == behind["domain_count"]
    links = re.findall(rf'href="({listing}\?team=[^"]*)">([\d,]+)</a>', page.content.decode())
    assert len(links) > 3
    for link, count in links:
        table = client.get(link.replace("&amp;", "&")).context["table"]
        assert table.paginator.count == int(count), link


def test_a_jump_finds_domains_by_the_middle_of_their_name(client, admin):
    make_domain("shop.north.example")
    make_domain("north.example")

    page = client.get(reverse("jump"), {"q": "north"}, headers={"HX-Request": "true"})

    titles = [target.title for target in page.context["targets"]]
    assert titles == ["north.example", "shop.north.example"]


@pytest.mark.parametrize("name", ["overview", "domains:list", "coverage", "rollout"])
def test_where_all_domains_are_paused_nobody_is_told_that_there_are_none(client, name):
    team = TeamFactory()
    make_domain("asleep.example", team, is_active=False)
    client.force_login(make_member(team, Role.VIEWER))

    page = client.get(reverse(name)).content.decode()

    assert "No domains yet" not in page
    assert "1 domain is paused" in page
    assert f'href="{reverse("domains:list")}?state=paused"' in page


@pytest.mark.parametrize("states", [{"mx": "null-mx"}, {"checked": False}])
def test_a_board_without_domains_on_the_way_does_not_ask_for_some(client, admin, states):
    make_domain("parked.example", **states)

    page = client.get(reverse("rollout")).content.decode()

    assert "No domains yet" not in page
    assert "No domain is on the way" in page


def test_incidents_that_are_not_over_stand_first_on_the_page_of_a_domain(client, admin):
    domain = make_domain("busy.example")
    now = timezone.now()
    going_on = make_incident(domain, opened_at=now - timedelta(days=60))
    for ago in range(12):
        make_incident(domain, state=State.RESOLVED, opened_at=now - timedelta(days=ago))

    page = client.get(domain.get_absolute_url())

    shown = [seen.incident for seen in page.context["incidents"]]
    assert (len(shown), shown[0]) == (10, going_on)
    assert "All incidents of this domain" in page.content.decode()


def test_every_kind_of_version_is_shown_and_counted_whole(client, admin):
    domain = make_domain("busy.example")
    make_versions(domain, "v=TLSRPTv1; rua=mailto:a@x.example", kind=RecordKind.TLSRPT)
    make_versions(domain, *(f"10 mx{n}.x.example" for n in range(45)), kind=RecordKind.MX)

    page = client.get(domain.get_absolute_url()).content.decode()

    assert "TLSRPT record: 1 version<" in page
    assert "MX set: 45 versions, the newest 20 here" in page


@pytest.mark.parametrize(
    ("name", "sort"),
    [
        ("alerts:incidents", ""),
        ("alerts:incidents", "-state"),
        ("alerts:incidents", "severity"),
        ("coverage:exceptions", ""),
        ("coverage:exceptions", "-approver_name"),
        ("settings:audit", ""),
    ],
)
def test_rows_that_are_alike_stand_on_one_page_each(client, admin, name, sort):
    page = client.get(reverse(name), {"sort": sort} if sort else {})

    # PostgreSQL orders rows that are alike as it likes, each time anew.
    order = page.context["table"].data.data.query.order_by
    assert order[-1] in {"pk", "-pk"}


def test_an_incident_that_is_not_about_sessions_has_none_in_files(client, admin):
    make_incident(make_domain("a.example"), failed_sessions=0, sessions=0)
    make_incident(make_domain("b.example"), failed_sessions=0, sessions=80)

    file = client.get(reverse("alerts:incidents"), {"export": "csv"}).content.decode()

    held = tablib.Dataset().load(file, format="csv")
    assert sorted(held["Failed sessions"]) == ["", "0"]


@pytest.mark.parametrize("name", ["alerts:incidents", "coverage:exceptions"])
def test_lists_about_domains_are_searched_by_names_as_people_write_them(client, admin, name):
    domain = make_domain("xn--mller-kva.example")
    make_incident(domain)
    make_exception(domain)
    make_exception(make_domain("other.example"))

    page = client.get(reverse(name), {"q": "Müller"})

    assert page.context["table"].paginator.count == 1


@pytest.mark.parametrize("typed", ["müller", "MÜLLER.example", "straße.example", "xn--strae"])
def test_a_name_is_found_as_people_write_it(client, admin, typed):
    names = ["xn--mller-kva.example", "xn--strae-oqa.example"]
    for name in names:
        make_domain(name)
    wanted = names["stra" in typed]

    found = client.get(reverse("jump"), {"q": typed}).context["targets"]
    listed = client.get(reverse("domains:list"), {"q": typed}).context["table"]

    assert [one.href for one in found] == [reverse("domains:detail", args=[wanted])]
    assert [row.record.name for row in listed.rows] == [wanted]
    assert Domain(name=wanted).display_name in {"müller.example", "straße.example"}


def test_a_domain_page_opens_by_the_name_as_people_write_it(client, admin):
    make_domain("xn--strae-oqa.example")

    assert client.get("/domains/Straße.example/").status_code == 200


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"domain": "Müller.example"}, 1),
        ({"domain": "stranger.example"}, 1),
        ({"domain": "stranger.example", "about": "watched"}, 0),
        ({"domain": "stranger.example", "about": "unmanaged"}, 1),
        ({"domain": "nobody.example"}, 0),
    ],
)
def test_reports_are_narrowed_to_any_name_that_they_tell_of(client, admin, query, count):
    today = timezone.now().date()
    make_report(make_domain("xn--mller-kva.example"), today - timedelta(days=1))
    make_report(None, today - timedelta(days=1), policy_domain="stranger.example")
    roll_up()

    page = client.get(reverse("reports:list"), query)

    assert page.context["table"].paginator.count == count


def test_reports_on_strangers_are_not_for_members_of_a_team(client):
    client.force_login(make_member(TeamFactory(), Role.MANAGER))
    make_report(None, timezone.now().date(), policy_domain="stranger.example")

    page = client.get(reverse("reports:list"), {"domain": "stranger.example"})

    assert page.context["table"].paginator.count == 0


@pytest.mark.parametrize(
    "name", ["overview", "domains:detail", "alerts:incident", "failures:group"]
)
def test_each_chart_is_a_figure_with_the_same_numbers_in_its_table(client, admin, name):
    fill(3)

    context = client.get(address(name)).context

    chart = context["reports"].chart if "reports" in context else context["chart"]
    plotly.graph_objects.Figure(_without_colours(chart.figure))
    assert len(chart.rows) == len(chart.figure["data"][0]["x"])
    assert all(len(row) == len(chart.columns) for row in chart.rows)


def _without_colours(value):
    """The names of our colours are filled in by the browser; Plotly wants real ones."""
    if isinstance(value, dict):
        return {key: _without_colours(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_colours(one) for one in value]
    return "#000000" if isinstance(value, str) and value.startswith("var(--") else value


def test_without_figures_of_the_week_before_nothing_is_held_against_it(client, admin):
    yesterday = timezone.now().date() - timedelta(days=1)
    make_report(make_domain("shop.example"), yesterday, failures=10)
    roll_up()

    page = client.get(reverse("overview")).content.decode()

    assert page.count("no figures of the 7 days before") == 2
    assert "0 in the 7 days before" not in page


def test_the_overview_adds_up_what_reports_said(client, admin):
    today = timezone.now().date()
    domain = make_domain("ours.example")
    make_report(domain, today - timedelta(days=1), failures=10)
    make_report(domain, today - timedelta(days=7), failures=30)
    make_report(domain, today - timedelta(days=8), failures=5)
    make_report(domain, today, failures=1000)
    roll_up()

    week = client.get(reverse("overview")).context["week"]

    assert (week.sessions, week.failures) == (220, 40)
    assert (week.sessions_before, week.failures_before) == (95, 5)


def test_a_page_of_failures_shows_only_ones_own_domains(client):
    today = timezone.now().date()
    team = TeamFactory()
    make_report(make_domain("ours.example", team), today - timedelta(days=1), failures=3)
    make_report(make_domain("theirs.example"), today - timedelta(days=1), failures=500)
    roll_up()
    client.force_login(make_member(team, Role.VIEWER))

    for by in ("cause-operator", "cause", "reporter", "domain", "provider"):
        table = client.get(reverse("failures:list"), {"by": by}).context["table"]
        assert [row.record.failed for row in table.rows] == [3], by
    group = client.get(address("failures:group"))
    assert [domain.name for domain, _, _ in group.context["domains"]] == ["ours.example"]
    assert "theirs.example" not in group.content.decode()


@pytest.mark.parametrize(
    ("by", "columns"),
    [
        (
            "cause-operator",
            ["name", "operator", "failed", "domains", "reporters", "first_day", "last_day"],
        ),
        ("reporter", ["name", "failed", "sessions", "rate", "domains"]),
        ("domain", ["name", "failed", "sessions", "rate", "reporters"]),
        ("provider", ["name", "failed", "sessions", "rate", "domains"]),
        ("policy", ["name", "failed", "sessions", "rate"]),
    ],
)
def test_a_grouping_of_failures_has_the_columns_it_can_fill(client, admin, by, columns):
    fill(3)

    table = client.get(reverse("failures:list"), {"by": by}).context["table"]

    assert [column.name for column in table.columns] == columns


def test_failures_are_sorted_and_saved_as_they_are_shown(client, admin):
    today = timezone.now().date()
    for name, failures in (("b.example", 3), ("a.example", 1), ("c.example", 2)):
        make_report(make_domain(name), today - timedelta(days=1), failures=failures)
    roll_up()
    query = {"by": "domain", "sort": "name", "columns": ["failed"], "export": "csv"}

    usual = client.get(reverse("failures:list"), {"by": "domain"}).context["table"]
    text = client.get(reverse("failures:list"), query).content.decode()

    assert [row.record.failed for row in usual.rows] == [3, 2, 1]
    assert text.splitlines() == [
        "Group,Failed sessions",
        "a.example,1",
        "b.example,3",
        "c.example,2",
    ]


@pytest.mark.parametrize(
    ("sort", "first", "second"),
    [
        ("name", "domain0.example", "domain1.example"),
        ("-name", "domain4.example", "domain3.example"),
        ("failed", "domain4.example", "domain3.example"),
        ("-failed", "domain0.example", "domain1.example"),
        ("-sessions", "domain4.example", "domain3.example"),
        ("reporters,name", "domain1.example", "domain2.example"),
        ("-reporters", "domain0.example", "domain1.example"),
    ],
)
def test_the_database_finds_the_first_failing_domains_in_any_order(
    client, admin, monkeypatch, sort, first, second
):
    monkeypatch.setattr("tlsrpt_portal.pages.failures.MOST_ROWS", 2)
    day = timezone.now().date() - timedelta(days=1)
    for at in range(5):
        domain = make_domain(f"domain{at}.example")
        make_report(domain, day, failures=5 - at, successes=100 * at)
    make_report(Domain.objects.get(name="domain0.example"), day, reporter="Other", failures=1)
    roll_up()

    answer = client.get(reverse("failures:list"), {"by": "domain", "sort": sort})

    assert [row.record.name for row in answer.context["table"].rows] == [first, second]
    assert answer.context["left_out"] == 3


@pytest.mark.parametrize("looked_at", [500, 3])
def test_the_evidence_of_a_reason_is_found_however_old_it_is(client, admin, monkeypatch, looked_at):
    monkeypatch.setattr("reports.evidence.NEWEST_DETAILS", looked_at)
    day, domain = timezone.now().date() - timedelta(days=1), make_domain("a.example")
    for at in range(6):
        make_report(domain, day, reporter=f"Reporter {at}", failures=1)
    old = FailureDetail.objects.order_by("pk").first()
    FailureDetail.objects.filter(pk=old.pk).update(failure_reason_code="old-reason")
    roll_up()

    url = address("failures:group")
    [(found, _)] = client.get(f"{url}&reason=old-reason").context["evidence"]
    without = client.get(f"{url}&reason=").context["evidence"]

    assert found == old
    assert len(without) == 5


def test_a_provider_with_failures_leads_to_its_domains(client, admin):
    today = timezone.now().date()
    for name, provider in (("a.example", "Hoster"), ("b.example", "Hoster"), ("c.example", "")):
        domain = make_domain(name)
        Domain.objects.filter(pk=domain.pk).update(mx_provider=provider)
        make_report(domain, today - timedelta(days=1), failures=4)
    well = make_domain("well.example")
    Domain.objects.filter(pk=well.pk).update(mx_provider="Hoster")
    make_report(well, today - timedelta(days=1))
    roll_up()

    page = client.get(reverse("failures:list"), {"by": "provider"})

    for row in page.context["table"].rows:
        behind = client.get(row.record.href)
        rows = behind.context["table"].rows
        assert len(rows) == row.record.domains
        assert sum(one.record.failed for one in rows) == row.record.failed
        # The rate is that of the provider, not of its worst domains.
        assert behind.context["totals"].sessions == row.record.sessions


def test_a_domain_page_says_since_when_mail_is_refused(client, admin):
    today = timezone.now().date()
    domain = make_domain("ours.example", sts_mode="enforce")
    for ago in range(1, 15):
        failures = 40 if ago <= 4 else 0
        make_report(domain, today - timedelta(days=ago), failures=failures)
    roll_up()

    page = client.get(domain.get_absolute_url())

    troubles = page.context["reports"].troubles
    assert troubles[Concern.CONNECTION].since == today - timedelta(days=4)
    assert troubles[Concern.POLICY].since is None
    assert "Mail is being refused" in page.content.decode()
    assert Domain.objects.get().posture.sts_mode == "enforce"


@pytest.mark.parametrize(
    ("page", "reporters"),
    [
        ("", ["R0", "R1"]),
        ("1", ["R0", "R1"]),
        ("2", ["R2", "R3"]),
        ("3", ["R4"]),
        ("99", ["R4"]),
        ("0", ["R4"]),
        ("x", ["R0", "R1"]),
    ],
)
def test_each_page_of_reports_with_failures_knows_how_many_there_are(
    client, admin, monkeypatch, page, reporters
):
    monkeypatch.setattr(PortalReports, "table_pagination", {"per_page": 2})
    day, domain = timezone.now().date() - timedelta(days=1), make_domain("a.example")
    for at in range(5):
        make_report(domain, day, reporter=f"R{at}", failures=1)

    query = {"content": "failures", "sort": "reporter", "page": page}
    table = client.get(reverse("reports:list"), query).context["table"]

    assert [row.record.reporter for row in table.paginated_rows] == reporters
    assert table.paginator.count == 5
