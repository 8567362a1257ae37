import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import AuditEntry, Membership, Team, User
from accounts.roles import Role
from domains.models import Domain
from domains.services import edit_domains
from domains.services.edit_domains import delete_domains, update_domains
from domains.services.import_domains import Row, import_domains

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


def test_very_many_are_changed_by_few_statements(world, django_assert_max_num_queries):
    user, mine, _ = world
    Domain.objects.bulk_create(
        Domain(name=f"many{n}.example", team=mine, owner="old@corp.example") for n in range(1200)
    )
    many = Domain.objects.filter(owner="old@corp.example")

    with django_assert_max_num_queries(60):
        count = update_domains(many, user, owner="ops@corp.example", add_tags=["prod"])

    assert count == 1200
    changed = Domain.objects.filter(owner="ops@corp.example", tags__name="prod")
    assert changed.count() == 1200
    entry = AuditEntry.objects.filter(target_name="many7.example").order_by("pk").first()
    assert (entry.before, entry.after, entry.team) == (
        {"owner": "old@corp.example"},
        {"owner": "ops@corp.example"},
        mine,
    )


def test_parts_of_a_change_are_one_change(world, monkeypatch):
    user, mine, other = world
    monkeypatch.setattr(edit_domains, "PART", 2)
    Membership.objects.create(user=user, team=other, role=Role.MANAGER)

    assert update_domains(Domain.objects.filter(team=mine), user, team=other) == 3

    assert Domain.objects.filter(team=other).count() == 4
    assert AuditEntry.objects.filter(verb="changed domain", after={"team": "Other"}).count() == 3
    assert delete_domains(Domain.objects.all(), user) == 4
    assert AuditEntry.objects.filter(verb="deleted domain").count() == 4


def test_a_move_stands_in_the_audit_log_of_both_teams(world):
    user, mine, other = world
    Membership.objects.create(user=user, team=other, role=Role.MANAGER)
    [name, *_] = Domain.objects.filter(team=mine).values_list("name", flat=True)

    update_domains(Domain.objects.filter(name=name), user, team=other, owner="ops@corp.example")
    import_domains([Row(line=1, domain=name, team=mine.name)], user)

    told = AuditEntry.objects.filter(target_name=name).order_by("pk")
    assert [(one.verb, one.team, one.after["team"]) for one in told] == [
        ("changed domain", other, "Other"),
        ("moved domain away", mine, "Other"),
        ("changed domain", mine, mine.name),
        ("moved domain away", other, mine.name),
    ]
