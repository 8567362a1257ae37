"""`manage.py setuplink`: the one-time link for the first administrator."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from accounts.services import set_up
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Print a new set-up link."""

    help = "Prints a link, valid once and for 24 hours, with which the first administrator is made."
    example = "manage.py setuplink"

    def handle(self, **options: Any) -> None:
        """Print the link; end 1 where an administrator exists."""
        if set_up.is_set_up():
            raise CommandError("An administrator exists. They can invite others under Settings.")
        path = reverse("set-up", args=[set_up.issue_setup_link()])
        self.stdout.write(f"{settings.SITE_URL}{path}")
