"""A real Chromium against a live server; skipped in plain words where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from accounts.models import User
from tests.browser.chromium import FLAGS, find_chromium


@pytest.fixture(scope="session")
def chromium() -> str:
    found = find_chromium()
    if found and Path(found).exists():
        return found
    if os.environ.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER=1, and no Chromium was found. Install one or set CHROMIUM.")
    pytest.skip("No Chromium was found: browser tests are left out. Install one or set CHROMIUM.")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # Playwright's loop runs in this thread; Django would take that for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Watched:
    """A page that notes what no page may do: errors, foreign requests, policy violations."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.base = base
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on(
            "console",
            lambda said: (
                self.complaints.append(f"console: {said.text}")
                if said.type in {"error", "warning"}
                else None
            ),
        )
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith((base, "data:", "blob:"))
                else self.complaints.append(f"foreign request: {asked.url}")
            ),
        )

    def open(self, path: str) -> Page:
        """Open a page, and wait for what it fetches for itself."""
        self.page.goto(self.base + path)
        expect(self.page.locator(".htmx-request")).to_have_count(0)
        return self.page

    def log_in(self, email: str) -> Page:
        """Open the overview as this person, without the form: what a test is about comes after."""
        client = Client()
        client.force_login(User.objects.get(email=email))
        session = client.cookies[settings.SESSION_COOKIE_NAME]
        self.page.context.add_cookies(
            [{"name": session.key, "value": session.value, "url": self.base}]
        )
        return self.open("/")


@pytest.fixture
def watched(browser: Browser, live_server) -> Iterator[Watched]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    held = Watched(context, live_server.url)
    yield held
    context.close()
    assert held.complaints == []
