"""Pictures of every screen of the demo, for the docs and for looking at.

usage: python -m tests.browser.screenshots OUT [--docs]

Starts a demo portal of its own. With --docs only the few pictures that the docs show, in their
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import FLAGS, find_chromium

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENS = {
    "overview": "/",
    "domains": "/domains/",
    "domain": "/domains/kaufladen.example/",
    "domain-moved": "/domains/fabrikant.example/?days=90",
    "coverage": "/coverage/?days=90",
    "failures": "/failures/",
    "incidents": "/incidents/",
    "rollout": "/rollout/",
    "reports": "/reports/",
    "reporters": "/reporters/",
    "inbox": "/inbox/",
    "tools": "/tools/",
    "start": "/start/",
    "settings": "/settings/",
}
FOR_DOCS = ("overview", "domain", "domain-moved", "failures", "rollout", "coverage")


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--docs", action="store_true")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("No Chromium was found. Install one, or set CHROMIUM.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    with running_demo() as (base, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        names = FOR_DOCS if arguments.docs else tuple(SCREENS)
        for theme in ("light", "dark"):
            for width in (1280,) if arguments.docs else (360, 1440):
                page = log_in(browser, base, password, theme, width)
                for name in names:
                    size = "" if arguments.docs else f"-{width}"
                    path = arguments.out / f"{name}-{theme}{size}.png"
                    take(page, base, name, path, arguments.docs)
                page.context.close()
        browser.close()


def take(page: Page, base: str, name: str, path: Path, is_for_docs: bool) -> None:
    """Open a screen, let its charts draw, and keep a picture: of what fits on a screen, or all."""
    page.goto(f"{base}{SCREENS[name]}")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    page.screenshot(path=path, full_page=not is_for_docs)
    print(path, file=sys.stderr)


def log_in(browser: Browser, base: str, password: str, theme: str, width: int) -> Page:
    """Give a page of the administrator."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if theme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(f"{base}/")
    page.fill("input[name=login]", "admin@aurelia.example")
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_load_state("networkidle")
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
