"""Teams and the roles people have in them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import audit
from accounts.models import Membership, Team, User
from accounts.roles import Role
from webui.wording import plural


@transaction.atomic
def create_team(name: str) -> Team:
    """Make a team, or raise ValidationError where the name is taken or empty."""
    team = Team(name=_checked_name(name))
    team.save()
    audit.record("created team", team, after={"name": team.name})
    return team


@transaction.atomic
def rename_team(team: Team, name: str) -> None:
    """Give a team another name, or raise ValidationError."""
    before = team.name
    team.name = _checked_name(name, but=team)
    team.save(update_fields=["name"])
    audit.record("renamed team", team, before={"name": before}, after={"name": team.name})


@transaction.atomic
def delete_team(team: Team) -> None:
    """Remove a team, or raise ValidationError while domains belong to it."""
    domains = team.domains.count()
    if domains:
        raise ValidationError(
            f"{plural(domains, 'domain')} must go to another team before {team} can be removed."
        )
    audit.record("deleted team", team, before={"name": team.name})
    team.delete()


@transaction.atomic
def set_role(team: Team, user: User, role: Role) -> Membership:
    """Make a person a member with this role, or change the role."""
    earlier = Membership.objects.filter(team=team, user=user).first()
    membership, _ = Membership.objects.update_or_create(
        team=team, user=user, defaults={"role": role}
    )
    audit.record(
        "set role",
        user,
        team=team,
        before={"role": earlier.role} if earlier else None,
        after={"team": team.name, "role": role.value},
    )
    return membership


@transaction.atomic
def remove_member(team: Team, user: User) -> None:
    """Take a person out of a team."""
    membership = Membership.objects.filter(team=team, user=user).first()
    if membership is None:
        return
    membership.delete()
    audit.record(
        "removed from team",
        user,
        team=team,
        before={"team": team.name, "role": membership.role},
    )


def get_or_create_team(name: str) -> Team:
    """Give the team of this name, whatever its case; make it where there is none."""
    found = Team.objects.filter(name__iexact=name.strip()).first()
    return found or create_team(name)


def _checked_name(name: str, but: Team | None = None) -> str:
    name = " ".join(name.split())
    if not name:
        raise ValidationError("A team needs a name.")
    if len(name) > 100:
        raise ValidationError(f"The name has {len(name)} characters; the limit is 100.")
    others = Team.objects.filter(name__iexact=name)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        raise ValidationError(f"A team named {name} exists.")
    return name
