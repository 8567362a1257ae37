"""All benchmarks, as one table: `make bench`.

Each runs in processes of its own, makes its own input and checks its own totals. On PostgreSQL
too, in a database of its own, where TEST_DATABASE_URL names a server.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Run one after the other, so that none disturbs another, and print the table."""
    table = Table(title=f"Measured on {os.cpu_count()} cores")
    for heading in ("what", "input", "rate", "more"):
        table.add_column(heading)
    for row in (*checks(), *ingest(), *intake(), *pages()):
        table.add_row(*row)
        print(" · ".join(row), file=sys.stderr)
    # Wide enough in a pipe too: a table that wraps cannot be compared.
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def checks() -> Iterator[tuple[str, str, str, str]]:
    """Measure checks behind a resolver 30 ms away, for a small and a large fleet."""
    for domains in (10_000, 100_000):
        found = run("bench/checks.py", "--domains", str(domains))
        yield (
            "checks: TLSRPT, MTA-STS, policy, MX",
            f"{domains:,} domains, 30 ms to the resolver",
            f"{found['per_second']:,} domains/s",
            f"{found['peak_mb']} MB, {found['cpu_ms_each']} ms of CPU each",
        )


def ingest() -> Iterator[tuple[str, str, str, str]]:
    """Measure mails on disk to committed rows and daily figures."""
    mails = 10_000
    found = [run("bench/ingest.py", "--mails", str(mails))]
    if server := os.environ.get("TEST_DATABASE_URL"):
        with empty_database(server) as url:
            found.append(run("bench/ingest.py", "--mails", str(mails), DATABASE_URL=url))
    for one in found:
        yield (
            f"ingest: mails to rows, {one['database']}",
            f"{mails:,} mails",
            f"{one['per_second']:,} mails/s",
            "totals exact",
        )


def intake() -> Iterator[tuple[str, str, str, str]]:
    """Measure durable POSTs: as fast as they go, and at a steady 500 a second."""
    with running_portal() as url:
        for label, options in (("flat out", ()), ("steady", ("--rate", "500"))):
            found = run("bench/intake.py", url, "--posts", "5000", *options)
            if set(found["statuses"]) != {"201"}:
                raise SystemExit(f"The intake answered {found['statuses']}.")
            yield (
                f"intake: durable POSTs, SQLite, {label}",
                "5,000 reports, 8 connections",
                f"{found['per_second']:,} POSTs/s",
                f"p50 {found['p50_ms']} ms, p99 {found['p99_ms']} ms",
            )


def pages() -> Iterator[tuple[str, str, str, str]]:
    """Measure every page on a small fleet; `bench/pages.py` alone measures a large one."""
    if server := os.environ.get("TEST_DATABASE_URL"):
        size = ("--domains=2000", "--days=90", "--report-days=3", "--repeat=10")
        with empty_database(server) as url:
            found = run("bench/pages.py", *size, DATABASE_URL=url)
        yield (
            f"pages: {len(found['pages'])} as two people, PostgreSQL, a small fleet",
            f"{found['domains']:,} domains, {found['daily_rows']:,} daily figures",
            f"slowest p95 {found['worst_p95_ms']:.0f} ms",
            f"{found['worst']}, {len(found['slow'])} over the target",
        )


def run(script: str, *arguments: str, **env: str) -> dict[str, Any]:
    """Run one benchmark and give the figures of its last line."""
    done = subprocess.run(
        [sys.executable, script, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """Make a database beside the one that is named, and drop it afterwards."""
    name = f"tlsrpt_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def running_portal() -> Iterator[str]:
    """Run the portal in a folder of its own; give the address of an intake."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "DATA_DIR": folder, "DATABASE_URL": "", "REDIS_URL": ""}
        env |= {"DOTENV": os.devnull, "INTAKE_PER_MINUTE": "1000000"}
        manage = [sys.executable, str(ROOT / "manage.py")]
        portal = subprocess.Popen(
            [*manage, "up", "--port", str(port)],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/readyz")
            path = subprocess.run(
                [*manage, "createintake", "Bench"],
                env=env,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout.split()[-1]
            yield f"http://127.0.0.1:{port}{path}"
        finally:
            portal.terminate()
            portal.wait(timeout=30)


def wait_until_ready(url: str) -> None:
    """Return when the portal answers 200 there."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{url} did not answer within a minute.")


if __name__ == "__main__":
    main()
