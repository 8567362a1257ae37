"""Who may see and do what: the only permission code.

A thing belongs to a team, or to none. People have a role in teams, or everywhere; administrators
may do everything. Things without a team are for those with a role everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet

from accounts.models import Membership, Team, User
from accounts.roles import Role

M = TypeVar("M", bound=Model)
Person = User | AnonymousUser


def sees_everything(user: Person) -> bool:
    """Say whether no team filter applies to what this person sees."""
    return (
        isinstance(user, User)
        and user.is_active
        and (user.is_superuser or bool(user.role_everywhere))
    )


def visible_to(user: Person, queryset: QuerySet[M], team_path: str = "team") -> QuerySet[M]:
    """Narrow a queryset to what this person may see; `team_path` leads from a row to its team."""
    if sees_everything(user):
        return queryset
    if not isinstance(user, User) or not user.is_active:
        return queryset.none()
    mine = Membership.objects.filter(user=user).values("team")
    return queryset.filter(Q(**{f"{team_path}__in": mine}))


def role_in(user: Person, team: Team | None) -> Role | None:
    """Find a person's role for things of this team, or None. Administrators: manager."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.MANAGER
    roles = [Role(user.role_everywhere)] if user.role_everywhere else []
    if team is not None:
        held = Membership.objects.filter(user=user, team=team).values_list("role", flat=True)
        roles += [Role(role) for role in held]
    return max(roles, key=lambda role: role.rank, default=None)


def may(user: Person, role: Role, team: Team | None) -> bool:
    """Say whether this person may do what `role` may do with things of this team."""
    held = role_in(user, team)
    return held is not None and held.includes(role)


def require(user: Person, role: Role, team: Team | None) -> None:
    """Raise PermissionDenied unless `may(user, role, team)`."""
    if not may(user, role, team):
        whose = f"team {team}" if team else "things that belong to no team"
        raise PermissionDenied(f"This needs the role {role.short_label.lower()} for {whose}.")


def require_administrator(user: Person) -> None:
    """Raise PermissionDenied unless this person is an administrator."""
    if not (isinstance(user, User) and user.is_active and user.is_superuser):
        raise PermissionDenied("This is for administrators.")


def teams_for(user: Person, role: Role = Role.VIEWER) -> QuerySet[Team]:
    """Give the teams in which this person has at least this role."""
    if not isinstance(user, User) or not user.is_active:
        return Team.objects.none()
    if user.is_superuser or (user.role_everywhere and Role(user.role_everywhere).includes(role)):
        return Team.objects.all()
    roles = [held for held in Role if held.includes(role)]
    return Team.objects.filter(memberships__user=user, memberships__role__in=roles)


def people_with(role: Role, teams: Iterable[Team | None]) -> QuerySet[User]:
    """Give the people who have at least this role for things of every one of these teams."""
    roles = [held for held in Role if held.includes(role)]
    everywhere = Q(is_superuser=True) | Q(role_everywhere__in=roles)
    found = User.objects.filter(is_active=True)
    for team in set(teams):
        held = Membership.objects.filter(team=team, role__in=roles).values("user")
        found = found.filter(everywhere | Q(pk__in=held)) if team else found.filter(everywhere)
    return found


def may_anywhere(user: Person, role: Role) -> bool:
    """Say whether this person has at least this role for anything at all."""
    return may(user, role, None) or teams_for(user, role).exists()


def managed_by(user: Person, queryset: QuerySet[M]) -> QuerySet[M]:
    """Narrow rows with a `team` to those of teams this person manages, and of none if allowed."""
    allowed = Q(team__in=teams_for(user, Role.MANAGER))
    if may(user, Role.MANAGER, None):
        allowed |= Q(team=None)
    return queryset.filter(allowed)
