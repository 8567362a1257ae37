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


@pytest.mark.parametrize(
    ("name", "raw", "told"),
    [
        ("LOG_LEVEL", "verbose", "LOG_LEVEL=INFO"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT=text"),
        ("WORKER_PROCESSES", "0", "between 1 and 1000"),
        ("CHECK_INTERVAL_HOURS", "0", "CHECK_INTERVAL_HOURS=12"),
        ("KEEP_RAW_DAYS", "99999999999", "between 0 and 36500"),
        ("DATABASE_URL", "db.example.com:5432/portal", "DATABASE_URL has no scheme"),
        ("DATABASE_URL", "mysql://me:hidden@db/portal", "begins with mysql://.*postgres://"),
        ("REDIS_URL", "http://:hidden@redis:6379", "begins with http://.*redis://"),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL has no scheme.*smtp://"),
    ],
)
def test_a_value_that_cannot_work_says_what_to_write(monkeypatch, name, raw, told):
    monkeypatch.setenv(name, raw)

    with pytest.raises(ImproperlyConfigured, match=told) as refused:
        env.read(name)

    assert "hidden" not in str(refused.value)


def test_an_address_that_cannot_be_split_is_named_without_its_password(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgres://me:secret@db:hidden/portal")
    monkeypatch.setenv("EMAIL_URL", "smtp://me:secret@mail.example.com:hidden")

    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL cannot be split") as database:
        env.read_database(tmp_path)
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL cannot be split") as email:
        env.read_email()

    assert "hidden" not in f"{database.value}{email.value}"


@pytest.mark.parametrize("name", ["DATA_DIR", "DEBUG", "WORKER_PROCESSES", "REPORT_TRUST"])
def test_an_empty_value_means_the_default(monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    default = env.read(name)
    monkeypatch.setenv(name, "")

    assert env.read(name) == default


def test_a_list_drops_blanks(monkeypatch):
    monkeypatch.setenv("DNS_NAMESERVERS", " 127.0.0.1:53, ,[::1]:53 ")

    assert env.read("DNS_NAMESERVERS") == ["127.0.0.1:53", "[::1]:53"]


def test_a_secret_is_read_from_the_file_that_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "token"))

    assert env.read("METRICS_TOKEN") == "from-a-file"


def test_a_file_of_a_setting_that_cannot_be_read_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("EMAIL_FROM_FILE", str(tmp_path / "nothing"))

    with pytest.raises(ImproperlyConfigured, match=r"EMAIL_FROM_FILE=.*nothing cannot"):
        env.read("EMAIL_FROM")


def test_a_data_folder_that_is_a_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("SECRET_KEY", "")
    (tmp_path / "data").touch()

    with pytest.raises(ImproperlyConfigured, match="another DATA_DIR"):
        env.read_secret_key(tmp_path / "data")


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
