from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from accounts.models import User
from domains.models import Domain, StsMode
from domains.services.edit_domains import delete_domains
from domains.services.publish_policy import forgotten_at, publish_policy
from mailtls.sts_policy import parse_policy

pytestmark = pytest.mark.django_db

PATH = "/.well-known/mta-sts.txt"


@pytest.fixture
def root():
    return User.objects.create_superuser("root@corp.example")


@pytest.fixture
def domain():
    return Domain.objects.create(name="a.example")


def test_the_policy_is_served_for_its_host_alone(client, root, domain):
    publish_policy(domain, root, StsMode.ENFORCE, ["mx1.a.example", "*.b.example"], 1_209_600)

    answer = client.get(PATH, headers={"host": "MTA-STS.a.example:443"})

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    parsed = parse_policy(answer.content)
    assert parsed.findings == ()
    assert parsed.value.mx == ("mx1.a.example", "*.b.example")
    assert client.get(PATH, headers={"host": "mta-sts.b.example"}).status_code == 404
    assert client.get(PATH, headers={"host": "a.example"}).status_code == 404


def test_a_policy_no_sender_would_take_is_refused(root, domain):
    with pytest.raises(ValidationError):
        publish_policy(domain, root, StsMode.ENFORCE, ["*"], 1_209_600)


def test_each_publication_has_an_id_of_its_own(root, domain):
    ids = [
        publish_policy(domain, root, StsMode.TESTING, ["mx1.a.example"], 86_400).policy_id
        for _ in range(3)
    ]

    assert len(set(ids)) == 3
    assert all(policy_id.isalnum() and len(policy_id) <= 32 for policy_id in ids)


def test_the_policy_of_a_paused_domain_is_served(client, root, domain):
    publish_policy(domain, root, StsMode.ENFORCE, ["mx1.a.example"], 86_400)

    Domain.objects.update(is_active=False)

    assert client.get(PATH, headers={"host": "mta-sts.a.example"}).status_code == 200


def test_a_domain_stays_until_its_policy_is_in_mode_none(root, domain):
    Domain.objects.create(name="b.example")
    publish_policy(domain, root, StsMode.TESTING, ["mx1.a.example"], 86_400)

    with pytest.raises(ValidationError, match=r"policy of a\.example\. Publish it in mode none"):
        delete_domains(Domain.objects.all(), root)
    assert Domain.objects.count() == 2
    publish_policy(domain, root, StsMode.NONE, [], 86_400)

    assert delete_domains(Domain.objects.all(), root) == 2


def test_senders_hold_each_policy_from_when_it_was_served_last(root, domain):
    first = publish_policy(domain, root, StsMode.ENFORCE, ["mx1.a.example"], 30 * 86_400)
    second = publish_policy(domain, root, StsMode.ENFORCE, ["mx1.a.example"], 86_400)
    assert forgotten_at([second, first]) is None

    last = publish_policy(domain, root, StsMode.NONE, [], 86_400)

    assert forgotten_at([last, second, first]) == second.published_at + timedelta(days=30)
    assert forgotten_at([last]) == last.published_at
