import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from tlsrpt_portal import env


def test_the_settings_page_is_the_rendered_one():
    written = (settings.BASE_DIR / "docs" / "settings.md").read_text()

    assert written == env.render_markdown()


def test_the_example_file_is_the_rendered_one():
    written = (settings.BASE_DIR / ".env.example").read_text()

    assert written == env.render_example()


@pytest.mark.parametrize(("raw", "value"), [("true", True), ("Yes", True), ("0", False)])
def test_a_boolean_is_read(monkeypatch, raw, value):
    monkeypatch.setenv("PROBE_STARTTLS", raw)

    assert env.read("PROBE_STARTTLS") is value


def test_a_boolean_that_is_none_says_what_to_write(monkeypatch):
    monkeypatch.setenv("PROBE_STARTTLS", "maybe")

    with pytest.raises(ImproperlyConfigured, match="PROBE_STARTTLS=true"):
        env.read("PROBE_STARTTLS")


@pytest.mark.parametrize("raw", ["-1", "1.5", "ten", "\u0661"])
def test_an_integer_that_is_none_is_refused(monkeypatch, raw):
    monkeypatch.setenv("WORKER_PROCESSES", raw)

    with pytest.raises(ImproperlyConfigured, match="WORKER_PROCESSES=2"):
        env.read("WORKER_PROCESSES")


def test_a_text_that_is_none_of_the_choices_is_refused(monkeypatch):
    monkeypatch.setenv("REPORT_TRUST", "signed")

    with pytest.raises(ImproperlyConfigured, match="REPORT_TRUST=any"):
        env.read("REPORT_TRUST")


def test_a_list_drops_blanks(monkeypatch):
    monkeypatch.setenv("DNS_NAMESERVERS", " 127.0.0.1:53, ,[::1]:53 ")

    assert env.read("DNS_NAMESERVERS") == ["127.0.0.1:53", "[::1]:53"]


def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "token"))

    assert env.read("METRICS_TOKEN") == "from-a-file"


def test_a_secret_key_is_made_once_and_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "")

    first = env.read_secret_key(tmp_path)
    second = env.read_secret_key(tmp_path)

    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_damaged_secret_key_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "")
    (tmp_path / "secret_key").write_text("short")

    with pytest.raises(ImproperlyConfigured, match="secret_key is damaged"):
        env.read_secret_key(tmp_path)


def test_a_wrong_setting_ends_a_command_with_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "PROBE_STARTTLS": "maybe",
            "DJANGO_SETTINGS_MODULE": "tlsrpt_portal.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "PROBE_STARTTLS='maybe' is neither true nor false. Write PROBE_STARTTLS=true."
    ]
