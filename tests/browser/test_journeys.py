"""The journeys that matter, in a real browser."""

from datetime import timedelta
from itertools import pairwise, product

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Team
from accounts.roles import Role
from accounts.services.set_up import issue_setup_link
from alerts.lifecycle import State
from alerts.models import Destination, Incident, Rule
from domains.lacks import Lack
from domains.models import CoverageException, Domain, Posture
from domains.services import import_jobs
from reports.services.roll_up import roll_up
from tests.browser.conftest import Watched
from tests.factories import (
    TeamFactory,
    UserFactory,
    make_change,
    make_domain,
    make_incident,
    make_member,
    make_report,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill_world():
    """Make a small world in which something is wrong; give its analyst."""
    team = TeamFactory(name="Retail")
    today = timezone.now().date()
    domains = [make_domain(f"shop{at}.example", team) for at in range(4)]
    for domain in domains:
        for ago in range(1, 20):
            failures = 40 if ago < 5 and domain == domains[0] else 0
            make_report(domain, today - timedelta(days=ago), failures=failures)
    roll_up()
    make_change(
        domains[0],
        "sts-mode",
        "testing",
        "enforce",
        seen_at=timezone.now() - timedelta(days=5),
        confirmed_at=timezone.now(),
    )
    make_incident(domains[0], title="Certificate expired at mx1.hoster.example")
    return make_member(team, Role.MANAGER, email="analyst@corp.example")


def test_the_first_start_leads_from_the_link_to_the_first_domains(watched):
    page = watched.open(reverse("set-up", args=[issue_setup_link()]))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail address").fill("ada@corp.example")
    page.get_by_label("Password", exact=True).fill("a long enough sentence")
    page.get_by_label("The same password again").fill("a long enough sentence")
    page.get_by_role("button", name="Create the account and go on").click()

    page.get_by_label("Domains").fill("one.example\ntwo.example\nno domain at all!")
    page.get_by_role("button", name="Preview").click()
    assert page.get_by_text("Refused").first.is_visible()
    page.get_by_role("button", name="Add 2 domains").click()

    assert page.get_by_role("link", name="one.example").is_visible()
    assert page.get_by_text("2 domains waiting for the first check").is_visible()
    assert Domain.objects.count() == 2


def test_triage_goes_from_the_overview_to_the_cause_and_an_owner(watched):
    user = fill_world()
    page = watched.log_in(user.email)

    page.locator("[data-chart][data-drawn=true]").wait_for()
    page.get_by_role("link", name="Certificate expired at mx1.hoster.example").first.click()
    page.get_by_role("button", name="I take it").click()
    page.get_by_label("Comment").fill("The hoster renews it today.")
    page.get_by_role("button", name="Comment").click()
    assert page.get_by_text("The hoster renews it today.").is_visible()
    page.get_by_role("link", name="shop0.example").first.click()

    assert page.get_by_text("Mail is being refused").is_visible()
    incident = Incident.objects.get()
    assert (incident.state, incident.assignee) == (State.ACKNOWLEDGED, user)


def test_a_click_on_a_day_leads_to_its_reports(watched):
    page = watched.log_in(fill_world().email)
    chart = page.locator("[data-chart][data-drawn=true]")
    chart.wait_for()

    bar = page.locator(".barlayer .point").last.bounding_box()
    page.mouse.move(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.mouse.click(bar["x"] + bar["width"] / 2, bar["y"] + bar["height"] / 2)
    page.wait_for_url("**/reports/?day=*")

    assert page.get_by_role("heading", name="Reports").is_visible()


def test_the_keyboard_alone_reaches_pages_search_and_any_domain(watched):
    page = watched.log_in(fill_world().email)

    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/domains/?view=first")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("shop2")
    page.wait_for_url("**q=shop2*")
    page.locator("#results").get_by_text("1 domain", exact=True).wait_for()
    page.keyboard.press("Control+k")
    page.keyboard.type("shop3")
    page.keyboard.press("Enter")  # at once, before the results are there
    page.wait_for_url("**/domains/shop3.example/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_keys_work_where_nothing_is_typed(watched):
    watched.log_in(fill_world().email)
    page = watched.open(reverse("domains:list"))

    page.get_by_label("Choose shop1.example").focus()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.get_by_label("Team").first.focus()
    page.keyboard.press("g")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.get_by_label("Choose shop1.example").focus()
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/incidents/*")


def test_all_that_match_is_offered_once_a_whole_page_is_chosen(watched):
    watched.log_in(fill_world().email)
    for at in range(60):
        make_domain(f"more{at:02}.example", Team.objects.get())
    page = watched.open(f"{reverse('domains:list')}?q=more")
    everything = page.get_by_label("all 60 that match")

    page.get_by_label("Choose more01.example").check()
    assert not everything.is_visible()
    page.get_by_label("Choose all rows of this page").check()
    assert everything.is_visible()
    page.get_by_label("Choose more01.example").uncheck()
    assert not everything.is_visible()


def test_what_is_typed_into_a_search_makes_one_entry_in_the_history(watched):
    watched.log_in(fill_world().email)
    page = watched.open(reverse("domains:list"))
    before = page.evaluate("history.length")

    page.get_by_role("searchbox").focus()
    for text in ("sh", "op", "2"):
        page.keyboard.type(text)
        page.wait_for_url(f"**{text}")
    page.keyboard.press("Enter")
    page.locator("#results").get_by_text("1 domain", exact=True).wait_for()
    page.wait_for_timeout(600)

    assert page.evaluate("history.length") == before + 1
    # htmx asks for the list again; no request may outlast the test.
    with page.expect_response(lambda answer: answer.url.endswith(reverse("domains:list"))):
        page.go_back()
    page.locator("#results").get_by_text("4 domains", exact=True).wait_for()


def tab_to(page, name):
    """Press Tab until what has the focus is called so, as somebody without a mouse does."""
    called = """() => {
        const one = document.activeElement;
        const label = one.labels && one.labels.length ? one.labels[0].textContent : "";
        return (one.getAttribute("aria-label") || label || one.textContent).trim();
    }"""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(called).startswith(name):
            return
    raise AssertionError(f"Tab never reaches {name!r}.")


def names_of(page):
    return page.locator("#results td.key a").all_inner_texts()


def test_a_view_is_kept_shared_opened_first_and_deleted_by_keyboard(watched, browser, live_server):
    user = fill_world()
    colleague = make_member(user.memberships.get().team, Role.VIEWER, email="new@corp.example")
    page = watched.log_in(user.email)

    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/domains/?view=first")
    page.keyboard.press("/")
    page.keyboard.type("shop2")
    page.wait_for_url("**q=shop2*")
    page.locator("#results").get_by_text("1 domain", exact=True).wait_for()
    tab_to(page, "Keep as a view")
    page.keyboard.press("Enter")
    page.wait_for_url("**/views/new/**")
    tab_to(page, "Name")
    page.keyboard.type("The second")
    tab_to(page, "Who sees it")
    page.keyboard.type("The team Retail")
    tab_to(page, "My list opens with it")
    page.keyboard.press("Space")
    tab_to(page, "Keep it")
    page.keyboard.press("Enter")

    page.get_by_text("The view The second is kept.").wait_for()
    assert names_of(page) == ["shop2.example"]
    watched.open(reverse("overview"))
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**view=*")
    assert names_of(page) == ["shop2.example"]

    other = Watched(browser.new_context(), live_server.url)
    theirs = other.log_in(colleague.email)
    other.open(reverse("domains:list"))
    assert len(names_of(theirs)) == 4
    theirs.get_by_role("navigation", name="Views").get_by_role("link", name="The second").click()
    assert names_of(theirs) == ["shop2.example"]
    theirs.context.close()
    assert other.complaints == []

    tab_to(page, "Manage")
    page.keyboard.press("Enter")
    page.wait_for_url("**/views/*/")
    tab_to(page, "Delete The second")
    page.keyboard.press("Enter")
    tab_to(page, "Yes, delete it")
    page.keyboard.press("Enter")
    page.get_by_text("The view The second is deleted.").wait_for()
    assert len(names_of(page)) == 4
    assert not page.get_by_role("navigation", name="Views").is_visible()


def test_failures_are_kept_as_a_view_too(watched):
    page = watched.log_in(fill_world().email)
    watched.open(f"{reverse('failures:list')}?by=domain&days=7")

    page.get_by_role("link", name="Keep as a view").click()
    page.get_by_label("Name").fill("Week by domain")
    page.get_by_role("button", name="Keep it").click()
    assert names_of(page) == ["shop0.example"]
    page.get_by_text("Columns").click()
    page.get_by_role("checkbox", name="Rate").uncheck()
    page.get_by_role("button", name="Show these").click()
    page.get_by_role("button", name="Update “Week by domain”").click()
    page.get_by_text("has these filters now").wait_for()

    assert page.get_by_role("columnheader", name="Rate").count() == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    header, row = download.value.path().read_text().splitlines()
    assert header == "Group,Failed sessions,Of sessions,Reporters"
    assert row.startswith("shop0.example,160,")


def test_rows_are_chosen_and_changed_together(watched):
    page = watched.log_in(fill_world().email)
    page = watched.open(reverse("domains:list"))

    page.get_by_label("Choose all rows of this page").check()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Add tags").fill("web")
    page.get_by_role("button", name="Change 4 domains").click()

    page.get_by_text("4 domains changed.").wait_for()
    assert Domain.objects.filter(tags__name="web").count() == 4


def test_a_rule_is_tried_and_saved_and_a_destination_told(watched):
    user = fill_world()
    page = watched.log_in(user.email)

    watched.open(reverse("settings:add_rule"))
    page.get_by_label("Name").fill("Any trouble")
    page.get_by_role("button", name="Try it").click()
    assert page.get_by_text("1 incident in 90 days.").is_visible()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The rule Any trouble is saved.").wait_for()

    watched.open(reverse("settings:add_destination"))
    page.get_by_label("Name").fill("Mail team")
    page.get_by_label("Address").fill("soc@corp.example")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Send a test to Mail team").click()
    page.get_by_text("The test to Mail team left.").wait_for()
    assert Rule.objects.filter(name="Any trouble").exists()
    assert Destination.objects.get().name == "Mail team"


def test_a_large_import_shows_how_far_it_is_and_what_became_of_each_line(watched, monkeypatch):
    monkeypatch.setattr(import_jobs, "SMALL", 0)
    monkeypatch.setattr(import_jobs, "BATCH", 2)
    page = watched.log_in(UserFactory(is_superuser=True, email="root@corp.example").email)
    watched.open(reverse("domains:import"))
    page.get_by_label("Domains").fill("a.example\nb.example\nno domain\nc.example")
    page.get_by_role("button", name="Preview").click()
    page.get_by_text("0 of 5 lines").wait_for()

    import_jobs.work_on_imports(budget_s=0)
    page.get_by_text("2 of 5 lines").wait_for()
    import_jobs.work_on_imports()
    page.get_by_role("button", name="Add 3 domains").click()
    page.get_by_text("You can leave this page").wait_for()
    import_jobs.work_on_imports()
    page.get_by_role("heading", name="What became of 5 lines").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of all lines").click()

    lines = download.value.path().read_text().splitlines()
    assert [line.split(",")[1:3] for line in lines[1:]] == [
        ["a.example", "created"],
        ["b.example", "created"],
        ["no", "rejected"],
        ["domain", "rejected"],
        ["c.example", "created"],
    ]


def test_an_exception_is_granted_and_stands_in_what_is_filed(watched):
    user = UserFactory(is_superuser=True, email="root@corp.example", name="Ada")
    for name in ("bare.example", "good.example"):
        make_domain(name, tlsrpt="missing" if name == "bare.example" else "valid")
    page = watched.log_in(user.email)
    watched.open(f"{reverse('domains:list')}?exception=unexcused")

    page.get_by_label("Choose bare.example").check()
    page.get_by_role("button", name="Except").click()
    page.get_by_label("TLS-RPT: may have no TLSRPT record").check()
    page.get_by_label("Reason").fill("Moves in spring.")
    page.get_by_role("button", name="Grant", exact=True).click()
    page.get_by_text("1 exception granted.").wait_for()
    watched.open(reverse("coverage"))
    page.get_by_role("link", name="Print").click()

    text = page.locator("main.paper").inner_text()
    assert "Moves in spring." in text
    assert "1 excepted" in text
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_the_coverage_of_a_past_day_is_saved_for_an_audit(watched):
    fill_world()
    today = timezone.now().date()
    past = today - timedelta(days=10)
    make_domain("late.example", TeamFactory(name="Labs"))
    known = make_domain("known.example", TeamFactory(name="Mail"), first_day=past)
    Domain.objects.filter(pk=known.pk).update(created_at=timezone.now() - timedelta(days=20))
    page = watched.log_in(make_member(None, Role.VIEWER, email="audit@corp.example").email)
    watched.open(reverse("coverage"))

    page.get_by_label("As of").fill(past.isoformat())
    page.wait_for_url(f"**on={past.isoformat()}*")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()

    assert download.value.suggested_filename == f"coverage-{past.isoformat()}.csv"
    _, *rows = download.value.path().read_text().splitlines()
    assert [row.split(",")[:3] for row in rows] == [[past.isoformat(), "known.example", "Mail"]]


def test_the_days_below_a_chart_never_touch(watched):
    page = watched.log_in(fill_world().email)
    for width, days in product((320, 360, 768, 1280), (7, 30, 90, 365)):
        page.set_viewport_size({"width": width, "height": 900})
        watched.open(f"{reverse('overview')}?days={days}")
        page.locator("[data-chart][data-drawn=true]").wait_for()

        boxes = [one.bounding_box() for one in page.locator(".xtick text >> visible=true").all()]

        gaps = [right["x"] - left["x"] - left["width"] for left, right in pairwise(boxes)]
        assert gaps, (width, days)
        assert min(gaps) > 12, (width, days)


def test_what_is_printed_is_light_and_says_who_saw_what_and_when(watched):
    user = fill_world()
    page = watched.log_in(user.email)
    page.emulate_media(color_scheme="dark")
    watched.open(f"{reverse('overview')}?days=90")
    chart = page.locator("[data-chart][data-drawn=true]")
    chart.wait_for()

    def grid():
        return chart.locator(".ygrid").first.evaluate("line => getComputedStyle(line).stroke")

    dark = grid()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print", color_scheme="dark")
    line = page.locator(".only-paper")

    assert grid() == "rgb(230, 233, 238)" != dark
    assert line.is_visible()
    assert f"{reverse('overview')}?days=90" in line.inner_text()
    assert str(user) in line.inner_text()
    page.emulate_media(media="screen", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert grid() == dark


def test_what_is_chosen_in_filters_stands_on_paper_and_the_rest_does_not(watched):
    page = watched.log_in(fill_world().email)
    watched.open(f"{reverse('domains:list')}?tlsrpt=valid")
    page.emulate_media(media="print")

    shown = page.locator(".filters :is(select, input, button) >> visible=true").all()

    assert [one.get_attribute("name") for one in shown] == ["tlsrpt"]


def test_a_chart_fits_on_paper_and_comes_back_to_its_size(watched):
    page = watched.log_in(fill_world().email)
    chart = page.locator("[data-chart][data-drawn=true]")
    chart.wait_for()

    def width():
        return chart.locator(".main-svg").first.bounding_box()["width"]

    before = width()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    on_paper = width()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")

    assert on_paper == 640 < before
    assert width() == before
    page.emulate_media(media="print")
    for hidden in ("Columns", "Show as a table", "7 days"):
        assert not page.get_by_text(hidden, exact=True).first.is_visible(), hidden


def test_the_theme_is_kept_and_shows_without_a_flash(watched):
    page = watched.log_in(fill_world().email)

    button = page.locator("[data-theme-button]")
    button.click()
    button.click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    watched.open(reverse("domains:list"))

    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(13, 16, 20)"


def test_everything_works_without_javascript(browser, live_server):
    fill_world()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url + reverse("account_login"))
    page.get_by_label("E-mail address").fill("analyst@corp.example")
    page.get_by_label("Password").fill("a long enough sentence")
    page.get_by_role("button", name="Log in").click()

    page.locator(".chart-table summary").first.click()
    assert page.locator(".chart-table tbody tr").first.is_visible()
    page.goto(live_server.url + reverse("domains:list"))
    page.get_by_role("searchbox").fill("shop2")
    page.get_by_role("button", name="Apply").click()
    assert page.get_by_text("1 domain", exact=True).is_visible()
    page.get_by_label("Choose shop2.example").check()
    page.get_by_role("button", name="Check now").click()
    assert page.get_by_text("1 domain will be checked now.").is_visible()
    for at in range(60):
        make_domain(f"more{at}.example", Team.objects.get())
    page.goto(live_server.url + reverse("domains:list") + "?q=more")
    page.get_by_label("all 60 that match").check()
    page.get_by_role("button", name="Check now").click()
    assert page.get_by_text("60 domains will be checked now.").is_visible()
    context.close()


@pytest.mark.parametrize("width", [360, 1440])
def test_the_longest_names_leave_room_for_the_rest(watched, width):
    long = ".".join(["a" * 62, "b" * 62, "c" * 60, "d" * 55, "example"])
    domain = make_domain(long, TeamFactory(name="Kommunikationsinfrastruktur" * 2))
    make_report(domain, timezone.now().date() - timedelta(days=1), reporter="Fernmeldewesen" * 8)
    page = watched.log_in(UserFactory(is_superuser=True, email="root@corp.example").email)
    page.set_viewport_size({"width": width, "height": 900})

    def spills(selector):
        return page.locator(selector).first.evaluate("one => one.scrollWidth - one.clientWidth")

    watched.open(reverse("reports:list"))
    assert spills("#results .table-wrap") <= 0
    page.keyboard.press("Control+k")
    page.keyboard.type("aaaa")
    page.locator("#jump-results a.is-on", has_text="aaaa").wait_for()
    assert spills("#jump-results") <= 0


def test_the_longest_name_in_the_list_cuts_no_column_off_on_a_laptop_and_on_paper(watched):
    long = ".".join(["a" * 62, "b" * 62, "c" * 60, "d" * 55, "example"])
    teams = [TeamFactory(name=name) for name in ("Corporate Infrastructure", "Retail")]
    worst = make_domain(long, teams[0], dane="unknown")
    other = make_domain("aurelia-insurance.example", teams[1], tlsrpt="missing", mta_sts="missing")
    for lack in (Lack.TLSRPT, Lack.MTA_STS):
        day = timezone.now().date()
        CoverageException.objects.create(domain=other, lack=lack, starts_on=day, expires_on=day)
    for domain, failures in ((worst, 0), (other, 1)):
        Posture.objects.filter(domain=domain).update(mx_provider="Google Workspace")
        make_report(domain, timezone.now().date() - timedelta(days=1), failures=failures)
    roll_up()
    page = watched.log_in(UserFactory(is_superuser=True, email="root@corp.example").email)
    page.set_viewport_size({"width": 1440, "height": 900})
    watched.open(reverse("domains:list"))
    spill = "(one => one.scrollWidth - one.clientWidth)"

    assert page.locator("#results .table-wrap").evaluate(spill) <= 0
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.locator("html").evaluate(spill) <= 0
    name = page.get_by_role("link", name="aurelia-insurance.example")
    assert name.bounding_box()["height"] < 50


def test_a_number_never_touches_the_text_beside_it(watched):
    watched.log_in(fill_world().email)
    watched.page.set_viewport_size({"width": 1440, "height": 900})
    page = watched.open(reverse("failures:list"))

    number = page.locator("#results tbody tr").first.locator("td.end").last
    text = number.locator("xpath=following-sibling::td[1]")

    def inset(cell, side):
        return cell.evaluate(f"one => parseFloat(getComputedStyle(one).padding{side})")

    assert inset(number, "Right") + inset(text, "Left") >= 24


def test_what_a_line_of_an_import_names_stands_in_one_column_on_a_phone(watched):
    fill_world()
    watched.log_in("analyst@corp.example")
    watched.page.set_viewport_size({"width": 360, "height": 900})
    page = watched.open(reverse("domains:import"))
    page.get_by_label("Domains").fill("domain,team,owner,tags\na.example,Retail,a@b.example,web")
    page.get_by_role("button", name="Preview").click()

    cells = page.locator("#results tbody tr td[data-label]:not(.wide, .blank)").all()
    boxes = [cell.bounding_box() for cell in cells]
    assert len(boxes) == 5
    assert len({box["x"] + box["width"] for box in boxes}) == 1


def test_no_page_is_wider_than_a_wide_screen(watched):
    fill_world()
    watched.page.set_viewport_size({"width": 3840, "height": 900})
    UserFactory(email="root@corp.example", is_superuser=True)
    page = watched.log_in("root@corp.example")
    names = (
        "overview",
        "domains:list",
        "domains:imports",
        "alerts:incidents",
        "failures:list",
        "reports:list",
        "reporters:list",
        "coverage",
        "coverage-paper",
        "coverage:domains",
        "coverage:exceptions",
        "rollout",
        "start",
        "inbox:list",
        "tools:checker",
        "tools:generators",
        "tools:dns_kit",
        "settings:teams",
        "settings:people",
        "settings:rules",
        "settings:add_rule",
        "settings:audit",
        "settings:system",
    )
    paths = [reverse(name) for name in names] + ["/domains/shop0.example/"]
    for path in paths:
        watched.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 3840, path


def test_a_choice_by_keyboard_is_sent_when_it_is_made_up(watched):
    user = fill_world()
    TeamFactory(name="Bank")
    user.role_everywhere = Role.MANAGER
    user.save()
    page = watched.log_in(user.email)
    watched.open(reverse("coverage"))
    team = page.get_by_label("Team", exact=True)

    team.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert team.locator("option:checked").inner_text() == "Retail"
    assert "team=" not in page.url
    page.keyboard.press("Tab")
    page.wait_for_url("**team=*")
    page.wait_for_load_state("networkidle")

    assert page.locator(":focus").get_attribute("id") == "on"
    team.select_option(label="Bank")
    page.wait_for_load_state("networkidle")
    assert team.locator("option:checked").inner_text() == "Bank"


def test_what_a_page_fetches_for_itself_leaves_its_title(watched):
    UserFactory(email="root@corp.example", is_superuser=True)
    testing = make_domain("testing.example", sts_mode="testing")
    make_report(testing, timezone.now().date() - timedelta(days=2), failures=30)
    roll_up()
    watched.log_in("root@corp.example")

    page = watched.open(reverse("rollout"))

    assert page.get_by_role("heading", name="By sender").is_visible()
    assert page.title() == "Roll-out · TLS-RPT Portal"


def test_a_filter_says_what_is_left_and_can_be_cleared_at_once(watched):
    fill_world()
    watched.log_in("analyst@corp.example")
    page = watched.open(reverse("domains:list"))

    page.get_by_role("searchbox").fill("shop2")
    page.locator("#said").filter(has_text="1 domain").wait_for(state="attached")
    page.get_by_role("link", name="Clear").click()

    assert page.url.endswith(reverse("domains:list"))
    assert page.get_by_role("link", name="Clear").count() == 0


def test_by_keyboard_the_focus_stays_where_it_was_and_in_sight(watched):
    watched.log_in(fill_world().email)
    page = watched.open(reverse("domains:list"))

    page.get_by_role("link", name="TLS-RPT", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**sort=**")
    assert page.evaluate("document.activeElement.textContent.trim()") == "TLS-RPT"

    page.locator("header details.menu summary").last.press("Enter")
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.locator("details.menu[open]").count() == 0

    page.keyboard.press("Control+k")
    page.keyboard.type("shop")
    page.keyboard.press("Escape")
    assert not page.locator("dialog#jump").is_visible()

    page = watched.open(reverse("domains:edit", args=["shop0.example"]))
    page.set_viewport_size({"width": 1280, "height": 300})
    page.emulate_media(reduced_motion="reduce")  # else the page glides there, which takes a while
    page.locator("main").get_by_role("button").last.focus()
    bar = page.locator("header.top").bounding_box()["height"]
    while page.evaluate("!!document.activeElement.closest('main form')"):
        page.keyboard.press("Shift+Tab")
        assert page.evaluate("document.activeElement.getBoundingClientRect().bottom") > bar
