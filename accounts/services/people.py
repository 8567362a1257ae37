"""People: invitations, changes, the end of an account."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts import audit
from accounts.models import ApiToken, Team, User
from accounts.roles import Role
from accounts.services.teams import set_role


@transaction.atomic
def invite(
    email: str,
    name: str,
    role_everywhere: Role | None = None,
    *,
    is_administrator: bool = False,
    membership: tuple[Team, Role] | None = None,
) -> tuple[User, str]:
    """Make an account without a password; give it and the link with which its password is set.

    `membership` is the first team, with the role in it. Raises ValidationError for an address that
    is not one or has an account.
    """
    email = email.strip().lower()
    validate_email(email)
    held = User.objects.filter(email=email).first()
    if held is not None and not held.is_active:
        raise ValidationError(
            f"{email} has an account that has ended. Open it under People to let them log in again."
        )
    if held is not None:
        raise ValidationError(f"{email} has an account.")
    user = User.objects.create_user(
        email,
        None,
        name=name.strip(),
        role_everywhere=role_everywhere or "",
        is_superuser=is_administrator,
    )
    audit.record("invited", user, after=_facts(user))
    if membership is not None:
        team, role = membership
        set_role(team, user, role)
    return user, password_link(user)


def password_link(user: User) -> str:
    """Give the link with which this person sets a password; it ends when it is used."""
    path = reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(user),
            "key": default_token_generator.make_token(user),
        },
    )
    return f"{settings.SITE_URL}{path}"


@transaction.atomic
def update_person(
    user: User, *, name: str, role_everywhere: Role | None, is_administrator: bool
) -> None:
    """Change a person, or raise ValidationError where no administrator would remain."""
    before = _facts(user)
    if not is_administrator:
        _keep_one_administrator(user)
    user.name = name.strip()
    user.role_everywhere = role_everywhere or ""
    user.is_superuser = is_administrator
    user.save(update_fields=["name", "role_everywhere", "is_superuser"])
    audit.record("changed person", user, before=before, after=_facts(user))


@transaction.atomic
def deactivate(user: User) -> None:
    """End an account: no log-in, sessions ended, tokens revoked. What the person did stays."""
    _keep_one_administrator(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
    audit.record("deactivated", user)


@transaction.atomic
def reactivate(user: User) -> None:
    """Let a person log in again."""
    user.is_active = True
    user.save(update_fields=["is_active"])
    audit.record("reactivated", user)


@transaction.atomic
def remove_second_factor(user: User) -> None:
    """Let a person whose phone is lost log in with the password alone, until it is set up anew."""
    if Authenticator.objects.filter(user=user).delete()[0]:
        audit.record("removed the second factor of", user)


def _facts(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "name": user.name,
        "role_everywhere": user.role_everywhere,
        "is_administrator": user.is_superuser,
    }


def _keep_one_administrator(user: User) -> None:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    if user.is_superuser and not others.exists():
        raise ValidationError("This is the last administrator. Make another one first.")
