"""`manage.py checkdomain`: check live, store nothing, need no database."""

from __future__ import annotations

import io
import json
import ssl
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from domains.posture_text import render_posture
from mailtls.catalogue import describe
from mailtls.names import parse_domain
from mailtls.posture import Posture, judge
from prober import Options, Request, parse_nameserver, run_checks
from webui.commands import PortalCommand, number_up_to

_DEFAULT_CONCURRENCY = 200
_MAX_CONCURRENCY = 2000
# What a shell reports for a program ended by Ctrl-C: 128 and the number of SIGINT.
_STOPPED = 130


class Command(PortalCommand):
    """Check mail domains from the command line."""

    help = (
        "Checks TLS-RPT, MTA-STS, MX and DANE of mail domains, live. Stores nothing.\n\n"
        "Results go to standard output, as each domain is done; names that cannot be checked\n"
        "are told on standard error."
    )
    example = (
        "manage.py checkdomain example.com\n"
        "  manage.py checkdomain --file domains.txt --json > verdicts.jsonl"
    )
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("names", nargs="*", metavar="NAME", help="a mail domain")
        parser.add_argument(
            "--file", metavar="LIST", help="a file with one name a line, - for standard input"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--with-starttls", action="store_true", help="visit the MX hosts on port 25 as well"
        )
        parser.add_argument(
            "--concurrency",
            type=number_up_to(_MAX_CONCURRENCY),
            default=_DEFAULT_CONCURRENCY,
            metavar="N",
            help=f"domains at a time (default {_DEFAULT_CONCURRENCY})",
        )

    def handle(self, **options: Any) -> None:
        """Check every name, and say what is wrong with those that are none."""
        names, list_name = options["names"], options["file"]
        if not names and list_name is None:
            raise CommandError("Give a NAME or --file LIST.", returncode=2)
        sources: list[tuple[int | None, str]] = [(None, name) for name in names]
        if list_name is not None:
            sources += self._read_list(list_name)
        domains = self._read_names(sources)
        if not domains:
            # Wrong on the command line is a bad argument; a list without a name is lost work.
            raise CommandError("There is no name to check.", returncode=2 if names else 1)
        try:
            self._check(domains, options)
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=_STOPPED) from None
        except BrokenPipeError:
            # The reader (head, for one) has had enough. Python would complain at exit.
            sys.stdout = io.StringIO()

    def _check(self, domains: list[str], options: dict[str, Any]) -> None:
        requests = (Request(domain, options["with_starttls"]) for domain in domains)
        observations = run_checks(requests, _read_options(options["concurrency"]))
        with self._progress(len(domains)) as advance:
            for observed in observations:
                posture = judge(observed, datetime.now(UTC))
                if options["json"]:
                    self.stdout.write(json.dumps(posture.as_dict()))
                else:
                    self.stdout.write(self._present(posture, options), ending="")
                self.stdout.flush()
                advance()

    def _present(self, posture: Posture, options: dict[str, Any]) -> str:
        console = Console(
            file=io.StringIO(),
            force_terminal=options.get("force_color") or self.stdout.isatty(),
            no_color=options.get("no_color"),
        )
        with console.capture() as capture:
            console.print(render_posture(posture))
        return capture.get()

    @contextmanager
    def _progress(self, total: int) -> Iterator[Any]:
        """Show a bar on a terminal that the results do not go to; else nothing."""
        if not self.stderr.isatty() or self.stdout.isatty():
            yield lambda: None
            return
        columns = (SpinnerColumn(), TextColumn("checking"), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("", total=total)
            yield lambda: progress.advance(task)

    def _read_list(self, list_name: str) -> list[tuple[int | None, str]]:
        try:
            if list_name == "-":
                text = sys.stdin.read()
            else:
                text = Path(list_name).read_text(encoding="utf-8-sig", errors="replace")
        except OSError as error:
            raise CommandError(f"{list_name} cannot be read: {error}") from error
        lines = enumerate(text.splitlines(), 1)
        return [
            (number, line.strip())
            for number, line in lines
            if line.strip() and not line.lstrip().startswith("#")
        ]

    def _read_names(self, sources: list[tuple[int | None, str]]) -> list[str]:
        """Give the names in their A-label form, each once; the others are told and left out."""
        domains: dict[str, None] = {}
        for number, text in sources:
            parsed = parse_domain(text)
            if parsed.value is None:
                words = describe(parsed.findings[0])
                place = f"line {number}: " if number is not None else ""
                self.stderr.write(f"{place}{words.title}. {words.remedy}")
            else:
                domains[parsed.value] = None
        return list(domains)


def _read_options(concurrency: int) -> Options:
    for server in settings.DNS_NAMESERVERS:
        try:
            parse_nameserver(server)
        except ValueError as error:
            raise CommandError(f"DNS_NAMESERVERS: {error}") from error
    ca_file = settings.PROBE_CA_FILE or None
    if ca_file is not None and not Path(ca_file).is_file():
        raise CommandError(f"PROBE_CA_FILE: there is no file {ca_file}.")
    if ca_file is not None:
        # Else our own mistake would be told as a broken policy host, domain after domain.
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=ca_file)
        except OSError as error:
            raise CommandError(
                f"PROBE_CA_FILE: {ca_file} holds no certificates in PEM form ({error})."
            ) from error
    return Options(
        nameservers=tuple(settings.DNS_NAMESERVERS),
        allow_private_addresses=settings.PROBE_PRIVATE_ADDRESSES,
        ca_file=ca_file,
        concurrency=concurrency,
    )
