import json

import pytest
from django.urls import reverse

from accounts import sealing
from accounts.models import AuditEntry, Membership, Team, User
from accounts.roles import Role
from reports.models import Mailbox
from reports.services.edit_mailboxes import SECRET_PURPOSE
from reports.views import mailboxes as views

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Reports",
    "host": "imap.corp.example",
    "port": "993",
    "security": "tls",
    "username": "tlsrpt@corp.example",
    "password": "secret-of-the-mailbox",
    "folder": "INBOX",
    "done_folder": "",
    "team": "",
}
ADDRESS = "/settings/mailboxes/"


@pytest.fixture
def root(client):
    user = User.objects.create_superuser("root@corp.example")
    client.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return user


@pytest.fixture(autouse=True)
def server(monkeypatch):
    """An IMAP server that holds three mails, or fails."""
    answers = {"fails": ""}

    def check(mailbox):
        if answers["fails"]:
            raise views.MailboxFailedError(answers["fails"])
        return 3

    monkeypatch.setattr(views, "check_connection", check)
    return answers


def test_a_mailbox_is_added_and_tried_at_once(client, root):
    answer = client.post(ADDRESS, FORM, follow=True)

    mailbox = Mailbox.objects.get()
    assert b"3 mails in INBOX" in answer.content
    assert b"secret-of-the-mailbox" not in bytes(mailbox.secret)
    assert AuditEntry.objects.filter(verb="created mailbox", actor=root).exists()


def test_a_mailbox_that_does_not_answer_is_kept_and_says_why(client, root, server):
    server["fails"] = "imap.corp.example:993: connection refused"

    answer = client.post(ADDRESS, FORM, follow=True)

    assert b"connection refused" in answer.content
    assert Mailbox.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password": ""}, "Enter the password."),
        ({"password": "", "client_id": "x"}, "OAuth 2 needs all four fields."),
        ({"port": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_missing_is_asked_for(client, root, changes, words):
    answer = client.post(ADDRESS, {**FORM, **changes})

    assert words in answer.content.decode()
    assert not Mailbox.objects.exists()


def test_a_mailbox_gets_another_password_and_goes_on_where_it_was(client, root):
    client.post(ADDRESS, FORM)
    Mailbox.objects.update(uid_validity=7, last_uid=40)
    before = Mailbox.objects.get()
    address = reverse("settings:mailbox", args=[before.pk])

    page = client.get(address).content.decode()
    client.post(address, FORM | {"password": "", "done_folder": "Done"})
    kept = Mailbox.objects.get()
    client.post(address, FORM | {"password": "a-new-secret"})
    changed = Mailbox.objects.get()

    assert 'value="imap.corp.example"' in page
    assert 'aria-current="page">Mailboxes' in page
    assert (bytes(kept.secret), kept.done_folder) == (bytes(before.secret), "Done")
    assert json.loads(sealing.unseal(changed.secret, SECRET_PURPOSE)) == {
        "password": "a-new-secret"
    }
    assert (changed.uid_validity, changed.last_uid, changed.done_folder) == (7, 40, "")
    first, second = AuditEntry.objects.filter(verb="changed mailbox", actor=root).order_by("pk")
    assert first.after == first.before | {"done_folder": "Done"}
    assert second.after["secret"] == "a new one"
    assert "a-new-secret" not in str(second.after)


def test_another_folder_of_a_mailbox_is_read_from_its_beginning(client, root):
    client.post(ADDRESS, FORM)
    Mailbox.objects.update(uid_validity=7, last_uid=40)
    address = reverse("settings:mailbox", args=[Mailbox.objects.get().pk])

    client.post(address, FORM | {"folder": "Reports"})

    assert Mailbox.objects.get().uid_validity == 0


@pytest.mark.parametrize(
    "change",
    [
        {"host": "imap.elsewhere.example"},
        {"port": "1143"},
        {"security": "none"},
        {"username": "b"},
    ],
)
def test_a_stored_secret_is_sent_nowhere_else(client, root, change):
    client.post(ADDRESS, FORM)
    address = reverse("settings:mailbox", args=[Mailbox.objects.get().pk])
    before = Mailbox.objects.values().get()

    page = client.post(address, FORM | {"password": ""} | change).content.decode()

    assert "Enter the password or what OAuth 2 needs again" in page
    assert Mailbox.objects.values().get() == before
    client.post(address, FORM | change)
    assert Mailbox.objects.values().get() != before


def test_a_mailbox_goes_to_no_team_that_its_manager_does_not_manage(client, root):
    client.post(ADDRESS, FORM)
    web, shop = (Team.objects.create(name=name) for name in ("Web", "Shop"))
    charlie = User.objects.create_user("charlie@corp.example")
    Membership.objects.create(user=charlie, team=web, role=Role.MANAGER)
    mailbox = Mailbox.objects.get()
    Mailbox.objects.update(team=web)
    client.force_login(charlie, "allauth.account.auth_backends.AuthenticationBackend")
    address = reverse("settings:mailbox", args=[mailbox.pk])

    client.post(address, FORM | {"team": str(shop.pk)})
    client.post(address, FORM | {"team": ""})
    assert Mailbox.objects.get().team == web

    client.post(address, FORM | {"team": str(web.pk), "name": "Ours"})
    assert Mailbox.objects.get().name == "Ours"


def test_a_mailbox_is_removed(client, root):
    client.post(ADDRESS, FORM)

    client.post(reverse("settings:remove_mailbox", args=[Mailbox.objects.get().pk]))

    assert not Mailbox.objects.exists()


def test_the_mailbox_of_another_team_is_out_of_reach(client, root):
    client.post(ADDRESS, FORM)
    mailbox = Mailbox.objects.get()
    charlie = User.objects.create_user("charlie@corp.example")
    web = Team.objects.create(name="Web")
    Membership.objects.create(user=charlie, team=web, role=Role.MANAGER)
    client.force_login(charlie, "allauth.account.auth_backends.AuthenticationBackend")

    assert b"imap.corp.example" not in client.get(ADDRESS).content
    for name in ("settings:mailbox", "settings:test_mailbox", "settings:remove_mailbox"):
        assert client.post(reverse(name, args=[mailbox.pk])).status_code == 404


def test_viewers_have_no_business_here(client, root):
    dora = User.objects.create_user("dora@corp.example", role_everywhere=Role.VIEWER)
    client.force_login(dora, "allauth.account.auth_backends.AuthenticationBackend")

    assert client.get(ADDRESS).status_code == 403


def test_what_few_mailboxes_need_is_folded_until_something_stands_there(client, root):
    before = client.get(ADDRESS).content.decode()

    after = client.post(ADDRESS, FORM | {"password": "", "client_id": "portal"}).content.decode()

    assert '<details class="more mb-3"><summary>OAuth 2' in before
    assert '<details class="more mb-3" open><summary>OAuth 2' in after
    assert "OAuth 2 needs all four fields." in after
