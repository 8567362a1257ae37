"""`manage.py runchecks`: check what is due, here and now."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from domains.models import Domain
from domains.services.run_checks import BATCH, claim_due, run_checks
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Run checks in this process."""

    help = "Checks the domains that are due, in this process, and stores what was seen."
    example = "manage.py runchecks --all"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--all", action="store_true", help="every watched domain, due or not")

    def handle(self, *, all: bool, **options: Any) -> None:  # noqa: A002
        """Check in batches until nothing is due."""
        if all:
            Domain.objects.active().update(next_check_at=timezone.now(), claimed_at=None)
        checked = changed = unknown = 0
        while ids := claim_due(limit=BATCH):
            recorded = run_checks(ids)
            checked += len(recorded)
            changed += sum(one.has_changed for one in recorded)
            unknown += sum(not one.is_known for one in recorded)
        self.stdout.write(
            f"{checked} domains checked: {changed} changed, {unknown} could not be fully seen"
        )
