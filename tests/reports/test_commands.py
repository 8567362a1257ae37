"""createintake and rebuildrollups."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection

from accounts.models import AuditEntry, Team, User
from reports.models import DailySessions, Intake
from reports.services.edit_intakes import create_intake, revoke_intake
from tests.mailtls.samples import text
from tests.reports.arrivals import daily_rows, inventory, take_in

pytestmark = pytest.mark.django_db


def run(command: str, *args: str, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *args, stdout=out, **options)
    return out.getvalue().strip()


def test_a_new_intake_prints_its_path_and_leaves_a_trace():
    team = Team.objects.create(name="Mail")

    path = run("createintake", "All brands", team="mail")

    intake = Intake.objects.get()
    assert path == f"/tlsrpt/{intake.key}"
    assert intake.team == team
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.target_name) == ("command line", "All brands")
    assert intake.key not in str(entry.after)


@pytest.mark.parametrize(
    ("name", "options", "code"), [("main", {}, 1), ("", {}, 2), ("x", {"team": "nobody"}, 2)]
)
def test_an_intake_that_cannot_be_made_says_why(name, options, code):
    Intake.objects.create(name="main")

    with pytest.raises(CommandError) as caught:
        run("createintake", name, **options)

    assert caught.value.returncode == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("rebuildrollups", "--since=tomorrow"), "'tomorrow' is not a day; write it as"),
        (("ingest", "--processes=0", "reports.mbox"), "'0' is no number from 1 to 64"),
        (("createmailbox", "tlsrpt", "--port=0"), "'0' is no number from 1 to 65535"),
        (("up", "--port=65536"), "'65536' is no number from 1 to 65535"),
    ],
)
def test_a_bad_argument_says_what_to_write(arguments, says):
    with pytest.raises(CommandError, match=says):
        run(*arguments)


def test_a_stranger_makes_and_revokes_no_intake():
    charlie = User.objects.create_user("charlie@example.com")
    intake = create_intake("main", team=Team.objects.create(name="Mail"))

    with pytest.raises(PermissionDenied):
        create_intake("other", user=charlie)
    with pytest.raises(PermissionDenied):
        revoke_intake(intake, charlie)
    intake.refresh_from_db()
    assert intake.revoked_at is None


def test_a_rebuild_brings_lost_figures_back():
    inventory("recipient.example")
    take_in(text())
    expected = daily_rows()
    DailySessions.objects.all().delete()

    run("rebuildrollups", "--since", "2026-03-01")

    assert daily_rows() == expected


@pytest.mark.parametrize(
    "command",
    [
        ["createintake", "All brands"],
        ["createmailbox", "tlsrpt", "--host", "imap.example.com", "--user", "tlsrpt"],
        ["rebuildrollups"],
        ["applyretention"],
    ],
    ids=lambda command: command[0],
)
def test_a_database_without_tables_is_told_in_one_line(command):
    def refuse(*args: Any) -> None:
        raise ProgrammingError('relation "reports_intake" does not exist\nLINE 1: SELECT 1')

    with connection.execute_wrapper(refuse), pytest.raises(CommandError, match="`manage"):
        run(*command)


@pytest.mark.parametrize("listen", ["2525", "127.0.0.1", "127.0.0.1:99999"])
def test_a_receiver_is_told_of_a_wrong_address(listen):
    with pytest.raises(CommandError, match="no HOST:PORT") as refused:
        run("receivemail", listen=listen)

    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "name: "),
        ({"name": "x" * 101}, "name: "),
        ({"host": "x" * 254}, "host: "),
        ({"folder": "x" * 201}, "folder: "),
    ],
)
def test_a_mailbox_that_cannot_be_is_refused(wrong, words, monkeypatch):
    monkeypatch.setenv("MAILBOX_PASSWORD", "secret")
    right = {"name": "tlsrpt", "host": "imap.example.com", "user": "me", "no_check": True}
    given = right | wrong

    with pytest.raises(CommandError, match=words) as refused:
        run("createmailbox", given.pop("name"), **given)

    assert refused.value.returncode == 2
