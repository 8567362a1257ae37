"""Pictures of every screen of the demo, for the docs and for looking at.

usage: python -m tests.browser.screenshots OUT [--docs] [--only NAME …] [--portal URL --password P]

Starts a demo portal of its own, unless one is named. Ends 1 where a screen has an error in the
console or is wider than the window. With --docs only the few pictures that the docs show, in their
size; else every screen in both themes, at 360 and 1440 pixels.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

from tests.browser.chromium import FLAGS, find_chromium

ROOT = Path(__file__).resolve().parent.parent.parent
Way = Callable[[Page], object]


def first_link(path: str, selector: str) -> tuple[str, Way]:
    """Give the way to what the first such link of a page leads to."""
    return path, lambda page: page.locator(f"{selector} >> visible=true").first.click()


def written(page: Page) -> None:
    """Have the generators write an MTA-STS record and policy."""
    page.get_by_label("MX hosts").fill("mx1.example.com\n*.example.net")
    page.get_by_role("button", name="Write them").click()


def tried(page: Page) -> None:
    """Replay a new rule over the past."""
    page.get_by_label("Name").fill("Failure rate")
    page.get_by_role("button", name="Try it").click()


def kit(page: Page) -> None:
    """Ask for the DNS changes of the domains that lack TLS-RPT."""
    page.goto(f"{page.url.partition('/tools/')[0]}/tools/dns-kit/?tlsrpt=missing")


def checked(page: Page) -> None:
    """Have the checker look at a domain of the demo."""
    page.get_by_label("Domain", exact=True).fill("kaufladen.example")
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")


def previewed(page: Page) -> None:
    """Paste lines of every fate and look at what would become of them."""
    page.get_by_label("Domains").fill(
        "domain,team,owner,tags\nneu.example,Retail,mail@aurelia.example,shop\n"
        "kaufladen.example,Retail,,\nnot a name,Retail,,\nneu.example,,,\nweg.example,Nobody,,\n"
    )
    page.get_by_role("button", name="Preview").click()
    page.wait_for_load_state("networkidle")


def a_month_ago(page: Page) -> None:
    """Ask for the coverage of a past day."""
    day = datetime.now(UTC).date() - timedelta(days=30)
    page.goto(f"{page.url.partition('?')[0]}?on={day}")


def chosen(page: Page) -> None:
    """Choose three domains of the list, so that the bar of deeds shows."""
    for box in page.locator("tbody input[type=checkbox]").all()[:3]:
        box.check()


def jumped(page: Page) -> None:
    """Open the jump dialog and type."""
    page.keyboard.press("Control+k")
    page.keyboard.type("kauf")
    page.wait_for_timeout(500)


# Name, address, and what to do there first.
SCREENS: dict[str, str | tuple[str, Way]] = {
    "overview": "/",
    "overview-year": "/?days=365",
    "domains": "/domains/",
    "domains-chosen": ("/domains/", chosen),
    "domains-filtered": "/domains/?sts=missing&state=errors",
    "domains-none": "/domains/?q=nothing-of-this-name",
    "domain": "/domains/kaufladen.example/",
    "domain-moved": "/domains/fabrikant.example/?days=90",
    "domain-versions": "/domains/fabrikant.example/versions/policy/",
    "domain-edit": "/domains/kaufladen.example/edit/",
    "domain-policy": "/domains/kaufladen.example/policy/",
    "import": "/domains/import/",
    "import-preview": ("/domains/import/", previewed),
    "imports": "/domains/imports/",
    "coverage": "/coverage/?days=90",
    "coverage-past": ("/coverage/", a_month_ago),
    "coverage-domains": ("/coverage/domains/", a_month_ago),
    "coverage-paper": "/coverage/print/",
    "exceptions": "/coverage/exceptions/",
    "exception": first_link("/coverage/exceptions/", "tbody a[href^='/coverage/exceptions/']"),
    "failures": "/failures/",
    "failures-domain": "/failures/?by=domain",
    "failures-reporter": "/failures/?by=reporter",
    "failures-provider": "/failures/?by=provider",
    "failure-group": first_link("/failures/", "tbody a[href*='/failures/group/']"),
    "incidents": "/incidents/",
    "incident": first_link("/incidents/", "tbody a[href^='/incidents/']"),
    "rollout": "/rollout/",
    "rollout-stage": "/rollout/?stage=testing",
    "what-if": "/rollout/what-if/",
    "reports": "/reports/",
    "report": first_link("/reports/?content=failures", "tbody a[href^='/reports/']"),
    "upload": "/reports/upload/",
    "reporters": "/reporters/",
    "inbox": "/inbox/",
    "inbox-receipt": first_link("/inbox/", "main .title a[href^='/inbox/']"),
    "inbox-unmanaged": "/inbox/unmanaged/",
    "tools": "/tools/",
    "tools-checked": ("/tools/", checked),
    "generators": ("/tools/generators/", written),
    "dns-kit": "/tools/dns-kit/",
    "dns-kit-chosen": ("/tools/dns-kit/", kit),
    "start": "/start/",
    "jump": ("/", jumped),
    "view-new": "/views/new/?list=domains:list",
    "teams": "/settings/teams/",
    "team": first_link("/settings/teams/", "tbody a[href^='/settings/teams/']"),
    "people": "/settings/people/",
    "person": first_link("/settings/people/", "tbody a[href^='/settings/people/']"),
    "invite": "/settings/people/invite/",
    "mailboxes": "/settings/mailboxes/",
    "intakes": "/settings/intakes/",
    "rules": "/settings/rules/",
    "rule": first_link("/settings/rules/", "main .title a[href^='/settings/rules/']"),
    "rule-new": ("/settings/rules/add/", tried),
    "destinations": "/settings/destinations/",
    "destination-new": "/settings/destinations/add/",
    "tokens": "/settings/tokens/",
    "tokens-all": "/settings/tokens/everybody/",
    "audit": "/settings/audit/",
    "system": "/settings/system/",
    "password": "/accounts/password/change/",
    "two-factor": "/accounts/2fa/",
    "not-found": "/domains/nobody.example/",
}
FOR_DOCS = ("overview", "domain", "domain-moved", "failures", "rollout", "coverage")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="of these screens")
    parser.add_argument("--portal", metavar="URL", help="a demo that runs already")
    parser.add_argument("--password", help="of its log-ins")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium was found. Install one, or set CHROMIUM.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    at = (arguments.portal, arguments.password)
    names = arguments.only or (FOR_DOCS if arguments.docs else tuple(SCREENS))
    complaints: list[str] = []
    portal = nullcontext(at) if arguments.portal else running_demo()
    with portal as (base, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for theme in ("light", "dark"):
            for width in (1280,) if arguments.docs else (360, 1440):
                page = log_in(browser, base, password, theme, width)
                for name in names:
                    size = "" if arguments.docs else f"-{width}"
                    path = arguments.out / f"{name}-{theme}{size}.png"
                    complaints += take(page, base, name, path, arguments.docs)
                page.context.close()
        browser.close()
    if complaints:
        raise SystemExit("\n".join(complaints))


def take(page: Page, base: str, name: str, path: Path, is_for_docs: bool) -> list[str]:
    """Open a screen, let its charts draw, and keep a picture: of what fits on a screen, or all.

    Gives what is wrong with it: errors in the console, or a page that is wider than the screen.
    """
    faults: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error" and "status of 404" not in said.text:
            faults.append(f"{path.name}: {said.text}")

    page.on("console", note)
    screen = SCREENS[name]
    address, way = (screen, None) if isinstance(screen, str) else screen
    page.goto(f"{base}{address}")
    page.wait_for_load_state("networkidle")
    if way is not None:
        try:
            way(page)
        except TookTooLong as error:
            faults.append(f"{path.name}: {error}")
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    page.screenshot(path=path, full_page=not is_for_docs)
    page.remove_listener("console", note)
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        faults.append(f"{path.name}: wider than the screen")
    print(path, file=sys.stderr)
    return faults


def log_in(browser: Browser, base: str, password: str, theme: str, width: int) -> Page:
    """Give a page of the administrator."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto(f"{base}/")
    page.fill("input[name=login]", "admin@aurelia.example")
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/")
    return page


@contextmanager
def running_demo() -> Iterator[tuple[str, str]]:
    """Run the demo in a folder of its own; give its address and the password."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DEMO": "true", "DATA_DIR": folder, "DOTENV": os.devnull}
        command = [sys.executable, "manage.py", "up", "--port", str(port)]
        portal = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            base = f"http://localhost:{port}"
            wait_until_ready(f"{base}/readyz")
            note = (Path(folder) / "demo-log-ins.txt").read_text()
            found = re.search(r"password (\S+)", note)
            assert found is not None
            yield base, found.group(1)
        finally:
            portal.terminate()
            portal.wait(timeout=30)


def wait_until_ready(url: str) -> None:
    """Return when the portal answers 200 there."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} did not answer within two minutes.")


if __name__ == "__main__":
    main()
