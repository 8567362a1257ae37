"""`manage.py rebuildrollups`: daily figures made anew from the rows, and sums from them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from reports.services.roll_up import mark_all_dirty, rebuild_sums, roll_up
from webui.commands import PortalCommand, read_day


class Command(PortalCommand):
    """Recompute the daily figures."""

    help = "Recomputes the daily figures from the stored reports. Harmless at any time."
    example = "manage.py rebuildrollups --since 2026-03-01"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--since", type=read_day, metavar="YYYY-MM-DD")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        mark_all_dirty(since=options["since"])
        recomputed = roll_up()
        rebuild_sums()
        self.stdout.write(f"recomputed {recomputed} days of domains")
