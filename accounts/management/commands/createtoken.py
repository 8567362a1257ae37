"""`manage.py createtoken`: a token for the API."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.audit import acting_as
from accounts.models import User
from accounts.services.tokens import create_token
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Make an API token."""

    help = "Makes a token with which a script acts as this person, and prints it, once."
    example = "manage.py createtoken ops@example.com inventory-sync"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("email", help="log-in of the person the token acts as")
        parser.add_argument("name", help="what the token is for")

    def handle(self, *, email: str, name: str, **options: Any) -> None:
        """Print the token."""
        user = User.objects.filter(email=email.lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody with the log-in {email} can log in.")
        with acting_as(None, "command", name="createtoken"):
            _, secret = create_token(user, name)
        self.stdout.write(secret)
