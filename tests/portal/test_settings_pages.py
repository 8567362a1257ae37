import re
from datetime import time, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, Membership, Team, User
from accounts.roles import Role
from accounts.services.tokens import create_token, revoke_token
from alerts.models import Destination, Rule, RuleKind
from alerts.rules import read_rule
from alerts.sealing import seal
from domains.models import Domain
from reports.models import Intake, Mailbox, Outcome, Receipt
from reports.services.edit_mailboxes import create_mailbox
from reports.services.roll_up import roll_up
from tests.factories import (
    TeamFactory,
    UserFactory,
    make_destination,
    make_domain,
    make_member,
    make_receipt,
    make_report,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def team():
    return TeamFactory(name="Retail")


@pytest.fixture
def admin(client):
    user = UserFactory(is_superuser=True, email="admin@corp.example")
    client.force_login(user)
    return user


@pytest.fixture
def manager(client, team):
    user = make_member(team, Role.MANAGER, email="manager@corp.example")
    client.force_login(user)
    return user


ADD_RULE = "/settings/rules/add/?kind=failure-rate"
RULE = {
    "name": "Any trouble",
    "threshold": "2.5",
    "minimum_sessions": "10",
    "minimum_failed_sessions": "1",
    "clean_days": "2",
    "severity": "high",
    "is_active": "on",
}


def test_an_administrator_makes_a_team_and_fills_it(client, admin):
    person = UserFactory(email="new@corp.example")

    client.post(reverse("settings:teams"), {"name": "Brands"})
    team = Team.objects.get()
    values = {"email": "New@corp.example", "role": "analyst"}
    client.post(reverse("settings:team", args=[team.pk]), values)

    assert Membership.objects.get().user == person
    client.post(reverse("settings:set_role", args=[team.pk, person.pk]), {"role": "none"})
    assert not Membership.objects.exists()


def test_a_team_with_domains_stays(client, admin, team):
    make_domain("ours.example", team)

    client.post(reverse("settings:delete_team", args=[team.pk]))

    assert Team.objects.filter(pk=team.pk).exists()


def test_a_manager_sets_roles_and_makes_no_team(client, manager, team):
    person = UserFactory()

    client.post(reverse("settings:team", args=[team.pk]), {"email": person.email, "role": "viewer"})
    assert Membership.objects.get(user=person).role == Role.VIEWER

    assert client.post(reverse("settings:teams"), {"name": "Mine"}).status_code == 403
    assert client.post(reverse("settings:delete_team", args=[team.pk])).status_code == 403


@pytest.mark.parametrize(
    ("email", "words"),
    [("new@corp.example", "An administrator can invite"), ("gone@corp.example", "has ended")],
)
def test_a_manager_reads_who_can_let_somebody_in(client, manager, team, email, words):
    UserFactory(email="gone@corp.example", is_active=False)

    page = client.post(
        reverse("settings:team", args=[team.pk]), {"email": email, "role": "analyst"}
    )

    assert words in page.content.decode()
    assert not team.memberships.filter(user__email=email).exists()


def test_an_invitation_tells_of_an_account_that_has_ended(client, admin):
    UserFactory(email="gone@corp.example", is_active=False)

    page = client.post(reverse("settings:invite"), {"email": "Gone@corp.example", "name": "Gone"})

    assert "has ended" in " ".join(page.context["form"].errors["email"])


def test_the_audit_log_says_in_which_team_a_role_changed(client, manager, team):
    member = make_member(team, Role.VIEWER)

    address = reverse("settings:set_role", args=[team.pk, member.pk])
    client.post(address, {"role": "analyst"})

    page = client.get(reverse("settings:audit")).content.decode()
    assert "role: viewer → analyst; team: Retail" in page


def test_a_stranger_sees_no_other_team(client, manager):
    other = TeamFactory()

    assert client.get(reverse("settings:team", args=[other.pk])).status_code == 404
    address = reverse("settings:set_role", args=[other.pk, manager.pk])
    assert client.post(address, {"role": "manager"}).status_code == 404


def test_a_member_sees_how_many_the_others_are(client, team):
    for role in (Role.MANAGER, Role.VIEWER):
        make_member(team, role)
    make_domain("a.example", team)
    make_domain("paused.example", team, is_active=False)
    client.force_login(make_member(team, Role.ANALYST))

    [row] = client.get(reverse("settings:teams")).context["teams"]

    assert (row.member_count, row.domain_count) == (3, 1)


def test_the_system_page_says_when_checks_see_nothing(client, admin):
    address = reverse("settings:system")
    for at in range(3):
        make_domain(f"d{at}.example")
    before = client.get(address)

    Domain.objects.exclude(name="d0.example").update(unknown_since=timezone.now())
    after = client.get(address)

    assert before.context["parts"]["checks"] == (True, "3 domains seen in full")
    assert after.context["parts"]["checks"][0] is False
    assert "2 of 3 domains could not be seen in full" in after.content.decode()


def test_the_system_page_says_which_secrets_another_key_has_sealed(client, admin, settings):
    address = reverse("settings:system")
    none = client.get(address).context["parts"]["secrets"]
    key = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key-another"
    make_destination("Mail team")
    create_mailbox(Mailbox(name="Box", host="imap.corp.example", username="u"), {"password": "p"})
    settings.SECRET_KEY = key
    make_destination("Chat")

    works, words = client.get(address).context["parts"]["secrets"]
    Destination.objects.exclude(name="Chat").delete()
    Mailbox.objects.all().delete()
    mended = client.get(address).context["parts"]["secrets"]

    assert none == (True, "none stored")
    assert not works
    assert words.startswith("2 of 3 stored secrets cannot be read")
    assert words.endswith("(mailbox Box, destination Mail team)")
    assert mended == (True, "1 stored secret can be read")


@pytest.mark.parametrize("name", ["people", "invite", "system"])
def test_what_is_for_administrators_is_refused_to_managers(client, manager, name):
    assert client.get(reverse(f"settings:{name}")).status_code == 403


def test_an_invitation_gives_a_link_that_sets_the_password(client, admin):
    values = {"email": "new@corp.example", "name": "New", "role_everywhere": "viewer"}

    page = client.post(reverse("settings:invite"), values)

    user = User.objects.get(email="new@corp.example")
    assert (user.role_everywhere, user.is_administrator) == ("viewer", False)
    client.logout()
    path = page.context["link"].partition("//")[2].partition("/")[2]
    form = client.get(f"/{path}", follow=True)
    assert form.status_code == 200
    password = {"password1": "a long enough sentence", "password2": "a long enough sentence"}
    done = client.post(form.redirect_chain[-1][0], password, follow=True)
    user.refresh_from_db()
    assert user.check_password("a long enough sentence")
    assert "Choose a password" in form.content.decode()
    # The person can go on from here.
    assert done.redirect_chain[-1][0] == reverse("account_login")
    assert "The new password is set." in done.content.decode()
    again = client.get(f"/{path}", follow=True)
    assert "This link does not work" in again.content.decode()


def test_an_invited_person_starts_in_a_team(client, admin):
    team = TeamFactory(name="Retail")
    values = {"email": "new@corp.example", "name": "New", "team": team.pk, "role_in_team": "viewer"}

    page = client.post(reverse("settings:invite"), values)

    user = User.objects.get(email="new@corp.example")
    assert [(one.team, one.role) for one in user.memberships.all()] == [(team, "viewer")]
    assert "no role yet" not in page.content.decode()


def test_an_invitation_without_a_role_says_what_is_missing(client, admin):
    page = client.post(reverse("settings:invite"), {"email": "new@corp.example", "name": "New"})

    assert "no role yet and will see no domain" in page.content.decode()
    assert reverse("settings:teams") in page.content.decode()


def test_the_last_administrator_stays_one(client, admin):
    address = reverse("settings:person", args=[admin.pk])

    response = client.post(address, {"name": "A", "role_everywhere": "", "is_administrator": ""})

    assert "last administrator" in response.content.decode()


def test_a_token_is_shown_once(client, manager):
    address = reverse("settings:tokens")

    page = client.post(address, {"name": "backup", "days": "30"})
    secret = page.context["secret"]

    assert secret in page.content.decode()
    assert secret not in client.get(address).content.decode()
    client.post(reverse("settings:revoke_token", args=[ApiToken.objects.get().pk]))
    assert ApiToken.objects.get().revoked_at is not None


@pytest.mark.parametrize(
    ("password", "has_logged_in", "is_invited"),
    [
        (None, False, True),
        ("a-long-pass-phrase", False, False),
        (None, True, False),
        ("a-long-pass-phrase", True, False),
    ],
    ids=["invited", "given a password", "by single sign-on", "set the password"],
)
def test_invited_is_who_has_no_password_and_never_logged_in(password, has_logged_in, is_invited):
    last_login = timezone.now() if has_logged_in else None
    user = User.objects.create_user("new@corp.example", password, last_login=last_login)

    assert user.is_invited is is_invited


def test_nobody_revokes_the_token_of_another(client, manager):
    token = ApiToken.objects.create(user=UserFactory(), name="x", digest="d", prefix="p")

    assert client.post(reverse("settings:revoke_token", args=[token.pk])).status_code == 404


def test_a_rule_is_tried_without_being_stored(client, manager, team):
    domain = make_domain("ours.example", team)
    today = timezone.now().date()
    for ago in (3, 4, 5):
        make_report(domain, today - timedelta(days=ago), failures=10)
    roll_up()
    before = Rule.objects.count()

    page = client.post(ADD_RULE, RULE | {"team": team.pk, "try": "1"})

    assert [one.failed_sessions for one in page.context["backtest"].found] == [30]
    assert Rule.objects.count() == before


def test_a_manager_makes_a_rule_for_the_own_team_only(client, manager, team):
    client.post(ADD_RULE, RULE | {"team": team.pk})
    rule = Rule.objects.get(name="Any trouble")
    assert rule.parameters["threshold"] == 0.025

    other = TeamFactory()
    page = client.post(ADD_RULE, RULE | {"name": "Theirs", "team": other.pk})
    assert page.context["form"].errors
    everywhere = Rule.objects.create(name="Everywhere", kind=RuleKind.FAILURE_RATE)
    assert client.get(reverse("settings:rule", args=[everywhere.pk])).status_code == 404


@pytest.mark.parametrize("kind", list(RuleKind))
def test_a_rule_of_each_kind_is_made_with_its_defaults_and_opened_again(client, admin, kind):
    address = f"{reverse('settings:add_rule')}?kind={kind.value}"
    form = client.get(address).context["form"]
    values = {one.name: one.value() for one in form if one.value()}

    client.post(address, values | {"name": f"Mine {kind.value}"})

    rule = Rule.objects.get(name=f"Mine {kind.value}")
    assert rule.kind == kind
    assert read_rule(kind, rule.parameters) == read_rule(kind, {})
    assert client.get(reverse("settings:rule", args=[rule.pk])).status_code == 200
    assert f"Mine {kind.value}" in client.get(reverse("settings:rules")).content.decode()


@pytest.mark.parametrize("typed", ["0", "100", "250", "-1"])
def test_a_share_that_is_none_is_told_beside_its_field(client, admin, typed):
    page = client.post(ADD_RULE, RULE | {"threshold": typed, "try": "1"})

    assert page.context["form"].errors == {
        "threshold": ["It takes more than 0 % and less than 100 %."]
    }


def test_a_growth_that_is_none_is_told_beside_its_field(client, admin):
    values = {"name": "Growth", "severity": "high", "minimum_failed_sessions": "5"}
    values |= {"minimum_rate": "1", "growth": "1", "sensitivity": "0.001", "clean_days": "2"}

    page = client.post("/settings/rules/add/?kind=regression", values)

    assert page.context["form"].errors == {"growth": ["It takes a number above 1."]}


@pytest.mark.parametrize(
    ("typed", "share"), [("7", 0.07), ("0.7", 0.007), ("2.5", 0.025), ("0.001", 0.00001)]
)
def test_a_share_is_shown_and_typed_in_per_cent_and_stored_as_before(client, admin, typed, share):
    client.post(ADD_RULE, RULE | {"threshold": typed})

    rule = Rule.objects.get(name=RULE["name"])
    assert rule.parameters["threshold"] == share
    page = client.get(reverse("settings:rule", args=[rule.pk])).content.decode()
    control = re.search(r'<input[^>]*name="threshold"[^>]*>', page)
    assert control is not None
    assert f'value="{typed}"' in control.group()


def test_a_wrong_share_comes_back_as_it_was_typed(client, admin):
    page = client.post(ADD_RULE, RULE | {"threshold": "250"}).content.decode()

    assert re.search(
        r'<input[^>]*value="250"[^>]*name="threshold"|name="threshold"[^>]*"250"', page
    )


def test_a_viewer_cannot_change_a_rule(client, team):
    rule = Rule.objects.create(name="Ours", kind=RuleKind.FAILURE_RATE, team=team)
    client.force_login(make_member(team, Role.VIEWER))
    address = reverse("settings:rule", args=[rule.pk])

    assert client.get(address).context["may_edit"] is False
    assert client.post(address, RULE | {"team": team.pk}).status_code == 403


def test_a_destination_is_tested_and_its_address_not_shown(client, manager, team):
    values = {
        "name": "Mail team",
        "kind": "email",
        "address": "soc@corp.example",
        "team": team.pk,
        "minimum_severity": "medium",
        "is_active": "on",
    }

    client.post(reverse("settings:add_destination"), values)
    row = Destination.objects.get()
    client.post(reverse("settings:test_destination", args=[row.pk]))

    assert mail.outbox[0].to == ["soc@corp.example"]
    page = client.get(reverse("settings:destination", args=[row.pk]))
    assert "soc@corp.example" not in page.content.decode()


def test_who_only_sees_a_destination_is_offered_nothing_to_do_with_it(client, team):
    row = make_destination("Ours", team)
    client.force_login(make_member(team, Role.ANALYST))

    page = client.get(reverse("settings:destinations")).content.decode()

    assert "Ours" in page
    assert reverse("settings:destination", args=[row.pk]) not in page


def test_the_list_says_when_destinations_are_told(client, admin):
    make_destination("Fresh")
    make_destination("Daily", digest="daily")
    make_destination("Asleep", quiet_from=time(22), quiet_until=time(6, 30))
    make_destination("Boss", escalate_after_minutes=90)

    page = client.get(reverse("settings:destinations")).content.decode()

    assert "nothing sent yet" in page
    assert "once a day" in page
    assert "quiet 22:00–06:30 UTC" in page
    assert "90 min" in page


def test_a_test_that_is_only_printed_is_not_called_sent(client, manager, team, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    row = make_destination("Mail team", team)

    page = client.post(reverse("settings:test_destination", args=[row.pk]), follow=True)

    assert "until EMAIL_URL names a mail server" in page.content.decode()
    assert "See whether it arrives" not in page.content.decode()


def test_quiet_hours_digest_and_escalation_are_kept_when_the_name_changes(client, manager, team):
    values = {
        "name": "On call",
        "kind": "webhook",
        "address": "https://hooks.corp.example/tls",
        "secret": "shared-with-the-receiver",
        "team": team.pk,
        "minimum_severity": "high",
        "is_active": "on",
        "quiet_from": "22:00",
        "quiet_until": "06:30",
        "escalate_after_minutes": "60",
    }
    client.post(reverse("settings:add_destination"), values)
    row = Destination.objects.get()
    form = client.get(reverse("settings:destination", args=[row.pk])).context["form"]

    again = {**form.initial, "name": "Night watch", "address": "", "secret": "", "team": team.pk}
    again = {name: value for name, value in again.items() if value not in (None, "")}
    client.post(reverse("settings:destination", args=[row.pk]), again)

    changed = Destination.objects.get()
    assert changed.name == "Night watch"
    assert (str(changed.quiet_from), str(changed.quiet_until)) == ("22:00:00", "06:30:00")
    assert changed.escalate_after_minutes == 60
    assert bytes(changed.sealed_secret) == bytes(row.sealed_secret)


def test_a_wrong_address_is_told_beside_its_field(client, manager, team):
    values = {
        "name": "Chat",
        "kind": "apprise",
        "address": "nonsense",
        "team": team.pk,
        "minimum_severity": "medium",
    }

    page = client.post(reverse("settings:add_destination"), values)

    assert "address" in page.context["form"].errors


def test_a_stranger_neither_sees_nor_tests_a_destination(client, manager):
    row = make_destination("Theirs", TeamFactory())

    assert "Theirs" not in client.get(reverse("settings:destinations")).content.decode()
    for name in ("destination", "test_destination", "remove_destination"):
        assert client.post(reverse(f"settings:{name}", args=[row.pk])).status_code == 404


def test_an_intake_is_made_and_revoked_by_managers(client, manager, team):
    client.post(reverse("settings:intakes"), {"name": "Shops", "team": team.pk})
    intake = Intake.objects.get()
    assert intake.key in client.get(reverse("settings:intakes")).content.decode()

    client.post(reverse("settings:revoke_intake", args=[intake.pk]))
    intake.refresh_from_db()
    assert intake.revoked_at is not None


def test_a_viewer_learns_no_intake_key(client, team):
    client.force_login(make_member(team, Role.VIEWER))

    assert client.get(reverse("settings:intakes")).status_code == 403


def test_the_audit_log_is_scoped_by_team(client, manager, team):
    client.post(ADD_RULE, RULE | {"team": team.pk})

    assert "created rule" in client.get(reverse("settings:audit")).content.decode()
    client.force_login(make_member(TeamFactory(), Role.MANAGER))
    assert "created rule" not in client.get(reverse("settings:audit")).content.decode()


def test_what_could_not_be_read_is_read_again(client, admin):
    first, second = make_receipt("not a report"), make_receipt("nor this")

    page = client.get(reverse("inbox:receipt", args=[first.pk]))
    assert "not a report" in page.content.decode()
    client.post(reverse("inbox:retry"), {"pk": first.pk})
    outcomes = dict(Receipt.objects.values_list("pk", "outcome"))
    assert outcomes == {first.pk: Outcome.PENDING, second.pk: Outcome.REJECTED}
    client.post(reverse("inbox:retry"))
    assert set(Receipt.objects.values_list("outcome", flat=True)) == {Outcome.PENDING}
    page = client.post(reverse("inbox:retry"), follow=True)
    assert "Nothing to read again" in page.content.decode()


def test_the_inbox_of_a_team_holds_what_its_intakes_took(client, team):
    ours = make_receipt("ours", Intake.objects.create(name="Ours", team=team))
    theirs = make_receipt("theirs", Intake.objects.create(name="Theirs", team=TeamFactory()))
    shared = make_receipt("by mail")
    client.force_login(make_member(team, Role.ANALYST))

    page = client.get(reverse("inbox:list"))

    assert [receipt for receipt, *_ in page.context["rows"]] == [ours]
    for hidden in (theirs, shared):
        assert client.get(reverse("inbox:receipt", args=[hidden.pk])).status_code == 404
        assert client.get(reverse("inbox:raw", args=[hidden.pk])).status_code == 404
    assert client.get(reverse("inbox:unmanaged")).status_code == 403


def test_a_reported_domain_is_added_with_one_click(client, admin):
    make_report(None, timezone.now().date(), policy_domain="stray.example")
    page = client.get(reverse("inbox:unmanaged"))
    assert [one.name for one, *_ in page.context["rows"]] == ["stray.example"]

    client.post(reverse("domains:import"), {"text": "stray.example", "confirm": "1"})

    assert client.get("/domains/stray.example/").status_code == 200


def test_settings_are_saved_without_secrets(client, admin, team):
    row = make_destination("SOC", team, sealed_secret=seal("key-of-the-signature"))
    Rule.objects.create(name="Late", kind=RuleKind.FAILURE_RATE, team=team)
    token, secret = create_token(UserFactory(email="script@corp.example"), "Nightly")
    held = {"settings:destinations": row.name, "settings:rules": "Late", "settings:tokens": "Mine"}
    create_token(admin, "Mine")
    files = {name: saved(client, name) for name in held}
    files["tokens of everybody"] = saved(client, "settings:all_tokens")
    held["tokens of everybody"] = "Nightly,Person"

    for name, text in files.items():
        assert held[name] in text, name
        for hidden in (secret, token.prefix, token.digest, "soc@corp.example", "key-of-the-"):
            assert hidden not in text, name
    assert "Nightly" not in files["settings:tokens"]


def test_the_tokens_of_everybody_are_for_administrators(client, manager):
    create_token(UserFactory(), "Nightly")

    for query in ({}, {"export": "csv"}):
        assert client.get(reverse("settings:all_tokens"), query).status_code == 403
    token = ApiToken.objects.get()
    revoke = reverse("settings:revoke_anybodys_token", args=[token.pk])
    assert client.post(revoke).status_code == 403
    assert ApiToken.objects.get().revoked_at is None
    assert (
        "settings/tokens/everybody" not in client.get(reverse("settings:tokens")).content.decode()
    )


def test_an_administrator_sees_and_ends_the_tokens_of_everybody(client, admin, team):
    owner = make_member(team, Role.ANALYST, email="script@corp.example", name="Nadja")
    token, secret = create_token(owner, "Nightly", timezone.now() - timedelta(days=1))
    gone, _ = create_token(owner, "Long gone")
    revoke_token(gone)

    page = client.get(reverse("settings:all_tokens"))
    text = page.content.decode()
    client.post(reverse("settings:revoke_anybodys_token", args=[token.pk]))

    assert [row.name for row in page.context["page"]] == ["Nightly"]
    assert f"analyst of {team}" in text
    assert "Expired" in text
    assert secret not in text
    assert reverse("settings:person", args=[owner.pk]) in text
    token.refresh_from_db()
    assert token.revoked_at is not None
    entry = AuditEntry.objects.filter(verb="revoked token").first()
    assert (entry.actor, entry.before) == (admin, {"owner": "script@corp.example"})
    revoke = reverse("settings:revoke_anybodys_token", args=[token.pk])
    assert client.post(revoke).status_code == 404


@pytest.mark.parametrize(
    ("fields", "scope"),
    [
        ({"is_superuser": True}, "everything"),
        ({"role_everywhere": "viewer"}, "viewer everywhere"),
        ({}, "nothing: no role in any team"),
        ({"is_superuser": True, "is_active": False}, "nothing: the account is ended"),
    ],
)
def test_what_a_person_may_do_is_said_in_words(fields, scope):
    assert UserFactory(**fields).scope == scope


def test_a_manager_saves_the_destinations_and_rules_of_own_teams(client, manager, team):
    make_destination("Ours", team)
    make_destination("Theirs", TeamFactory())
    for name, owner in (("Our rule", team), ("Their rule", TeamFactory())):
        Rule.objects.create(name=name, kind=RuleKind.FAILURE_RATE, team=owner)

    destinations, rules = (saved(client, f"settings:{name}") for name in ("destinations", "rules"))

    assert "Ours" in destinations
    assert "Our rule" in rules
    assert "Their" not in destinations + rules


def saved(client, name, **query):
    return client.get(reverse(name), {"export": "csv", **query}).content.decode()
