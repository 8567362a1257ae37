from pathlib import Path

import pytest

from tlsrpt_portal.checks import check_settings


def ids():
    return [message.id for message in check_settings()]


def test_the_defaults_are_in_order(settings):
    settings.REDIS_URL = ""

    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SITE_URL", "tlsrpt.example.com", "portal.E001"),
        ("SITE_URL", "https://tlsrpt.example.com/portal", "portal.E001"),
        ("DNS_NAMESERVERS", ["dns.example.com"], "portal.E002"),
        ("DNS_NAMESERVERS", ["127.0.0.1:99999"], "portal.E002"),
        ("SITE_URL", "https://tlsrpt.example.com:port", "portal.E001"),
        ("SITE_URL", "https://tlsrpt.example.com:99999", "portal.E001"),
        ("PROBE_CA_FILE", "/nowhere/ca.pem", "portal.E003"),
        ("PROBE_CA_FILE", __file__, "portal.E003"),
        ("MAIL_LISTEN", "0.0.0.0", "portal.E004"),
        ("MAIL_LISTEN", "2525", "portal.E004"),
        ("MAIL_LISTEN", "0.0.0.0:99999", "portal.E004"),
        ("DATA_DIR", Path(__file__), "portal.E006"),
        ("MAIL_LISTEN", "0.0.0.0:2525", "portal.W002"),
        ("MAIL_ADDRESS", "reports.example.com", "portal.E005"),
    ],
)
def test_a_wrong_setting_is_named(settings, name, value, found):
    settings.REDIS_URL = ""
    setattr(settings, name, value)

    assert found in ids()


@pytest.mark.parametrize("server", ["127.0.0.1", "127.0.0.1:5353", "::1", "[::1]:53", "[::1]"])
def test_addresses_of_resolvers_are_understood(settings, server):
    settings.REDIS_URL = ""
    settings.DNS_NAMESERVERS = [server]

    assert ids() == []


def test_every_message_says_what_to_write(settings):
    settings.SITE_URL, settings.MAIL_LISTEN = "nowhere", "nowhere"

    assert all(message.hint for message in check_settings())


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("SECRET_KEY_FIEL", "SECRET_KEY_FILE"),
    ],
)
def test_a_misspelt_setting_is_told(settings, monkeypatch, name, meant):
    settings.REDIS_URL = ""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv(name, "x")
    monkeypatch.setenv("TEST_DATABASE_URL", "x")
    monkeypatch.setenv("CHECK_INTERVAL_HOURS_FILE", "/run/secrets/hours")

    [told] = check_settings()

    assert told.id == "portal.W004"
    assert told.msg.startswith(name)
    assert meant in told.hint
