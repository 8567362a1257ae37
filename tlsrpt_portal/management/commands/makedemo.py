"""`manage.py makedemo`: fill an empty portal with the demo world."""

from __future__ import annotations

from typing import Any

from tlsrpt_portal.demo import build as demo
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Make the demo world."""

    help = (
        "Fills an empty portal with 40 made-up domains, 4 teams, 90 days of reports and a running "
        "incident, and prints the log-ins. The same every time, but for the password."
    )
    example = "DEMO=true DATA_DIR=data/demo manage.py makedemo"

    def handle(self, **options: Any) -> None:
        """Build, and say how to log in."""
        self.stdout.write(demo.log_ins())
