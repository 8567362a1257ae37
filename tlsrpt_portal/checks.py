"""System checks: what is wrong with the settings, and what to type instead."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from prober.options import parse_nameserver
from reports.channels.listen import read_listen
from tlsrpt_portal import env

# So alike are a name and its misspelling: one letter of eight is wrong.
_ALIKE = 0.87


@register(Tags.compatibility)
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Give what is wrong; each message names the setting and a value that works."""
    return [
        *_check_names(),
        *_check_site(),
        *_check_probe(),
        *_check_mail(),
        *_check_storage(),
    ]


def _check_names() -> Iterator[CheckMessage]:
    """Find misspelt settings: each would be passed over, and its default be used."""
    read = {*env.BY_NAME, *(f"{name}_FILE" for name in env.BY_NAME)}
    for name in sorted(set(os.environ) - read):
        for meant in get_close_matches(name, read - set(os.environ), n=1, cutoff=_ALIKE):
            yield Warning(
                f"{name} is no setting, and nothing reads it.",
                hint=f"Write {meant}, if that is meant.",
                id="portal.W004",
            )


def _check_site() -> Iterator[CheckMessage]:
    site = urlsplit(settings.SITE_URL)
    try:
        has_port_fault = site.port == 0
    except ValueError:  # no number, or too large
        has_port_fault = True
    if site.scheme not in {"http", "https"} or not site.hostname or site.path or has_port_fault:
        yield Error(
            f"SITE_URL={settings.SITE_URL!r} is no address of a site.",
            hint="Write the scheme and the host alone: SITE_URL=https://tlsrpt.example.com",
            id="portal.E001",
        )
    if settings.DEBUG and site.scheme == "https":
        yield Warning(
            "DEBUG=true shows tracebacks with settings to everybody.",
            hint="Remove DEBUG, or write DEBUG=false.",
            id="portal.W001",
        )


def _check_probe() -> Iterator[CheckMessage]:
    for server in settings.DNS_NAMESERVERS:
        if not _is_endpoint(server):
            yield Error(
                f"DNS_NAMESERVERS has {server!r}, which is no address.",
                hint="Write addresses, not names: DNS_NAMESERVERS=127.0.0.1,[2001:db8::1]:53",
                id="portal.E002",
            )
    if settings.PROBE_CA_FILE:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(settings.PROBE_CA_FILE)
        except OSError as error:  # SSLError is one: a file without a certificate
            yield Error(
                f"PROBE_CA_FILE={settings.PROBE_CA_FILE} gives no authority ({error}).",
                hint="Give the path of a PEM file, or remove PROBE_CA_FILE.",
                id="portal.E003",
            )


def _check_mail() -> Iterator[CheckMessage]:
    listen = settings.MAIL_LISTEN
    if listen and read_listen(listen) is None:
        yield Error(
            f"MAIL_LISTEN={listen!r} is no host and port.",
            hint="Write host and port: MAIL_LISTEN=0.0.0.0:2525",
            id="portal.E004",
        )
    if settings.MAIL_ADDRESS:
        try:
            validate_email(settings.MAIL_ADDRESS)
        except ValidationError:
            yield Error(
                f"MAIL_ADDRESS={settings.MAIL_ADDRESS!r} is no e-mail address.",
                hint="Write for example MAIL_ADDRESS=tlsrpt@reports.example.com",
                id="portal.E005",
            )
    elif listen:
        yield Warning(
            "MAIL_LISTEN is set, but no MAIL_ADDRESS: the receiver takes mail for intakes only.",
            hint="Write for example MAIL_ADDRESS=tlsrpt@reports.example.com",
            id="portal.W002",
        )


def _check_storage() -> Iterator[CheckMessage]:
    folder: Path = settings.DATA_DIR
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        yield Error(
            f"DATA_DIR={folder} cannot be written.",
            hint="Give the process's user the folder, or set DATA_DIR to another one.",
            id="portal.E006",
        )
    engine = settings.DATABASES["default"]["ENGINE"]
    if settings.REDIS_URL and engine.endswith("sqlite3"):
        yield Warning(
            "Redis is set, but the database is SQLite: several machines cannot share it.",
            hint="Write DATABASE_URL=postgres://user:password@host:5432/name",
            id="portal.W003",
        )


def _is_endpoint(text: str) -> bool:
    try:
        parse_nameserver(text)
    except ValueError:
        return False
    return True
