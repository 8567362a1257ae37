import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied

from accounts import access
from accounts.models import Membership, Team, User
from accounts.roles import Role
from domains.models import Domain

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Alice manages mail, Bob views it, Charlie is in web, Audra sees all, Root administers."""
    mail, web = Team.objects.create(name="Mail"), Team.objects.create(name="Web")
    people = {
        name: User.objects.create_user(f"{name}@corp.example")
        for name in ("alice", "bob", "charlie")
    }
    people["audra"] = User.objects.create_user("audra@corp.example", role_everywhere=Role.VIEWER)
    people["root"] = User.objects.create_superuser("root@corp.example")
    Membership.objects.create(user=people["alice"], team=mail, role=Role.MANAGER)
    Membership.objects.create(user=people["bob"], team=mail, role=Role.VIEWER)
    Membership.objects.create(user=people["charlie"], team=web, role=Role.MANAGER)
    for name, team in (("mail.example", mail), ("web.example", web), ("stray.example", None)):
        Domain.objects.create(name=name, team=team)
    return {"mail": mail, "web": web, **people}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("alice", {"mail.example"}),
        ("bob", {"mail.example"}),
        ("charlie", {"web.example"}),
        ("audra", {"mail.example", "web.example", "stray.example"}),
        ("root", {"mail.example", "web.example", "stray.example"}),
    ],
)
def test_each_person_sees_the_domains_of_their_teams(world, who, seen):
    assert {domain.name for domain in Domain.objects.visible_to(world[who])} == seen


def test_nobody_sees_nothing(world):
    assert not Domain.objects.visible_to(AnonymousUser()).exists()


def test_a_deactivated_administrator_sees_nothing(world):
    world["root"].is_active = False

    assert not Domain.objects.visible_to(world["root"]).exists()
    assert not access.may(world["root"], Role.VIEWER, None)


@pytest.mark.parametrize(
    ("who", "role", "team", "allowed"),
    [
        ("alice", Role.MANAGER, "mail", True),
        ("alice", Role.VIEWER, "web", False),
        ("bob", Role.VIEWER, "mail", True),
        ("bob", Role.ANALYST, "mail", False),
        ("charlie", Role.MANAGER, None, False),
        ("audra", Role.VIEWER, None, True),
        ("audra", Role.ANALYST, "mail", False),
        ("root", Role.MANAGER, None, True),
    ],
)
def test_what_a_role_allows(world, who, role, team, allowed):
    assert access.may(world[who], role, world[team] if team else None) is allowed


def test_the_refusal_says_which_role_is_needed(world):
    with pytest.raises(PermissionDenied, match="role manager for team Mail"):
        access.require(world["bob"], Role.MANAGER, world["mail"])


def test_the_higher_of_two_roles_counts(world):
    world["bob"].role_everywhere = Role.ANALYST

    assert access.role_in(world["bob"], world["mail"]) is Role.ANALYST
