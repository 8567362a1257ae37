"""What people change about their own log-in goes to the audit log as well."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import password_changed, password_reset
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset

from accounts import audit
from accounts.models import User


def connect() -> None:
    """Listen to allauth, which writes past our services."""
    password_changed.connect(_note_password, dispatch_uid="audit-password-changed")
    password_reset.connect(_note_password, dispatch_uid="audit-password-reset")
    authenticator_added.connect(_note_added, dispatch_uid="audit-added")
    authenticator_removed.connect(_note_removed, dispatch_uid="audit-removed")
    authenticator_reset.connect(_note_codes, dispatch_uid="audit-codes")


def _note_password(user: User, **_: Any) -> None:
    _note("set the password of", user)


def _note_added(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        _note("switched on two-factor log-in of", user)


def _note_removed(user: User, authenticator: Authenticator, **_: Any) -> None:
    if authenticator.type == Authenticator.Type.TOTP:
        _note("switched off two-factor log-in of", user)


def _note_codes(user: User, **_: Any) -> None:
    _note("made new recovery codes of", user)


def _note(verb: str, user: User) -> None:
    """Record a deed on one's own account.

    Who sets a password by a link is not logged in yet, and is this person all the same.
    """
    actor = audit.current_actor()
    with audit.acting_as(actor.user or user, actor.channel, request_id=actor.request_id):
        audit.record(verb, user)
