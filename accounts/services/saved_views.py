"""Keeps the filters of lists under names: made, changed, shared, deleted, opened first.

A person's own views are theirs to change. To share one with a team, or to change one that is
shared with it, needs the role manager there; with everybody, the role manager everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts import access, audit
from accounts.models import SavedView, Team, User, ViewedPage
from accounts.roles import Role

# Parameters that say which part of a list is shown, or how, and not what belongs to it.
PASSING = ("page", "export", "view", "csrfmiddlewaretoken")
LONGEST = 2000
MOST_VIEWS = 200
EVERYONE = "everyone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Who sees a view besides its owner: nobody, a team, or everybody."""

    team: Team | None = None
    is_for_everyone: bool = False


PRIVATE = Share()


def visible_views(user: User, page: str) -> QuerySet[SavedView]:
    """Give the views of a list that this person may open, by name."""
    mine = Q(owner=user) | Q(is_for_everyone=True) | Q(team__in=access.teams_for(user))
    return SavedView.objects.filter(mine, page=page)


def may_change(view: SavedView, user: User) -> bool:
    """Say whether this person may rename, change or delete it."""
    if view.is_for_everyone:
        return access.may(user, Role.MANAGER, None)
    if view.team is not None:
        return access.may(user, Role.MANAGER, view.team)
    return view.owner_id == user.pk


def share_value(view: SavedView) -> str:
    """Give with whom it is shared, as the form says it."""
    if view.is_for_everyone:
        return EVERYONE
    return str(view.team_id) if view.team_id else ""


def clean_query(text: str) -> str:
    """Give the address parameters that are worth keeping: no empty ones, no page number."""
    query = QueryDict(text, mutable=True)
    for name in list(query):
        values = [value for value in query.getlist(name) if value]
        if name in PASSING or not values:
            del query[name]
        else:
            query.setlist(name, values)
    return query.urlencode()


@transaction.atomic
def save_view(
    user: User, page: ViewedPage, name: str, query: str, share: Share = PRIVATE
) -> SavedView:
    """Keep a list's filters under a name."""
    _require_share(user, share)
    if SavedView.objects.filter(owner=user).count() >= MOST_VIEWS:
        raise ValidationError(f"You have {MOST_VIEWS} views. Delete one you no longer use.")
    view = SavedView.objects.create(
        page=page,
        name=_name(name),
        query=_query(query),
        owner=user,
        team=share.team,
        is_for_everyone=share.is_for_everyone,
    )
    audit.record("saved view", view, after=_facts(view))
    return view


@transaction.atomic
def change_view(
    view: SavedView,
    user: User,
    *,
    name: str | None = None,
    query: str | None = None,
    share: Share | None = None,
) -> None:
    """Rename it, give it other filters, or share it with others."""
    _require_change(view, user)
    before = _facts(view)
    if name is not None:
        view.name = _name(name)
    if query is not None:
        view.query = _query(query)
    if share is not None:
        _require_share(user, share)
        view.team, view.is_for_everyone = share.team, share.is_for_everyone
    view.save()
    audit.record("changed view", view, before=before, after=_facts(view))


@transaction.atomic
def delete_view(view: SavedView, user: User) -> None:
    """Forget it, for everybody who saw it."""
    _require_change(view, user)
    audit.record("deleted view", view, before=_facts(view))
    view.delete()


@transaction.atomic
def open_first(user: User, page: str, view: SavedView | None) -> None:
    """Let a person's list open with this view, or with all rows."""
    for held in SavedView.objects.filter(page=page, default_of=user):
        held.default_of.remove(user)
    if view is not None:
        view.default_of.add(user)


def _require_change(view: SavedView, user: User) -> None:
    if not may_change(view, user):
        # Raises: who shares it decides, whoever made it.
        access.require(user, Role.MANAGER, None if view.is_for_everyone else view.team)


def _require_share(user: User, share: Share) -> None:
    if share.is_for_everyone or share.team is not None:
        access.require(user, Role.MANAGER, None if share.is_for_everyone else share.team)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name:
        raise ValidationError({"name": "Give it a name."})
    if len(name) > 60:
        raise ValidationError({"name": "At most 60 characters."})
    return name


def _query(text: str) -> str:
    query = clean_query(text)
    if len(query) > LONGEST:
        raise ValidationError("These filters are too long to keep.")
    return query


def _facts(view: SavedView) -> dict[str, object]:
    seen_by = "everybody" if view.is_for_everyone else str(view.team or "the owner")
    return {"list": view.page, "name": view.name, "filters": view.query, "seen by": seen_by}
