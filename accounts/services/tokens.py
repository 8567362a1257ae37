"""API tokens: made, shown once, checked by digest, revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken, User

# Its use is written down at most this often: a busy script must not cost a write a call.
NOTE_USE_EVERY = timedelta(minutes=5)


@transaction.atomic
def create_token(user: User, name: str, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """Make a token; give its row and the secret, which is shown this one time."""
    secret = f"tlsrpt_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        user=user, name=name, digest=_digest(secret), prefix=secret[:12], expires_at=expires_at
    )
    audit.record("created token", token, after={"name": name})
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken) -> None:
    """End a token."""
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    audit.record("revoked token", token, before={"owner": token.user.email})


def find_user(secret: str) -> User | None:
    """Find whose valid token this is, or None."""
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(digest=_digest(secret), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > NOTE_USE_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
