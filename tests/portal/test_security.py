import json
import os
import subprocess
import sys
from secrets import token_urlsafe

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from tests.factories import TeamFactory, make_member

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-password"

# What answers without a log-in, and why.
OPEN = {
    "healthz": "probes have no account",
    "readyz": "probes have no account",
    "metrics": "asks for its own token",
    "account_login": "it is the log-in",
    "account_logout": "sends strangers to the front page",
    "account_signup": "says that nobody signs up",
    "account_inactive": "says that the account has ended",
    "account_reset_password": "for those who cannot log in",
    "account_reset_password_done": "for those who cannot log in",
    "account_reset_password_from_key_done": "for those who cannot log in",
    "account_email_verification_sent": "for those who cannot log in",
    "mfa_authenticate": "the second half of the log-in",
    "mfa_trust": "the second half of the log-in",
}


def plain_addresses(patterns, prefix="/"):
    """Every address that needs no argument, with its name."""
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if "<" not in route:
                yield from plain_addresses(pattern.url_patterns, prefix + route)
        elif isinstance(pattern, URLPattern) and "<" not in route and "(" not in route:
            yield pattern.name, prefix + route.removeprefix("^").removesuffix("$")


def test_everything_but_a_known_few_asks_for_a_log_in(client):
    addresses = dict(plain_addresses(get_resolver().url_patterns))
    assert len(addresses) > 20

    unasked = set()
    for name, address in addresses.items():
        answer = client.get(address)
        if address.startswith("/api/"):
            assert answer.status_code in {401, 404, 405}, address
            continue
        if not (answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")):
            unasked.add(name)

    assert unasked <= set(OPEN)


@pytest.fixture
def root(client):
    user = User.objects.create_superuser("root@corp.example", PASSWORD, name="Root")
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return user


def test_pages_allow_no_foreign_or_inline_script(client, root):
    answer = client.get("/")

    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    directives = dict(
        part.strip().partition(" ")[::2] for part in policy.split(";") if part.strip()
    )
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == "'self'"
    assert "unsafe-inline" not in directives["style-src"]
    assert directives["frame-ancestors"] == "'none'"
    assert b"<script>" not in answer.content
    assert b"http://" not in answer.content.replace(b"http://www.w3.org/2000/svg", b"")


def test_guessing_a_password_ends_in_a_lock(client):
    User.objects.create_user("alice@corp.example", PASSWORD)
    attempt = {"login": "alice@corp.example", "password": "wrong"}
    for _ in range(settings.AXES_FAILURE_LIMIT):
        client.post("/accounts/login/", attempt)

    locked = client.post("/accounts/login/", {**attempt, "password": PASSWORD})

    assert locked.status_code == 429
    assert "_auth_user_id" not in client.session


def test_one_who_knows_the_password_gets_in(client):
    User.objects.create_user("alice@corp.example", PASSWORD)

    answer = client.post("/accounts/login/", {"login": "Alice@corp.example", "password": PASSWORD})

    assert answer.status_code == 302
    assert "_auth_user_id" in client.session


def test_nobody_makes_an_account_alone(client):
    client.post(
        "/accounts/signup/",
        {"email": "eve@evil.example", "password1": PASSWORD, "password2": PASSWORD},
    )

    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("site", "secure"), [("https://tlsrpt.example", True), ("http://x", False)]
)
def test_https_makes_cookies_secure(site, secure, tmp_path):
    script = (
        "import json; from tlsrpt_portal import settings as s; "
        "print(json.dumps([s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, "
        "s.SECURE_HSTS_SECONDS]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        env={**os.environ, "SITE_URL": site, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [bool(value) for value in json.loads(done.stdout)] == [secure] * 4


def test_nothing_is_left_to_be_hardened_behind_https(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "SITE_URL": "https://tlsrpt.example", "DATA_DIR": str(tmp_path)}
        | {"DJANGO_SETTINGS_MODULE": "tlsrpt_portal.settings", "SECRET_KEY": token_urlsafe(50)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_refusal_says_which_role_is_needed(client):
    client.force_login(make_member(TeamFactory(), Role.VIEWER))

    page = client.get(reverse("domains:import"))

    assert page.status_code == 403
    assert "Importing needs the role manager in a team." in page.content.decode()


def test_a_form_from_before_the_log_in_is_refused_in_our_words():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_member(TeamFactory(), Role.MANAGER))

    page = client.post(reverse("domains:import"), {"text": "a.example"})

    assert page.status_code == 403
    assert "Nothing was changed" in page.content.decode()


def test_an_error_names_the_time_to_look_for_in_the_log(client, monkeypatch):
    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr("tlsrpt_portal.pages.overview.coverage_by_team", fail)
    client.raise_request_exception = False
    client.force_login(make_member(TeamFactory(), Role.VIEWER))

    page = client.get(reverse("overview"))

    assert page.status_code == 500
    assert f"{timezone.now():%Y-%m-%d %H:}" in page.content.decode()
