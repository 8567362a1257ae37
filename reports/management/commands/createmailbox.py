"""`manage.py createmailbox`: a mailbox to fetch reports from."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser

from accounts import audit
from accounts.models import Team
from reports.channels.imap import MailboxFailedError, check_connection
from reports.models import Mailbox, MailSecurity
from reports.services.edit_mailboxes import EDITABLE, create_mailbox
from webui.commands import PortalCommand, number_up_to

_OAUTH = {"token_url", "client_id", "client_secret", "refresh_token"}


class Command(PortalCommand):
    """Add a mailbox that reports are fetched from by IMAP."""

    help = (
        "Adds a mailbox that reports are fetched from by IMAP every minute.\n\n"
        "The password is read from MAILBOX_PASSWORD or a file; for OAuth 2 give a JSON file with\n"
        "token_url, client_id, client_secret and refresh_token."
    )
    example = (
        "manage.py createmailbox tlsrpt --host imap.example.com --user tlsrpt@example.com "
        "--password-file secret.txt"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name")
        parser.add_argument("--host", required=True)
        parser.add_argument("--port", type=number_up_to(65_535), default=993)
        parser.add_argument("--security", choices=MailSecurity.values, default=MailSecurity.TLS)
        parser.add_argument("--user", required=True)
        parser.add_argument("--password-file", type=Path)
        parser.add_argument("--oauth-file", type=Path)
        parser.add_argument("--folder", default="INBOX")
        parser.add_argument("--done-folder", default="", help="move mail there that was read")
        parser.add_argument("--failed-folder", default="", help="move other mail there")
        parser.add_argument("--team", help="the team it belongs to")
        parser.add_argument("--no-check", action="store_true", help="do not try to connect")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        if Mailbox.objects.filter(name=options["name"]).exists():
            raise CommandError(f"There is a mailbox named {options['name']!r} already.")
        team = None
        if options["team"]:
            team = Team.objects.filter(name__iexact=options["team"]).first()
            if team is None:
                raise CommandError(f"There is no team named {options['team']!r}.", returncode=2)
        mailbox = Mailbox(
            name=options["name"],
            team=team,
            host=options["host"],
            port=options["port"],
            security=options["security"],
            username=options["user"],
            folder=options["folder"],
            done_folder=options["done_folder"],
            failed_folder=options["failed_folder"],
        )
        try:
            mailbox.clean_fields({one.name for one in Mailbox._meta.fields} - {*EDITABLE})
        except ValidationError as error:
            field, [words, *_] = next(iter(error.message_dict.items()))
            raise CommandError(f"{field}: {words}", returncode=2) from error
        with audit.acting_as(None, "command", name="command line"):
            create_mailbox(mailbox, self._secret(options))
        if options["no_check"]:
            self.stdout.write(f"added {mailbox}")
            return
        try:
            count = check_connection(mailbox)
        except MailboxFailedError as error:
            mailbox.delete()
            raise CommandError(f"Not added: {error}") from error
        self.stdout.write(f"added {mailbox}: {count} mails in {mailbox.folder}")

    def _secret(self, options: dict[str, Any]) -> dict[str, str]:
        try:
            if options["oauth_file"]:
                secret = json.loads(options["oauth_file"].read_text())
                if not isinstance(secret, dict) or set(secret) != _OAUTH:
                    raise CommandError(f"The file needs {', '.join(sorted(_OAUTH))}.", returncode=2)
                return secret
            if options["password_file"]:
                return {"password": options["password_file"].read_text().strip()}
        except (OSError, ValueError) as error:
            raise CommandError(f"Cannot read the secret: {error}", returncode=2) from error
        password = os.environ.get("MAILBOX_PASSWORD", "")
        if not password:
            raise CommandError(
                "Set MAILBOX_PASSWORD, or give --password-file or --oauth-file.", returncode=2
            )
        return {"password": password}
