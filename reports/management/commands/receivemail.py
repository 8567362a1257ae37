"""`manage.py receivemail`: the built-in mail receiver."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from reports.channels.listen import read_listen
from reports.channels.smtp import serve_mail


class Command(BaseCommand):
    """Receive reports by mail until stopped."""

    help = (
        "Receive reports by SMTP (or LMTP) until stopped. Mail is taken for MAIL_ADDRESS and for "
        "<key>@ the same domain, for each intake. "
        "Example: manage.py receivemail --listen 0.0.0.0:25"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument(
            "--listen", metavar="HOST:PORT", help="where to listen (default: MAIL_LISTEN)"
        )
        parser.add_argument("--lmtp", action="store_true", help="speak LMTP to a local mail server")
        parser.add_argument("--tls-cert", type=Path, help="certificate chain, offers STARTTLS")
        parser.add_argument("--tls-key", type=Path, help="private key of --tls-cert")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the command."""
        listen = options["listen"] or settings.MAIL_LISTEN
        address = read_listen(listen)
        if address is None:
            raise CommandError(
                f"{listen!r} is no HOST:PORT. Set MAIL_LISTEN=0.0.0.0:25 or give --listen.",
                returncode=2,
            )
        host, port = address
        context = self._tls_context(options["tls_cert"], options["tls_key"])

        def started(bound_port: int) -> None:
            kind = "LMTP" if options["lmtp"] else "SMTP"
            self.stderr.write(f"receiving mail by {kind} at {host}:{bound_port}")

        try:
            asyncio.run(
                serve_mail(
                    host.strip("[]"),
                    port,
                    is_lmtp=options["lmtp"],
                    tls_context=context,
                    started=started,
                )
            )
        except OSError as error:
            raise CommandError(f"Cannot listen at {listen}: {error.strerror}.") from error

    def _tls_context(self, cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
        if cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(cert, key)
        except (OSError, ssl.SSLError) as error:
            raise CommandError(f"Cannot use {cert}: {error}.", returncode=2) from error
        return context
