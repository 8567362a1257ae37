"""`manage.py importdomains`: fill the inventory from a file or a pipe."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from accounts.audit import acting_as
from domains.models import ImportOutcome
from domains.services.import_domains import (
    LineResult,
    Sent,
    UnreadableTable,
    import_in_batches,
    read_table,
)
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Import domains."""

    help = (
        "Reads domains from CSV, XLSX or plain lines; columns domain, team, owner, tags. Prints "
        "what became of each line; a bad line stops no good one."
    )
    example = "manage.py importdomains domains.csv --team Mail"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", metavar="FILE|-", help="the file, or - for standard input")
        parser.add_argument("--team", help="team of lines that name none; made if it is new")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(
        self, *, file: str, team: str | None, dry_run: bool, json: bool, **options: Any
    ) -> None:
        """Import, and end 1 where nothing could be taken."""
        sent = _read(file)
        for note in sent.notes:
            self.stderr.write(note)
        rows = [replace(row, team=row.team or team) for row in sent]
        rejected = 0
        with acting_as(None, "command", name="importdomains"):
            for results in import_in_batches(rows, None, dry_run=dry_run):
                for result in results:
                    self.stdout.write(_as_json(result) if json else _as_text(result))
                rejected += sum(one.outcome is ImportOutcome.REJECTED for one in results)
        if rejected:
            self.stderr.write(f"{rejected} of {len(rows)} lines were rejected.")
        if rows and rejected == len(rows):
            raise CommandError("No line could be taken.")


def _read(file: str) -> Sent:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return read_table(file, data)
    except OSError as error:
        raise CommandError(f"{file} could not be read: {error.strerror}.") from error
    except UnreadableTable as error:
        raise CommandError(f"{file}: {error}") from error


def _as_json(result: LineResult) -> str:
    return json.dumps(result.as_dict(), ensure_ascii=False)


def _as_text(result: LineResult) -> str:
    reason = f"  {result.reason}" if result.reason else ""
    return f"{result.outcome.value:<8}  {result.domain}{reason}"
