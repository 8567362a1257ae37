"""Every setting the operator can make: declared once with type, default and help.

`docs/settings.md` and `.env.example` are rendered from this table and compared by a test.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


class Kind(StrEnum):
    """The types a setting can have, and how each is written."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105
    BOOLEAN = "true or false"
    INTEGER = "whole number"
    LIST = "comma-separated list"
    PATH = "path"
    URL = "URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: its name, type, default and what it is for."""

    name: str
    kind: Kind
    default: str
    help: str
    section: str
    choices: tuple[str, ...] = ()  # of a URL: its schemes; empty: any text
    between: tuple[int, int] = (0, 1_000_000_000)  # of a whole number


def _var(
    section: str,
    name: str,
    kind: Kind,
    default: str,
    help_text: str,
    *choices: str,
    between: tuple[int, int] = (0, 1_000_000_000),
) -> Variable:
    return Variable(
        name=name,
        kind=kind,
        default=default,
        help=help_text,
        section=section,
        choices=choices,
        between=between,
    )


VARIABLES: tuple[Variable, ...] = (
    _var(
        "Portal",
        "SITE_URL",
        Kind.URL,
        "http://localhost:8000",
        "The address people and reporters reach the portal at. With `https://`, cookies become "
        "secure, plain HTTP is redirected (the report intake excepted) and HSTS is sent.",
    ),
    _var(
        "Portal",
        "SECRET_KEY",
        Kind.SECRET,
        "",
        "Signs sessions and links and encrypts stored credentials. Made on the first start and "
        "kept in `DATA_DIR/secret_key` when empty. Web and workers must share it.",
    ),
    _var(
        "Portal",
        "ALLOWED_HOSTS",
        Kind.LIST,
        "",
        "Host names the portal answers to besides the one in `SITE_URL` and the loopback names. "
        "The names of hosted MTA-STS policies need not be listed.",
    ),
    _var(
        "Portal",
        "TRUSTED_PROXY",
        Kind.BOOLEAN,
        "false",
        "Believe `X-Forwarded-Proto` and `X-Forwarded-For` of the proxy in front. Set it to true "
        "only where every request comes through a proxy that sets both.",
    ),
    _var(
        "Portal",
        "DEMO",
        Kind.BOOLEAN,
        "false",
        "Fill an empty portal with a made-up fleet when `manage.py up` starts, and make up what "
        "checks of its domains see. `make demo` sets it.",
    ),
    _var("Portal", "DEBUG", Kind.BOOLEAN, "false", "Show tracebacks in the browser. Never public."),
    _var(
        "Portal",
        "LOG_LEVEL",
        Kind.TEXT,
        "INFO",
        "DEBUG, INFO, WARNING or ERROR.",
        "DEBUG",
        "INFO",
        "WARNING",
        "ERROR",
    ),
    _var(
        "Portal",
        "LOG_FORMAT",
        Kind.TEXT,
        "text",
        "`text` for people, `json` for a log collector.",
        "text",
        "json",
    ),
    _var(
        "Portal",
        "METRICS_TOKEN",
        Kind.SECRET,
        "",
        "Bearer token that `/metrics` asks for. Empty: `/metrics` answers loopback clients only.",
    ),
    _var(
        "Storage and work",
        "DATA_DIR",
        Kind.PATH,
        "data",
        "Folder for all files of the embedded mode: SQLite database, queue, secret key, locks. "
        "Relative paths start at the project's folder.",
    ),
    _var(
        "Storage and work",
        "STATIC_DIR",
        Kind.PATH,
        "",
        "Folder that `manage.py collectstatic` fills and the web server reads. Empty: `static` in "
        "`DATA_DIR`.",
    ),
    _var(
        "Storage and work",
        "DATABASE_URL",
        Kind.URL,
        "",
        "`postgres://user:password@host:5432/name`. Empty: SQLite in `DATA_DIR`.",
        "postgres",
        "postgresql",
        "psql",
        "pgsql",
        "sqlite",
    ),
    _var(
        "Storage and work",
        "REDIS_URL",
        Kind.URL,
        "",
        "`redis://host:6379/0`: Celery's broker and the shared cache. Empty: a queue of files in "
        "`DATA_DIR`, for one machine.",
        "redis",
        "rediss",
    ),
    _var(
        "Storage and work",
        "WORKER_PROCESSES",
        Kind.INTEGER,
        "2",
        "Processes of one Celery worker.",
        between=(1, 1000),
    ),
    _var(
        "Mail out",
        "EMAIL_URL",
        Kind.URL,
        "consolemail://",
        "How alerts leave: `smtp://user:password@host:25`, `smtp+tls://…:587` (STARTTLS), "
        "`smtp+ssl://…:465`, or `consolemail://` to print mails in the worker's log.",
        "smtp",
        "smtp+tls",
        "smtps",
        "smtp+ssl",
        "consolemail",
        "filemail",
        "memorymail",
        "dummymail",
    ),
    _var(
        "Mail out",
        "EMAIL_FROM",
        Kind.TEXT,
        "TLS-RPT Portal <tlsrpt-portal@localhost>",
        "Sender of alerts and of links for a new password.",
    ),
    _var(
        "Checks",
        "DNS_NAMESERVERS",
        Kind.LIST,
        "",
        "Resolvers as `ip[:port]` or `[ipv6]:port`. Empty: the system's. DANE needs a "
        "DNSSEC-validating resolver over a trusted path, best on this machine.",
    ),
    _var(
        "Checks",
        "PROBE_PRIVATE_ADDRESSES",
        Kind.BOOLEAN,
        "false",
        "Let checks connect to private and loopback addresses: for internal zones and tests.",
    ),
    _var(
        "Checks",
        "PROBE_CA_FILE",
        Kind.PATH,
        "",
        "PEM file of authorities to trust besides the system's.",
    ),
    _var(
        "Checks",
        "PROBE_STARTTLS",
        Kind.BOOLEAN,
        "false",
        "Also connect to each MX on port 25 and look at its certificate. Set it to true where "
        "port 25 is open to the outside.",
    ),
    _var(
        "Checks",
        "CHECK_INTERVAL_HOURS",
        Kind.INTEGER,
        "12",
        "Hours between two checks of a domain that has no interval of its own.",
        between=(1, 8760),
    ),
    _var(
        "Reports in",
        "MAIL_LISTEN",
        Kind.TEXT,
        "",
        "`host:port` of the built-in mail receiver. Empty: none.",
    ),
    _var(
        "Reports in",
        "MAIL_ADDRESS",
        Kind.TEXT,
        "",
        "The one address reports for all domains are sent to (`tlsrpt@reports.example.com`). Its "
        "domain also takes mail for each intake, as `<key>@…`. It appears in the DNS records "
        "that the portal proposes.",
    ),
    _var(
        "Reports in",
        "INTAKE_MAX_MEGABYTES",
        Kind.INTEGER,
        "10",
        "Largest report accepted, as received (compressed). RFC 8460 section 5.2 names 10 MB.",
        between=(1, 1024),
    ),
    _var(
        "Reports in",
        "INTAKE_PER_MINUTE",
        Kind.INTEGER,
        "60000",
        "Reports a minute that one HTTPS intake takes before it answers 429.",
        between=(1, 1_000_000_000),
    ),
    _var(
        "Reports in",
        "REPORT_MAX_MEGABYTES",
        Kind.INTEGER,
        "20",
        "Largest report after unpacking.",
        between=(1, 1024),
    ),
    _var(
        "Reports in",
        "REPORT_TRUST",
        Kind.TEXT,
        "any",
        "Which reports count without a person's word: `any`; `signed-mail` holds back mail without "
        "a valid signature of its reporter; `signed-only` holds back HTTPS posts too, which "
        "nobody signs. What is held back waits in the inbox.",
        "any",
        "signed-mail",
        "signed-only",
    ),
    _var(
        "Retention",
        "KEEP_RAW_DAYS",
        Kind.INTEGER,
        "400",
        "Days to keep received bytes. 0: for ever.",
        between=(0, 36_500),
    ),
    _var(
        "Retention",
        "KEEP_REPORT_DAYS",
        Kind.INTEGER,
        "400",
        "Days to keep report rows. 0: for ever.",
        between=(0, 36_500),
    ),
    _var(
        "Retention",
        "KEEP_ROLLUP_DAYS",
        Kind.INTEGER,
        "1830",
        "Days to keep the daily figures behind the charts. 0: for ever.",
        between=(0, 36_500),
    ),
)

BY_NAME = {variable.name: variable for variable in VARIABLES}

# django-environ reads NAME_FILE where it is set: a secret then never stands in the environment.
_env = environ.FileAwareEnv()


def _read_boolean(name: str, raw: str) -> bool:
    if raw.lower() in {"true", "yes", "on", "1"}:
        return True
    if raw.lower() in {"false", "no", "off", "0"}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r} is neither true nor false. Write {name}=true.")


def _read_integer(name: str, raw: str) -> int:
    if not raw.isascii() or not raw.isdecimal():
        raise ImproperlyConfigured(
            f"{name}={raw!r} is not a whole number. Write for example "
            f"{name}={BY_NAME[name].default}."
        )
    low, high = BY_NAME[name].between
    if not low <= int(raw) <= high:
        raise ImproperlyConfigured(
            f"{name}={raw} is not between {low} and {high}. "
            f"Write for example {name}={BY_NAME[name].default}."
        )
    return int(raw)


def _read_url(name: str, raw: str) -> str:
    # A URL may hold a password: messages show its scheme alone.
    scheme, mark, _ = raw.partition("://")
    schemes = BY_NAME[name].choices
    if raw and schemes and not (mark and scheme in schemes):
        begins = f"begins with {scheme}://" if mark else "has no scheme"
        raise ImproperlyConfigured(
            f"{name} {begins}. Begin it with one of: {', '.join(f'{one}://' for one in schemes)}."
        )
    return raw


def _read_list(name: str, raw: str) -> list[str]:
    return [item.strip() for item in raw.split(",") if item.strip()]


def _read_path(name: str, raw: str) -> Path | None:
    return (BASE_DIR / Path(raw).expanduser()) if raw else None


def _read_text(name: str, raw: str) -> str:
    return raw


_READERS: dict[Kind, Callable[[str, str], Any]] = {
    Kind.BOOLEAN: _read_boolean,
    Kind.INTEGER: _read_integer,
    Kind.LIST: _read_list,
    Kind.PATH: _read_path,
    Kind.URL: _read_url,
}


def load_dotenv() -> None:
    """Add what `.env` in the project's folder sets; the real environment wins."""
    path = Path(os.environ.get("DOTENV", BASE_DIR / ".env"))
    if path.is_file():
        environ.Env.read_env(str(path))


def read(name: str) -> Any:
    """Give a declared variable's value in its type, or its default where it is empty or not set.

    Raises ImproperlyConfigured, saying what to type, for a value that does not fit.
    """
    variable = BY_NAME[name]
    try:
        raw = _env.str(name, default="").strip() or variable.default
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{name}_FILE={os.environ.get(f'{name}_FILE')} cannot be read ({error}). "
            f"Give the path of a text file, or remove {name}_FILE."
        ) from error
    if variable.kind is Kind.TEXT and variable.choices and raw not in variable.choices:
        raise ImproperlyConfigured(
            f"{name}={raw!r} is none of {', '.join(variable.choices)}. "
            f"Write for example {name}={variable.default}."
        )
    return _READERS.get(variable.kind, _read_text)(name, raw)


def read_database(data_dir: Path) -> dict[str, Any]:
    """Give Django's DATABASES entry for DATABASE_URL, tuned for the engine."""
    url = read("DATABASE_URL") or f"sqlite:///{data_dir / 'portal.sqlite3'}"
    config = _split_url("DATABASE_URL", url, _env.db_url_config)
    options = config.setdefault("OPTIONS", {})
    if config["ENGINE"] == "django.db.backends.sqlite3":
        # Writers take the lock when they begin, so they queue instead of failing half-way.
        options["transaction_mode"] = "IMMEDIATE"
        options["timeout"] = 30
        options["init_command"] = (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32000; "
            "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456"
        )
    else:
        config["CONN_HEALTH_CHECKS"] = True
        # Compiling a query costs more than any page's query takes, what a page adds up is to fit
        # into memory, and databases are not on turning disks any more: a few thousand rows by key
        # are less than a whole table. What the URL says comes last, and so counts.
        ours = "-c jit=off -c work_mem=32MB -c random_page_cost=1.1"
        options["options"] = f"{ours} {options.get('options', '')}".strip()
    # On SQLite too: the last connection to close moves the whole write-ahead log, and opening
    # one for each request costs more than most requests do.
    config["CONN_MAX_AGE"] = 60
    return config


def read_email() -> dict[str, Any]:
    """Give Django's EMAIL_* settings for EMAIL_URL."""
    return _split_url("EMAIL_URL", read("EMAIL_URL"), _env.email_url_config)


def _split_url(name: str, url: str, split: Callable[[str], Mapping[str, Any]]) -> dict[str, Any]:
    try:
        return dict(split(url))
    except ValueError as error:
        # Not the error's own words: they may repeat a part of the password.
        raise ImproperlyConfigured(
            f"{name} cannot be split into user, password, host and port. Write the port as a "
            "number, and odd characters of the password as %23 for #, %2F for / and so on."
        ) from error


def read_secret_key(data_dir: Path) -> str:
    """Give SECRET_KEY, or the one kept in the data folder, made on the first call."""
    if key := read("SECRET_KEY"):
        return str(key)
    path = data_dir / "secret_key"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # O_EXCL: of several processes that start together, one makes the key and all read it.
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass  # or DATA_DIR is a file, which reading finds
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is empty and {path} cannot be written ({error.strerror}). "
            "Set SECRET_KEY, or DATA_DIR to a folder that can be written."
        ) from error
    else:
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(50))
    try:
        key = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"SECRET_KEY is empty and {path} cannot be read ({error.strerror}). "
            "Give this process's user the file, or set SECRET_KEY or another DATA_DIR."
        ) from error
    if len(key) < 50:
        raise ImproperlyConfigured(f"{path} is damaged. Delete it and start again.")
    return key


def render_markdown() -> str:
    """Give the text of `docs/settings.md`."""
    lines = [
        "# Settings",
        "",
        "Environment variables, or lines of `.env` in the project's folder; the environment wins.",
        "Each can be given as a file instead: `NAME_FILE=/run/secrets/name` reads that file.",
        "An empty value means the default.",
    ]
    section = ""
    for variable in VARIABLES:
        if variable.section != section:
            section = variable.section
            lines += ["", f"## {section}", "", "| name | type | default | what it does |"]
            lines += ["|---|---|---|---|"]
        default = f"`{variable.default}`" if variable.default else ""
        row = (f"`{variable.name}`", variable.kind.value, default, variable.help)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines) + "\n"


def render_example() -> str:
    """Give the text of `.env.example`."""
    lines = ["# Copy to .env and uncomment what you change. All settings: docs/settings.md"]
    section = ""
    for variable in VARIABLES:
        if variable.section != section:
            section = variable.section
            lines += ["", f"# --- {section}"]
        lines += ["", f"# {variable.help}", f"#{variable.name}={variable.default}"]
    return "\n".join(lines) + "\n"
