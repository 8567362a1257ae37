from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Membership, Team, User
from accounts.roles import Role
from domains.models import Domain, HostedPolicy
from domains.services.record_check import record_check
from tests.domains.observations import AT, observed
from tests.factories import finding, make_domain

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
ADDRESS = "/domains/a.example/policy/"


@pytest.fixture
def domain():
    team = Team.objects.create(name="Mail")
    domain = Domain.objects.create(name="a.example", team=team)
    record_check(domain, observed(), AT)
    return domain


@pytest.fixture
def manager(client, domain):
    user = User.objects.create_user("manager@corp.example")
    Membership.objects.create(user=user, team=domain.team, role=Role.MANAGER)
    client.force_login(user, BACKEND)
    return user


def test_a_policy_that_is_served_elsewhere_is_proposed_as_it_is(client, manager):
    form = client.get(ADDRESS).context["form"]

    assert (form.initial["mode"], form.initial["mx"]) == ("enforce", "*.a.example")


def test_a_policy_that_cannot_be_fetched_any_more_is_proposed_as_senders_hold_it(
    client, manager, domain
):
    record_check(domain, observed(cert_ends=AT - timedelta(days=1)), AT)

    page = client.get(ADDRESS)

    assert page.context["form"].initial["mode"] == "enforce"
    assert "the policy in mode enforce that the domain serves elsewhere" in page.content.decode()


def test_hosts_that_the_policy_elsewhere_lacks_are_proposed_too(client, manager, domain):
    record_check(domain, observed(mx=("mx1.a.example", "mx.other.example")), AT)

    page = client.get(ADDRESS)

    assert page.context["form"].initial["mx"].split() == ["*.a.example", "mx.other.example"]
    assert "and with mx.other.example, which that policy lacks" in page.content.decode()


def test_a_first_policy_is_proposed_from_the_mx_that_checks_see(client, manager, domain):
    record_check(domain, observed(mode=None), AT)

    answer = client.get(ADDRESS).content.decode()

    assert "mx1.a.example" in answer
    assert "Nothing yet" in answer


def test_a_published_policy_is_served_and_the_records_are_shown(client, manager):
    form = {"mode": "testing", "mx": "mx1.a.example", "max_age": "604800"}

    answer = client.post(ADDRESS, form, follow=True).content.decode()

    live = HostedPolicy.objects.get()
    assert f"id={live.policy_id}" in answer
    assert "mta-sts.a.example. CNAME" in answer
    served = client.get("/.well-known/mta-sts.txt", headers={"host": "mta-sts.a.example"})
    assert b"mode: testing" in served.content


def test_an_id_that_dns_still_has_of_before_is_told(client, manager, domain):
    form = {"mode": "testing", "mx": "mx1.a.example", "max_age": "604800"}
    record_check(domain, observed(sts_id="before"), AT)

    before = client.post(ADDRESS, form, follow=True).content.decode()
    record_check(domain, observed(sts_id=HostedPolicy.objects.get().policy_id), AT)
    after = client.get(ADDRESS).content.decode()

    assert "<code>id=before</code>" in before
    assert "The last check still saw" not in after


@pytest.mark.parametrize(
    ("mode", "mx", "words"),
    [
        ("enforce", "mx9.a.example", "senders refuse to deliver there"),
        ("testing", "mx9.a.example", "would refuse it under enforce"),
        ("enforce", "*.a.example", ""),
        ("none", "", ""),
    ],
)
def test_hosts_that_a_policy_leaves_out_are_named(client, manager, mode, mx, words):
    form = {"mode": mode, "mx": mx, "max_age": "604800", "despite": "on"}

    page = client.post(ADDRESS, form, follow=True)

    assert page.context["uncovered"] == (["mx1.a.example"] if words else [])
    assert ("It does not cover mx1.a.example" in page.content.decode()) is bool(words)
    assert words in page.content.decode()


def test_enforce_that_would_refuse_mail_at_once_needs_consent(client, manager):
    form = {"mode": "enforce", "mx": "mx9.a.example", "max_age": "604800"}
    consent = 'name="despite"'

    before = client.get(ADDRESS).content.decode()
    asked = client.post(ADDRESS, form)

    assert consent not in before
    assert consent in asked.content.decode()
    assert "deliver to mx1.a.example" in asked.context["form"].errors["despite"][0]
    assert not HostedPolicy.objects.exists()
    client.post(ADDRESS, form | {"despite": "on"})
    assert HostedPolicy.objects.get().mode == "enforce"


@pytest.mark.parametrize(
    ("mx", "words"),
    [
        ("*", "* is no MX host"),
        ("mx1.a.example\nnot a host", "not is no MX host"),
        ("mx1.a.example, 192.0.2.1", "192.0.2.1 is no MX host"),
        ("mx_.a..example", "mx_.a..example is no MX host"),
        ("", "Name at least one MX host"),
    ],
)
def test_a_policy_no_sender_would_take_is_explained_beside_its_field(client, manager, mx, words):
    answer = client.post(ADDRESS, {"mode": "enforce", "mx": mx, "max_age": "604800"})

    assert answer.status_code == 200
    assert words in " ".join(answer.context["form"].errors["mx"])
    assert "sts.policy." not in answer.content.decode()
    assert not HostedPolicy.objects.exists()


def test_mx_hosts_are_published_as_policies_have_them(client, manager):
    typed = "MX1.a.example.\n*.müller.example, mx1.a.example"

    client.post(ADDRESS, {"mode": "testing", "mx": typed, "max_age": "604800"})

    assert HostedPolicy.objects.get().mx == ["mx1.a.example", "*.xn--mller-kva.example"]


def test_analysts_do_not_publish_and_strangers_do_not_see(client, domain, manager):
    Membership.objects.filter(user=manager).update(role=Role.ANALYST)
    assert client.get(ADDRESS).status_code == 403

    Membership.objects.all().delete()
    assert client.get(ADDRESS).status_code == 404


def test_a_hosted_policy_that_nothing_leads_to_is_said_where_it_is_read(client, manager, settings):
    settings.SITE_URL = "https://portal.example"
    settings.OUR_DESTINATIONS = "tests.domains.test_views_policy.a_destination"
    lost = finding("sts.host.nxdomain", host="mta-sts.lost.example")
    team = Team.objects.get()
    domain = make_domain("lost.example", team, mta_sts="invalid", findings={"mta_sts": [lost]})
    HostedPolicy.objects.create(
        domain=domain, mode="testing", mx=["mx1.a.example"], max_age_s=604800, policy_id="20261101"
    )

    page = client.get(domain.get_absolute_url())
    kit = client.get(reverse("tools:dns_kit"), {"pk": domain.pk, "as": "zone"}).content.decode()

    assert page.context["diagnosis"].then == (
        "Publish mta-sts.lost.example as a CNAME to portal.example: the portal serves the policy "
        "there."
    )
    assert "mta-sts.lost.example. 3600 IN CNAME portal.example." in kit
    assert "_mta-sts.lost.example" not in kit


def a_destination():
    return ("mailto:tls@lost.example",)


def test_a_move_keeps_how_long_senders_hold_the_policy(client, manager, domain):
    stored = domain.posture.judgement
    stored["mta_sts"]["policy"]["max_age"] = 1_209_600
    domain.posture.save(update_fields=["judgement"])

    form = client.get(ADDRESS).context["form"]

    assert form["max_age"].value() == "1209600"
    assert ("1209600", "14 days") in form.fields["max_age"].choices


def test_removing_a_domain_leads_to_its_policy_first(client, manager, domain):
    client.post(ADDRESS, {"mode": "enforce", "mx": "mx1.a.example", "max_age": "86400"})

    answer = client.post("/domains/a.example/remove/", follow=True)

    assert answer.redirect_chain[-1][0] == ADDRESS
    assert "in mode none first" in answer.content.decode()
    client.post("/domains/chosen/remove/", {"pk": domain.pk, "apply": "1"})
    assert Domain.objects.filter(pk=domain.pk).exists()
    client.post(ADDRESS, {"mode": "none", "mx": "", "max_age": "86400"})
    assert "Some senders hold a policy of before until" in client.get(ADDRESS).content.decode()


def test_hosts_are_taken_as_zones_and_people_write_them(client, manager):
    mx = "MX1.a.example.\n*.bücher.example, mx1.a.example; mx2.a.example"

    client.post(ADDRESS, {"mode": "enforce", "mx": mx, "max_age": "604800"})

    assert HostedPolicy.objects.get().mx == [
        "mx1.a.example",
        "*.xn--bcher-kva.example",
        "mx2.a.example",
    ]
