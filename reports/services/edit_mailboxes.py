"""Makes, changes and removes mailboxes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import transaction

from accounts import access, audit, sealing
from accounts.models import Team, User
from accounts.roles import Role
from reports.models import Mailbox

SECRET_PURPOSE = "mailboxes"  # noqa: S105
EDITABLE = (
    "name",
    "host",
    "port",
    "security",
    "username",
    "folder",
    "done_folder",
    "failed_folder",
    "team",
)
# To whom, and how protected, the secret is sent: whoever changes one of these has to know it.
SECRET_GOES_BY = ("host", "port", "security", "username")


@transaction.atomic
def create_mailbox(
    mailbox: Mailbox, secret: Mapping[str, str], *, user: User | None = None
) -> Mailbox:
    """Save a new mailbox with its secret sealed. `user` None is the operator at the command line.

    `secret` holds `password`, or `token_url`, `client_id`, `client_secret` and `refresh_token`.
    Raises PermissionDenied unless the person is manager for its team.
    """
    if user is not None:
        access.require(user, Role.MANAGER, mailbox.team)
    mailbox.secret = sealing.seal(json.dumps(dict(secret)), SECRET_PURPOSE)
    mailbox.save(force_insert=True)
    audit.record("created mailbox", mailbox, after=_facts(mailbox))
    return mailbox


@transaction.atomic
def change_mailbox(mailbox: Mailbox, secret: Mapping[str, str], user: User) -> None:
    """Save a changed mailbox; an empty `secret` keeps the stored one.

    Mail that was fetched is not fetched again, but another folder is read from its beginning.
    Raises PermissionDenied unless the person is manager for its team, before and after.
    """
    held = Mailbox.objects.select_for_update().get(pk=mailbox.pk)
    for team in {held.team, mailbox.team}:
        access.require(user, Role.MANAGER, team)
    if secret:
        mailbox.secret = sealing.seal(json.dumps(dict(secret)), SECRET_PURPOSE)
    if _place(mailbox) != _place(held):
        mailbox.uid_validity = 0
    # How far a poll has come meanwhile is its own to write.
    mailbox.save(update_fields=[*EDITABLE, "secret", "uid_validity"])
    after = _facts(mailbox) | ({"secret": "a new one"} if secret else {})
    audit.record("changed mailbox", mailbox, before=_facts(held), after=after)


@transaction.atomic
def delete_mailbox(mailbox: Mailbox, user: User) -> None:
    """Fetch no more from a mailbox; what came from it stays. Raises PermissionDenied."""
    access.require(user, Role.MANAGER, mailbox.team)
    audit.record("deleted mailbox", mailbox, before=_facts(mailbox))
    mailbox.delete()


def _place(mailbox: Mailbox) -> tuple[str, ...]:
    return mailbox.host.lower(), mailbox.username, mailbox.folder


def _facts(mailbox: Mailbox) -> dict[str, object]:
    team: Team | None = mailbox.team
    return {name: getattr(mailbox, name) for name in EDITABLE} | {"team": str(team or "")}
