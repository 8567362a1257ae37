"""`manage.py createintake`: a new address for reporters."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts import audit
from accounts.models import Team
from reports.models import Intake
from reports.services.edit_intakes import create_intake
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Make an HTTPS intake and print its path."""

    help = "Makes an HTTPS intake and prints its path, to be published as rua=https://<site><path>."
    example = "manage.py createintake 'All brands' --team Mail"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--team", help="the team it belongs to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        name = options["name"].strip()
        if not name or len(name) > 100:
            raise CommandError("Give a name of 1 to 100 characters.", returncode=2)
        if Intake.objects.filter(name=name).exists():
            raise CommandError(f"There is an intake named {name!r} already.")
        team = None
        if options["team"]:
            team = Team.objects.filter(name__iexact=options["team"]).first()
            if team is None:
                raise CommandError(f"There is no team named {options['team']!r}.", returncode=2)
        with audit.acting_as(None, "command", name="command line"):
            intake = create_intake(name, team=team)
        self.stdout.write(intake.path)
