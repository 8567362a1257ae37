from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

MOST = settings.AXES_FAILURE_LIMIT


@pytest.fixture(autouse=True)
def no_haste():
    """How many log-ins of a minute there may be from one address is not what is tried here."""
    cache.clear()


def log_in(email, password=PASSWORD, address="192.0.2.1", client=None):
    form = {"login": email, "password": password}
    return (client or Client()).post(reverse("account_login"), form, REMOTE_ADDR=address)


def is_in(answer):
    return answer.status_code == 302


def test_too_many_wrong_passwords_lock_one_account_for_one_address():
    own, other = UserFactory(), UserFactory()

    answers = [log_in(own.email, "wrong") for _ in range(MOST)]

    assert [answer.status_code for answer in answers] == [200] * (MOST - 1) + [429]
    assert log_in(own.email).status_code == 429
    assert is_in(log_in(own.email, address="192.0.2.2"))
    assert is_in(log_in(other.email))


def test_wrong_passwords_of_many_lock_nobody():
    own = UserFactory()

    for number in range(MOST + 1):
        log_in(f"nobody{number}@corp.example", "wrong")

    assert is_in(log_in(own.email))


def test_another_way_to_write_an_address_is_no_other_account():
    own = UserFactory(email="ada@corp.example")
    ways = ["ada@corp.example", "ADA@corp.example", "Ada@Corp.Example", " ada@corp.example "]

    for number in range(MOST):
        log_in(ways[number % len(ways)], "wrong")

    assert log_in(own.email).status_code == 429


def test_a_log_in_that_succeeds_begins_the_count_anew():
    own = UserFactory()
    for _ in range(MOST - 1):
        log_in(own.email, "wrong")

    assert is_in(log_in(own.email))
    assert log_in(own.email, "wrong").status_code == 200


def test_to_try_while_locked_does_not_lock_for_longer(time_machine):
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    own = UserFactory()
    for _ in range(MOST):
        log_in(own.email, "wrong")

    time_machine.move_to(now + timedelta(minutes=14), tick=False)
    assert log_in(own.email).status_code == 429
    time_machine.move_to(now + timedelta(minutes=15, seconds=1), tick=False)
    assert is_in(log_in(own.email))


def right_code(secret):
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


@pytest.fixture
def guarded():
    """An account with a second factor, and its secret."""
    user, secret = UserFactory(), generate_totp_secret()
    TOTP.activate(user, secret)
    return user, secret


def try_code(user, code, address="192.0.2.1"):
    client = Client()
    assert is_in(log_in(user.email, address=address, client=client))
    return client.post(reverse("mfa_authenticate"), {"code": code}, REMOTE_ADDR=address)


def test_a_second_factor_cannot_be_guessed_from_anywhere(guarded):
    user, secret = guarded

    answers = [try_code(user, "000000", f"192.0.2.{n}").status_code for n in range(MOST)]

    assert answers == [200] * (MOST - 1) + [429]
    answer = try_code(user, right_code(secret), "192.0.2.99")
    assert answer.status_code == 200
    assert "Too many attempts" in answer.content.decode()


def test_a_right_code_begins_the_count_anew(guarded):
    user, secret = guarded
    for _ in range(MOST - 1):
        try_code(user, "000000")

    assert is_in(try_code(user, right_code(secret)))
    assert try_code(user, "000000").status_code == 200


def test_wrong_codes_lock_no_other_account(guarded):
    user, _ = guarded
    other, secret = UserFactory(), generate_totp_secret()
    TOTP.activate(other, secret)
    for _ in range(MOST):
        try_code(user, "000000")

    assert is_in(try_code(other, right_code(secret)))
