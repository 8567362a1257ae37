"""Every page fits the screen, and axe finds nothing: in both themes, and on a phone."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from accounts.models import SavedView, ViewedPage
from domains.lacks import Lack
from reports.models import Report
from reports.services.roll_up import roll_up
from tests.factories import (
    PASSWORD,
    TeamFactory,
    UserFactory,
    make_change,
    make_destination,
    make_domain,
    make_exception,
    make_import,
    make_incident,
    make_receipt,
    make_report,
    make_versions,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
NAMES = (
    "overview",
    "domains:list",
    "domains:import",
    "domains:imports",
    "alerts:incidents",
    "failures:list",
    "reports:list",
    "reports:upload",
    "reporters:list",
    "coverage",
    "coverage-paper",
    "coverage:domains",
    "coverage:exceptions",
    "rollout",
    "what-if",
    "start",
    "jump",
    "inbox:list",
    "inbox:unmanaged",
    "tools:checker",
    "tools:generators",
    "tools:dns_kit",
    "settings:teams",
    "settings:people",
    "settings:invite",
    "settings:rules",
    "settings:add_rule",
    "settings:destinations",
    "settings:add_destination",
    "settings:intakes",
    "settings:tokens",
    "settings:audit",
    "settings:system",
    "account_change_password",
    "mfa_index",
)

# Whether what lies where an element stands is that element; of one at the edge, a part is enough.
SHOWS = """element => {
  const box = element.getBoundingClientRect();
  const x = Math.min(box.x + box.width / 2, innerWidth - 24);
  const top = document.elementFromPoint(x, box.y + box.height / 2);
  return element === top || element.contains(top);
}"""


def fill() -> list[str]:
    """Make one of each thing; give the addresses of all pages."""
    today = timezone.now().date()
    domain = make_domain("shop.example", TeamFactory(name="Retail"), owner="mail@shop.example")
    make_domain("bare.example", tlsrpt="missing", mta_sts="missing")
    for ago in range(1, 9):
        make_report(domain, today - timedelta(days=ago), failures=20 if ago < 3 else 0)
    make_report(None, today, policy_domain="stray.example")
    held = make_exception(domain, Lack.DANE)
    view = SavedView.objects.create(
        page=ViewedPage.DOMAINS, name="Bare", owner=UserFactory(), is_for_everyone=True
    )
    make_change(domain, "sts-policy", "mode: testing", "mode: enforce")
    make_versions(domain, "mode: testing\nmx: a.example", "mode: enforce")
    incident = make_incident(domain)
    make_destination("Mail team")
    receipt = make_receipt("not a report")
    roll_up()
    return [
        *(reverse(name) for name in NAMES),
        domain.get_absolute_url(),
        reverse("domains:edit", args=[domain.name]),
        reverse("domains:versions", args=[domain.name, "policy"]),
        incident.get_absolute_url(),
        held.get_absolute_url(),
        make_import(UserFactory()).get_absolute_url(),
        f"{reverse('views:new')}?list=domains:list",
        f"{view.get_absolute_url()}&sts=missing",
        reverse("views:edit", args=[view.pk]),
        reverse("coverage:renew_exception", args=[held.pk]),
        Report.objects.earliest("pk").get_absolute_url(),
        f"{reverse('failures:group')}?cause=certificate-expired",
        reverse("inbox:receipt", args=[receipt.pk]),
    ]


@pytest.mark.parametrize("width", [360, 1440])
def test_every_page_fits_and_axe_finds_nothing(browser, live_server, width):
    UserFactory(email="root@corp.example", is_superuser=True)
    paths = fill()
    # The checker is evaluated inside the page, which the policy rightly forbids to anybody else.
    context = browser.new_context(bypass_csp=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto(live_server.url + reverse("account_login"))
    found = {"log-in": _run_in_both_themes(page)}
    page.get_by_label("E-mail address").fill("root@corp.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    for path in paths:
        page.goto(live_server.url + path)
        found[path] = _run_in_both_themes(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[path].append("wider than the screen")

    context.close()
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_where_tables_are_cards_their_headings_still_sort_and_choose(watched):
    fill()
    UserFactory(email="root@corp.example", is_superuser=True)
    page = watched.log_in("root@corp.example")
    page.set_viewport_size({"width": 360, "height": 740})

    for name in ("domains:list", "failures:list", "inbox:unmanaged"):
        watched.open(reverse(name))
        headings = page.locator("thead").locator("a, input")
        assert headings.first.evaluate(SHOWS), name
        for heading in headings.all():
            heading.focus()
            assert heading.evaluate(SHOWS), (name, heading.text_content())
        assert page.evaluate("document.documentElement.scrollWidth") == 360

    watched.open(reverse("domains:list"))
    page.get_by_role("link", name="Team").click()
    page.wait_for_url("**sort=team**")


def _run_in_both_themes(page) -> list[str]:
    """Give what axe finds: all in the light, and in the dark what colours can change."""
    faults = []
    for theme, rules in (("light", RULES), ("dark", COLOUR_RULES)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.locator(f"html[data-bs-theme={theme}]").wait_for()
        options = {"runOnly": rules, "resultTypes": ["violations"]}
        violations = Axe().run(page, options=options).response["violations"]
        faults += [f"{theme}: {one['id']}: {one['nodes'][0]['html'][:150]}" for one in violations]
    return faults
