import pytest

from accounts.models import Membership, Team, User
from accounts.roles import Role
from domains.models import Domain, RecordKind, RecordVersion
from tests.factories import make_versions

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ADDRESS = "/domains/a.example/versions/tlsrpt/"


@pytest.fixture
def domain():
    return Domain.objects.create(name="a.example", team=Team.objects.create(name="Mail"))


@pytest.fixture
def viewer(client, domain):
    user = User.objects.create_user("viewer@corp.example")
    Membership.objects.create(user=user, team=domain.team, role=Role.VIEWER)
    client.force_login(user, BACKEND)
    return user


@pytest.fixture
def versions(domain):
    contents = ("v=TLSRPTv1; rua=mailto:a@x.example", "", "v=TLSRPTv1; rua=mailto:b@x.example")
    make_versions(domain, *contents, kind=RecordKind.TLSRPT)
    return list(RecordVersion.objects.order_by("first_seen_at"))


def shown(client, query=""):
    rows = client.get(ADDRESS + query).context["rows"]
    return [(row.before, row.after) for row in rows]


def test_the_newest_version_is_compared_with_the_one_before(client, viewer, versions):
    assert shown(client) == [("", "v=TLSRPTv1;"), ("", "rua=mailto:b@x.example")]


def test_any_two_versions_can_be_compared(client, viewer, versions):
    first, _, last = versions

    assert shown(client, f"?before={first.pk}&after={last.pk}") == [
        ("v=TLSRPTv1;", "v=TLSRPTv1;"),
        ("rua=mailto:a@x.example", "rua=mailto:b@x.example"),
    ]


def test_a_version_of_another_domain_is_not_shown(client, viewer, versions):
    other = Domain.objects.create(name="b.example")
    make_versions(other, "v=TLSRPTv1; secret", kind=RecordKind.TLSRPT)
    secret = RecordVersion.objects.get(domain=other)

    assert "secret" not in client.get(f"{ADDRESS}?before={secret.pk}").content.decode()


@pytest.mark.parametrize("kind", ["mx", "nothing"])
def test_a_kind_without_versions_is_not_found(client, viewer, versions, kind):
    assert client.get(f"/domains/a.example/versions/{kind}/").status_code == 404


def test_a_stranger_finds_nothing(client, versions):
    client.force_login(User.objects.create_user("stranger@corp.example"), BACKEND)

    assert client.get(ADDRESS).status_code == 404
