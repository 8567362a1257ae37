"""Makes and removes mailboxes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import transaction

from accounts import access, audit, sealing
from accounts.models import Team, User
from accounts.roles import Role
from reports.models import Mailbox

SECRET_PURPOSE = "mailboxes"  # noqa: S105


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
    team: Team | None = mailbox.team
    audit.record(
        "created mailbox",
        mailbox,
        after={"host": mailbox.host, "username": mailbox.username, "team": str(team or "")},
    )
    return mailbox


@transaction.atomic
def delete_mailbox(mailbox: Mailbox, user: User) -> None:
    """Fetch no more from a mailbox; what came from it stays. Raises PermissionDenied."""
    access.require(user, Role.MANAGER, mailbox.team)
    audit.record("deleted mailbox", mailbox, before={"host": mailbox.host})
    mailbox.delete()
