"""`manage.py applyretention`: what has served its time goes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from reports.services.apply_retention import apply_retention
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Delete what is older than KEEP_RAW_DAYS, KEEP_REPORT_DAYS and KEEP_ROLLUP_DAYS."""

    help = (
        "Deletes what is older than KEEP_RAW_DAYS, KEEP_REPORT_DAYS and KEEP_ROLLUP_DAYS.\n"
        "It also happens every night."
    )
    example = "manage.py applyretention --dry-run"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--dry-run", action="store_true", help="count, delete nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        removed = apply_retention(dry_run=options["dry_run"])
        verb = "would remove" if options["dry_run"] else "removed"
        self.stdout.write(f"{verb} " + ", ".join(f"{n} {what}" for what, n in removed.items()))
