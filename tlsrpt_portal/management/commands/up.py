"""`manage.py up`: the whole portal on one machine."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.urls import reverse

from accounts.services import set_up
from tlsrpt_portal.celery import make_queue_folders
from tlsrpt_portal.demo import build as demo
from tlsrpt_portal.supervisor import Supervisor
from webui.commands import PortalCommand, number_up_to


class Command(PortalCommand):
    """Start web, worker with beat and the mail receiver; stop all of them on Ctrl-C."""

    help = "Starts all processes of the portal on this machine; Ctrl-C stops them."
    example = "manage.py up --port 8000"
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--port", type=number_up_to(65_535), default=8000, help="port of the web server"
        )
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")

    def handle(self, *, port: int, host: str, **options: Any) -> None:
        """Prepare the data folder, then run until told to stop."""
        with only_one(settings.DATA_DIR / "up.lock"):
            require_free(host, port)
            # The address people use is the one that is served, unless the operator names another.
            if "SITE_URL" not in os.environ and settings.SITE_URL == "http://localhost:8000":
                os.environ["SITE_URL"] = settings.SITE_URL = f"http://localhost:{port}"
            call_command("migrate", verbosity=0, interactive=False)
            call_command("collectstatic", verbosity=0, interactive=False)
            make_queue_folders()
            log_ins = demo.log_ins() if settings.DEMO else ""
            supervisor = Supervisor(
                commands(host, port),
                cwd=settings.BASE_DIR,
                env=dict(os.environ),
                out=sys.stdout,
            )
            for line in (*greeting(), *log_ins.splitlines()):
                supervisor.say("up", line)
            supervisor.run()
            supervisor.say("up", "all processes have stopped")


def commands(host: str, port: int) -> dict[str, list[str]]:
    """Give the command line of each process."""
    granian = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", host]
    granian += ["--port", str(port), "--workers", "1"]
    granian += ["--no-access-log", "--log-level", "warning", "--respawn-failed-workers"]
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "tlsrpt_portal", "worker", "--beat"]
    celery += ["--schedule", str(settings.DATA_DIR / "beat-schedule"), "--loglevel", "info"]
    celery += ["--without-gossip", "--without-mingle", "--hostname", "worker@portal"]
    found = {
        "web": [*granian, "tlsrpt_portal.asgi:application"],
        "worker": celery,
    }
    if settings.MAIL_LISTEN:
        found["mail"] = [sys.executable, str(settings.BASE_DIR / "manage.py"), "receivemail"]
    return found


def require_free(host: str, port: int) -> None:
    """Raise CommandError where something listens there: the web server would share the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            # What was served there a moment ago is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        raise CommandError(
            f"The portal cannot listen on port {port} of {host}: {error}. "
            f"Name another: manage.py up --port {port + 1}, or make run PORT={port + 1}."
        ) from None


def greeting() -> Iterator[str]:
    """Say where the portal is and, while nobody is administrator, how to become it."""
    yield f"The portal is at {settings.SITE_URL} (Ctrl-C stops it)"
    if not set_up.is_set_up():
        path = reverse("set-up", args=[set_up.issue_setup_link()])
        yield "Create the first administrator here, once, within 24 hours:"
        yield f"  {settings.SITE_URL}{path}"


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the data folder's lock; the system frees it even after kill -9."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(
                f"The portal already runs on {path.parent} (process {file.read().strip()}). "
                "Stop it first, or set DATA_DIR to another folder."
            ) from None
        # The one who stopped just now may have removed the file between our open and our lock.
        if not path.exists() or path.stat().st_ino != os.fstat(file.fileno()).st_ino:
            raise CommandError(f"Another portal on {path.parent} has just stopped. Start again.")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
