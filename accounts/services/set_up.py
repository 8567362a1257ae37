"""The first administrator: a one-time link that expires, printed by `manage.py up`."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.models import SetupLink, User

VALID_FOR = timedelta(hours=24)


class SetupLinkInvalid(Exception):
    """The link was used, has expired, or an administrator exists."""


def is_set_up() -> bool:
    """Say whether an administrator who can log in exists."""
    return User.objects.filter(is_superuser=True, is_active=True).exists()


def issue_setup_link() -> str:
    """Make a new link's token and end the earlier ones; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SetupLink.objects.filter(used_at=None).delete()
        SetupLink.objects.create(digest=_digest(token), expires_at=timezone.now() + VALID_FOR)
    return token


def find_setup_link(token: str) -> SetupLink | None:
    """Find the link that may be used now, or None."""
    if is_set_up():
        return None
    return SetupLink.objects.filter(
        digest=_digest(token), used_at=None, expires_at__gt=timezone.now()
    ).first()


def create_first_administrator(token: str, *, email: str, name: str, password: str) -> User:
    """Use the link up and make the administrator, or raise SetupLinkInvalid."""
    with transaction.atomic():
        link = find_setup_link(token)
        # The conditional update decides between two who press the button at once.
        claimed = link is not None and SetupLink.objects.filter(pk=link.pk, used_at=None).update(
            used_at=timezone.now()
        )
        if not claimed:
            raise SetupLinkInvalid(
                "This link was used or has expired. Restart the portal to get a new one."
            )
        user = User.objects.create_superuser(email, password, name=name)
        with audit.acting_as(user, "web"):
            audit.record("created the first administrator", user)
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
