import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import ApiToken, User
from accounts.services.tokens import find_user

pytestmark = pytest.mark.django_db


def test_the_command_prints_a_token_that_works_and_is_not_stored(capsys):
    user = User.objects.create_user("ops@corp.example")

    call_command("createtoken", "Ops@corp.example", "sync")

    secret = capsys.readouterr().out.strip()
    assert find_user(secret) == user
    assert secret not in str(ApiToken.objects.values().get())


def test_a_token_for_nobody_is_refused():
    with pytest.raises(CommandError, match=r"nobody@corp\.example"):
        call_command("createtoken", "nobody@corp.example", "sync")
