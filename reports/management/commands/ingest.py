"""`manage.py ingest`: reports from files and folders, now and in this process."""

from __future__ import annotations

import io
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, ProgrammingError
from rich.console import Console
from rich.progress import Progress

from mailtls.report import PolicyResult, PolicyType
from mailtls.report.notes import FILE_UNREADABLE
from reports.models import Outcome
from reports.services.ingest import Ingested, ingest
from reports.services.process import current_limits
from reports.services.store import Stored
from reports.sources import Item, find_items
from webui.commands import number_up_to

_MOST_PROCESSES = 64

_SUMMARY = {
    "accepted": Outcome.ACCEPTED,
    "duplicates": Outcome.DUPLICATE,
    "rejected": Outcome.REJECTED,
    "not_reports": Outcome.NOT_A_REPORT,
}


class Command(BaseCommand):
    """Take in reports: JSON, gzip, zip, mail, mbox, Maildir."""

    help = (
        "Take in reports from files and folders: JSON, gzip, zip, mail, mbox, Maildir. "
        "Start a run that was stopped again: nothing is counted twice. "
        "Example: manage.py ingest ~/Maildir/.tlsrpt old-reports.mbox"
    )

    # They import every page of the portal, which takes longer than reading a thousand reports.
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--dry-run", action="store_true", help="read and say, store nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")
        parser.add_argument(
            "--processes",
            type=number_up_to(_MOST_PROCESSES),
            default=min(2, os.cpu_count() or 1),
            help="how many processes read while this one writes (default: %(default)s)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        for path in options["paths"]:
            if not path.exists():
                raise CommandError(f"There is no file or folder {path}.", returncode=2)
        limits = current_limits()
        most = max(limits.mail_bytes, limits.inflated_bytes)
        items = find_items(options["paths"], max_bytes=most)
        counts: Counter[str] = Counter()
        try:
            for done in ingest(
                self._with_progress(items),
                dry_run=options["dry_run"],
                processes=options["processes"],
            ):
                self._report(done, counts, as_json=options["json"])
            self._sum_up(counts, as_json=options["json"])
        except BrokenPipeError as error:
            # Python would complain once more when it flushes at exit.
            sys.stdout = io.StringIO()
            raise CommandError(
                "Stopped: nobody reads the output. What was stored stays."
            ) from error
        except ProgrammingError as error:
            raise _stop(error, "run `manage.py migrate`, then it again") from error
        except (DatabaseError, OSError) as error:
            is_unmigrated = "no such table" in str(error) or "has no column" in str(error)
            remedy = "run `manage.py migrate`, then it again" if is_unmigrated else "run it again"
            raise _stop(error, remedy) from error

    def _with_progress(self, items: Iterator[Item]) -> Iterator[Item]:
        if not sys.stderr.isatty():
            yield from items
            return
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("reading", total=None)
            for item in items:
                yield item
                progress.advance(task)

    def _report(self, done: Ingested, counts: Counter[str], *, as_json: bool) -> None:
        counts["files"] += 1
        if done.problem:
            counts[Outcome.REJECTED] += 1
            self._write_problem(done, as_json=as_json)
        for one in done.documents:
            counts[one.outcome] += 1
            if as_json:
                self.stdout.write(json.dumps(_as_dict(done.name, one)))
            else:
                self.stdout.write(_as_line(done.name, one))

    def _write_problem(self, done: Ingested, *, as_json: bool) -> None:
        if as_json:
            line = {
                **_NO_REPORT,
                "file": done.name,
                "status": "rejected",
                "code": FILE_UNREADABLE,
            }
            self.stdout.write(json.dumps(line))
        else:
            self.stdout.write(f"rejected      {done.name}: {done.problem}")

    def _sum_up(self, counts: Counter[str], *, as_json: bool) -> None:
        summary = {"files": counts["files"], **{key: counts[of] for key, of in _SUMMARY.items()}}
        if as_json:
            self.stdout.write(json.dumps({"summary": summary}))
        else:
            text = ", ".join(f"{count} {key.replace('_', ' ')}" for key, count in summary.items())
            self.stdout.write(text)


def _stop(error: Exception, remedy: str) -> CommandError:
    reason = " ".join(str(error).split())
    return CommandError(f"Stopped: {reason}. What was stored stays; {remedy}.")


_NO_REPORT: dict[str, Any] = {
    "file": "",
    "status": "",
    "code": None,
    "organization": None,
    "report_id": None,
    "start": None,
    "end": None,
    "trust": None,
    "warnings": [],
    "policies": [],
}


def _as_dict(name: str, one: Stored) -> dict[str, Any]:
    document = one.document
    # Also what is merely informative, such as details that do not add up to the total.
    warnings = [note.code for note in document.notes]
    if document.reason is not None and document.reason.code in warnings:
        warnings.remove(document.reason.code)
    line = {
        **_NO_REPORT,
        "file": name,
        "status": one.outcome.value,
        "code": one.reason.code if one.reason else None,
        "trust": one.trust.value,
        "warnings": [*warnings, *one.extra_warnings],
    }
    report = document.report
    if report is not None:
        line |= {
            "organization": report.organization_name,
            "report_id": report.report_id,
            "start": _as_text(report.start_at),
            "end": _as_text(report.end_at),
            "policies": [_policy_as_dict(policy) for policy in report.policies],
        }
    return line


def _policy_as_dict(policy: PolicyResult) -> dict[str, Any]:
    is_known = policy.policy_type is not PolicyType.OTHER
    return {
        "type": policy.policy_type.value if is_known else policy.policy_type_raw,
        "domain": policy.policy_domain or None,
        "successes": policy.successes,
        "failures": policy.failures,
        "failure_details": [
            {"result_type": detail.result_type, "failed_sessions": detail.failed_sessions}
            for detail in policy.details
        ],
    }


def _as_text(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


def _as_line(name: str, one: Stored) -> str:
    document = one.document
    reason = one.reason.code if one.reason else ""
    if document.report is not None:
        about = f"{document.report.organization_name} {document.report.report_id} {reason}".rstrip()
    else:
        about = reason
    # Names come from outside: no control character may reach the terminal.
    about = "".join(char if char.isprintable() else "?" for char in about)
    return f"{one.outcome.value:<13} {name}: {about}"
