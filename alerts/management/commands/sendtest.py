"""`manage.py sendtest DESTINATION`: send a test message now and say what became of it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import audit
from alerts.errors import DeliveryFailed
from alerts.messages import test_message
from alerts.models import Destination
from alerts.services.deliver import send
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Send a test."""

    help = "Sends a test message to a destination now, past the outbox."
    example = 'manage.py sendtest "Mail team"'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("destination", metavar="DESTINATION", help="its name")

    def handle(self, *, destination: str, **options: Any) -> None:
        """Send it, or end with the reason."""
        found = Destination.objects.filter(name=destination).first()
        if found is None:
            names = ", ".join(Destination.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"No destination is called {destination!r}; there are: {names}.")
        try:
            send(found, test_message())
        except DeliveryFailed as error:
            raise CommandError(f"The test was not delivered to {found}: {error}") from error
        with audit.acting_as(None, "command", name="the command line"):
            audit.record("sent a test", found)
        self.stdout.write(f"The test was sent to {found}.")
