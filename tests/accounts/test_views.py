import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.services.people import invite
from accounts.services.set_up import issue_setup_link
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Ada",
    "email": "Ada@Corp.Example",
    "password": "a long enough sentence",
    "password_again": "a long enough sentence",
}


def test_the_set_up_link_makes_an_administrator_who_is_logged_in(client):
    address = reverse("set-up", args=[issue_setup_link()])

    response = client.post(address, FORM)

    assert response["Location"] == reverse("domains:import")
    user = User.objects.get()
    assert (user.email, user.is_administrator) == ("ada@corp.example", True)
    assert client.get(reverse("domains:import")).status_code == 200


def test_the_set_up_link_works_once(client):
    address = reverse("set-up", args=[issue_setup_link()])
    client.post(address, FORM)

    assert client.get(address).status_code == 410
    assert client.post(address, FORM).status_code == 410


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "short", "password_again": "short"},
        {"password_again": "another sentence"},
        {"email": "nobody"},
        {"password": "password1234", "password_again": "password1234"},
    ],
    ids=["short", "differs", "no-address", "common"],
)
def test_the_set_up_form_says_what_is_wrong(client, wrong):
    address = reverse("set-up", args=[issue_setup_link()])

    response = client.post(address, FORM | wrong)

    assert response.status_code == 200
    assert response.context["form"].errors
    assert not User.objects.exists()


def test_the_set_up_form_tells_all_that_is_wrong_with_a_password_at_once(client):
    address = reverse("set-up", args=[issue_setup_link()])

    response = client.post(address, FORM | {"password": "short", "password_again": "shorter"})

    assert set(response.context["form"].errors) == {"password", "password_again"}


def test_a_guessed_set_up_link_tells_nothing(client):
    assert client.get(reverse("set-up", args=["guess"])).status_code == 410


def test_every_page_asks_for_a_log_in(client):
    for name in ("overview", "domains:list", "alerts:incidents", "jump"):
        response = client.get(reverse(name))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("account_login"))


def test_a_person_logs_in_with_address_and_password(client):
    user = UserFactory()

    response = client.post(
        reverse("account_login"), {"login": user.email.upper(), "password": PASSWORD}
    )

    assert response["Location"] == reverse("overview")


def test_who_has_forgotten_the_password_gets_a_link_and_a_way_back(client, mailoutbox):
    user = UserFactory()

    form = client.get(reverse("account_reset_password")).content.decode()
    sent = client.post(reverse("account_reset_password"), {"email": user.email}, follow=True)

    assert "Forgotten password" in form
    assert "/accounts/password/reset/key/" in mailoutbox[0].body
    assert user.email in mailoutbox[0].body
    assert "Hello from" not in mailoutbox[0].body
    assert "Look at your mail" in sent.content.decode()
    assert reverse("account_login") in sent.content.decode()


def test_nobody_signs_up_by_themselves(client):
    text = client.get(reverse("account_signup")).content.decode()

    assert "By invitation" in text


@pytest.mark.parametrize(
    "name", ["account_change_password", "mfa_index", "mfa_activate_totp", "account_logout"]
)
def test_the_pages_about_ones_own_account_open(client, name):
    user = UserFactory()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})

    response = client.get(reverse(name), follow=True)

    assert response.status_code == 200
    assert "TLS-RPT Portal" in response.content.decode()


def test_the_own_password_is_changed(client):
    user = UserFactory()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    page = client.get(reverse("account_change_password"))
    new = "another long enough sentence"

    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert "The new password again" in page.content.decode()
    user.refresh_from_db()
    assert user.check_password(new)


def test_a_portal_without_an_administrator_says_where_the_link_is(client):
    before = client.get(reverse("account_login")).content.decode()
    UserFactory(is_superuser=True)
    after = client.get(reverse("account_login")).content.decode()

    assert "setuplink" in before
    assert "setuplink" not in after


@pytest.mark.parametrize("path", ["email/", "confirm-email/", "confirm-email/abc/"])
def test_nobody_changes_an_address_past_the_audit_log(client, path):
    client.force_login(UserFactory())

    assert client.get(f"/accounts/{path}").status_code == 404


def test_a_stranger_who_asks_for_a_password_gets_no_mail(client, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": "stranger@other.example"})

    assert mailoutbox == []


def _code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_an_invited_person_sets_up_two_factor_log_in_and_uses_it(
    client, django_capture_on_commit_callbacks
):
    user, link = invite("new@corp.example", "New")
    choose = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(choose, {"password1": PASSWORD, "password2": PASSWORD})
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})

    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    with django_capture_on_commit_callbacks(execute=True):
        codes = client.post(reverse("mfa_activate_totp"), {"code": _code(secret)}, follow=True)
    client.post(reverse("account_logout"))
    half_way = client.post(
        reverse("account_login"), {"login": user.email, "password": PASSWORD}, follow=True
    )
    # The code of the app was used up a moment ago; one for recovery does it as well.
    unused = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap()
    inside = client.post(
        reverse("mfa_authenticate"), {"code": unused.get_unused_codes()[0]}, follow=True
    )

    assert all(code in codes.content.decode() for code in codes.context["unused_codes"])
    assert half_way.request["PATH_INFO"] == reverse("mfa_authenticate")
    assert inside.request["PATH_INFO"] == reverse("overview")
    assert [
        (entry.actor_name, entry.verb)
        for entry in AuditEntry.objects.exclude(verb="invited").order_by("pk")
    ] == [
        ("new@corp.example", "set the password of"),
        ("new@corp.example", "switched on two-factor log-in of"),
    ]


def test_an_administrator_helps_who_has_lost_the_phone(client):
    user = UserFactory()
    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    address = reverse("settings:remove_second_factor", args=[user.pk])
    client.force_login(UserFactory())
    refused = client.post(address)
    client.force_login(UserFactory(is_superuser=True))
    page = client.get(reverse("settings:person", args=[user.pk])).content.decode()

    client.post(address)

    assert refused.status_code == 403
    assert address in page
    assert not Authenticator.objects.filter(user=user).exists()
    assert AuditEntry.objects.get().verb == "removed the second factor of"
    assert address not in client.get(reverse("settings:person", args=[user.pk])).content.decode()


# Words of allauth's own templates, which speak of other things than the portal does.
THEIRS = re.compile(
    "Activate|Deactivate|Re-?authenticat|Sign In|Authenticator secret|Recovery Codes"
)


@pytest.mark.parametrize("has_factor", [False, True], ids=["off", "on"])
def test_the_pages_about_two_factors_speak_with_one_voice(client, has_factor):
    user = UserFactory()
    names = ["mfa_activate_totp", "account_reauthenticate", "account_inactive"]
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    if has_factor:
        TOTP.activate(user, generate_totp_secret())
        RecoveryCodes.activate(user)
        names += [
            "mfa_reauthenticate",
            "mfa_deactivate_totp",
            "mfa_view_recovery_codes",
            "mfa_generate_recovery_codes",
        ]

    pages = {name: client.get(reverse(name), follow=True) for name in names}

    for name, page in pages.items():
        assert page.status_code == 200, name
        assert not THEIRS.search(page.content.decode()), name


def test_the_page_about_the_second_factor_says_what_stands_open(client):
    user = UserFactory()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})

    def page():
        return client.get(reverse("mfa_index")).content.decode()

    off = page()
    assert reverse("mfa_activate_totp") in off
    assert reverse("mfa_generate_recovery_codes") not in off

    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    on = page()
    assert reverse("mfa_deactivate_totp") in on
    assert "10 of 10 codes not used yet." in on
    assert reverse("mfa_generate_recovery_codes") in on
