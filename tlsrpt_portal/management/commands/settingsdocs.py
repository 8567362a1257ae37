"""`manage.py settingsdocs`: the settings' documentation, from their declarations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from tlsrpt_portal import env
from webui.commands import PortalCommand


class Command(PortalCommand):
    """Print docs/settings.md, or write it and .env.example."""

    help = "Renders docs/settings.md and .env.example from the declared settings."
    example = "manage.py settingsdocs --write"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--write", action="store_true", help="write both files")

    def handle(self, *, write: bool, **options: Any) -> None:
        """Print or write."""
        if not write:
            self.stdout.write(env.render_markdown(), ending="")
            return
        (settings.BASE_DIR / "docs" / "settings.md").write_text(env.render_markdown())
        (settings.BASE_DIR / ".env.example").write_text(env.render_example())
