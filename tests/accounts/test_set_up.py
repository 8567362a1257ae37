from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, SetupLink, User
from accounts.services import set_up

pytestmark = pytest.mark.django_db

PERSON = {"email": "Root@Corp.Example", "name": "Root", "password": "a-long-enough-password"}


def test_the_link_makes_the_first_administrator_once():
    token = set_up.issue_setup_link()

    user = set_up.create_first_administrator(token, **PERSON)

    assert user.is_administrator
    assert user.email == "root@corp.example"
    with pytest.raises(set_up.SetupLinkInvalid):
        set_up.create_first_administrator(token, **{**PERSON, "email": "two@corp.example"})
    assert User.objects.count() == 1
    assert AuditEntry.objects.get().verb == "created the first administrator"


def test_the_link_expires():
    token = set_up.issue_setup_link()
    SetupLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert set_up.find_setup_link(token) is None


def test_a_new_link_ends_the_one_before():
    first = set_up.issue_setup_link()
    second = set_up.issue_setup_link()

    assert set_up.find_setup_link(first) is None
    assert set_up.find_setup_link(second) is not None


def test_no_link_works_once_an_administrator_exists():
    token = set_up.issue_setup_link()
    User.objects.create_superuser("root@corp.example")

    assert set_up.find_setup_link(token) is None


def test_the_token_itself_is_not_stored():
    token = set_up.issue_setup_link()

    assert not SetupLink.objects.filter(digest=token).exists()
