"""The one way to write the audit log, and the knowledge of who is acting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from accounts.models import AuditEntry, Team, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, through which door, in which request."""

    user: User | None
    name: str
    channel: str
    request_id: str = ""


SYSTEM = Actor(user=None, name="the portal", channel="system")

_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


@contextmanager
def acting_as(
    user: User | None, channel: str, *, name: str = "", request_id: str = ""
) -> Iterator[None]:
    """Let all that is recorded inside be recorded as this person's doing."""
    who = name or (user.email if user is not None else SYSTEM.name)
    actor = Actor(user=user, name=who, channel=channel, request_id=request_id)
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """Give who is acting now; the portal itself where nobody is."""
    return _actor.get()


def entry(
    verb: str,
    target: Model,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    team: Team | None = None,
) -> AuditEntry:
    """Build an entry without saving it, for services that write many at once."""
    actor = current_actor()
    return AuditEntry(
        actor=actor.user,
        actor_name=actor.name[:254],
        channel=actor.channel,
        request_id=actor.request_id,
        verb=verb,
        target_type=target._meta.label_lower,
        target_id=str(target.pk or ""),
        target_name=str(target)[:300],
        team=team if team is not None else getattr(target, "team", None),
        before=before,
        after=after,
    )


def record(
    verb: str,
    target: Model,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    team: Team | None = None,
) -> None:
    """Write down that the current actor did `verb` to `target`, inside the caller's transaction."""
    entry(verb, target, before=before, after=after, team=team).save(force_insert=True)
