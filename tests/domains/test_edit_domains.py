import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AuditEntry, Membership, Team, User
from accounts.roles import Role
from domains.models import Domain
from domains.services.edit_domains import delete_domains, update_domains

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    mine, other = Team.objects.create(name="Mine"), Team.objects.create(name="Other")
    user = User.objects.create_user("manager@corp.example")
    Membership.objects.create(user=user, team=mine, role=Role.MANAGER)
    for n in range(3):
        Domain.objects.create(name=f"d{n}.example", team=mine)
    Domain.objects.create(name="theirs.example", team=other)
    return user, mine, other


def test_many_domains_change_at_once_and_each_is_audited(world):
    user, mine, _ = world

    count = update_domains(
        Domain.objects.filter(team=mine), user, owner="ops@corp.example", add_tags=["prod"]
    )

    assert count == 3
    assert Domain.objects.filter(owner="ops@corp.example", tags__name="prod").count() == 3
    assert AuditEntry.objects.filter(verb="changed domain").count() == 6


def test_one_foreign_domain_refuses_the_whole_change(world):
    user, _, _ = world

    with pytest.raises(PermissionDenied):
        update_domains(Domain.objects.all(), user, owner="ops@corp.example")

    assert not Domain.objects.exclude(owner="").exists()


def test_domains_are_not_given_to_a_team_one_does_not_manage(world):
    user, mine, other = world

    with pytest.raises(PermissionDenied):
        update_domains(Domain.objects.filter(team=mine), user, team=other)


def test_deleting_asks_the_same(world):
    user, mine, _ = world

    with pytest.raises(PermissionDenied):
        delete_domains(Domain.objects.all(), user)
    assert delete_domains(Domain.objects.filter(team=mine), user) == 3
    assert [domain.name for domain in Domain.objects.all()] == ["theirs.example"]
