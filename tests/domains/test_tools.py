import io
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
import tablib
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role
from domains.forms import KitForm
from domains.lacks import Lack
from domains.models import CoverageException, Domain, Posture
from domains.verifying import recall, remember
from mailtls.observed import DnsStatus, Observed, TxtAnswer
from tests.factories import TeamFactory, make_domain, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def analyst(client):
    user = make_member(None, Role.ANALYST)
    client.force_login(user)
    return user


def observe_well(requests, options):
    """Stand in for the prober: one TLSRPT record, nothing else found out."""
    for request in requests:
        name = f"_smtp._tls.{request.domain}"
        record = TxtAnswer(
            name=name, status=DnsStatus.OK, texts=("v=TLSRPTv1; rua=mailto:a@x.example",)
        )
        yield Observed(
            domain=request.domain,
            checked_at=datetime(2026, 11, 22, tzinfo=UTC),
            took_ms=5,
            tlsrpt=record,
        )


def test_the_checker_shows_a_verdict_and_stores_nothing(client, analyst, settings):
    settings.PROBE_WITH = "tests.domains.test_tools.observe_well"

    page = client.post(reverse("tools:checker"), {"name": "https://Some.Example"})
    assert "A web address is no domain" in page.content.decode()

    page = client.post(reverse("tools:checker"), {"name": "Some.Example"})
    assert page.context["name"] == "some.example"
    assert page.context["aspects"]["tlsrpt"].sign.word == "Valid"


def observe_worse(requests, options):
    """Stand in for the prober: a record without a scheme, nothing else found out."""
    for request in requests:
        name = f"_smtp._tls.{request.domain}"
        text = "v=TLSRPTv1; rua=a@x.example"
        yield Observed(
            domain=request.domain,
            checked_at=datetime(2026, 11, 22, tzinfo=UTC),
            took_ms=5,
            tlsrpt=TxtAnswer(name=name, status=DnsStatus.OK, texts=(text,)),
        )


def test_the_checker_says_first_what_is_worst(client, analyst, settings):
    settings.PROBE_WITH = "tests.domains.test_tools.observe_worse"

    page = client.post(reverse("tools:checker"), {"name": "some.example"})

    worst = page.context["aspects"]["tlsrpt"].findings[0]
    verdict = page.context["verdict"]
    assert verdict.tone == "bad"
    assert verdict.what.startswith(f"{worst.title}. ")
    assert verdict.then.startswith(worst.remedy)


def test_the_checker_does_not_call_well_what_it_could_not_see(client, analyst, settings):
    settings.PROBE_WITH = "tests.domains.test_tools.observe_well"

    page = client.post(reverse("tools:checker"), {"name": "some.example"})

    assert {one.stored["status"] for one in page.context["aspects"].values()} > {"unknown"}
    assert page.context["verdict"].tone != "ok"


def test_the_checker_shows_names_as_people_write_them(client, analyst, settings):
    settings.PROBE_WITH = "tests.domains.test_tools.observe_well"

    page = client.post(reverse("tools:checker"), {"name": "Bücher.example"}).content.decode()

    assert "<bdi>bücher.example</bdi>" in page
    assert "xn--bcher-kva.example" in page


def test_a_viewer_cannot_make_the_portal_look_at_names(client, settings):
    settings.PROBE_WITH = "tests.domains.test_tools.observe_well"
    client.force_login(make_member(TeamFactory(), Role.VIEWER))

    page = client.get(reverse("tools:checker")).content.decode()
    assert "Not with your roles" in page
    assert 'name="name"' not in page
    assert client.post(reverse("tools:checker"), {"name": "some.example"}).status_code == 403


def test_the_generators_write_what_the_address_says(client, analyst):
    address = reverse("tools:generators")

    page = client.get(address, {"make": "tlsrpt", "rua": "a@x.example\nhttps://y.example/t"})
    assert page.context["tlsrpt_record"] == (
        "v=TLSRPTv1; rua=mailto:a@x.example,https://y.example/t"
    )

    query = {"make": "sts", "mode": "testing", "mx": "*.x.example", "max_age": "604800"}
    page = client.get(address, query)
    assert page.context["policy"].splitlines() == [
        "version: STSv1",
        "mode: testing",
        "mx: *.x.example",
        "max_age: 604800",
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"make": "tlsrpt", "rua": "ftp://x.example"},
        {"make": "tlsrpt", "rua": ""},
        {"make": "tlsrpt", "rua": "https://x.example:99999/t"},
        {"make": "tlsrpt", "rua": "https://x.example:0/t"},
        {"make": "tlsrpt", "rua": "https://user:pw@x.example/t"},
        {"make": "tlsrpt", "rua": "mailto:a@b"},
        {"make": "tlsrpt", "rua": "a@b"},
        {"make": "sts", "mode": "enforce", "mx": "", "max_age": "604800"},
        {"make": "sts", "mode": "enforce", "mx": "not a host!", "max_age": "604800"},
    ],
)
def test_the_generators_refuse_what_no_sender_would_take(client, analyst, query):
    page = client.get(reverse("tools:generators"), query)

    assert page.context["tlsrpt_form" if query["make"] == "tlsrpt" else "sts_form"].errors
    assert "tlsrpt_record" not in page.context
    assert "policy" not in page.context


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("_smtp._tls.Shop.example.", "_smtp._tls.shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("1.2.3.4", None),
        ("2001:db8::1", None),
        ("x", None),
        ("-a.example", None),
        ("a..example", None),
        ("a b.example", None),
        (f"{'a' * 64}.example", None),
    ],
)
def test_the_kit_delegates_to_names_only(typed, name):
    form = KitForm({"rua": "a@x.example", "delegate_to": typed})

    assert form.is_valid() is (name is not None)
    assert form.cleaned_data.get("delegate_to") == name


def test_a_password_in_a_destination_is_not_repeated(client, analyst):
    query = {"make": "tlsrpt", "rua": "https://user:hunter2@x.example/t"}

    errors = client.get(reverse("tools:generators"), query).context["tlsrpt_form"].errors

    assert "x.example" in str(errors)
    assert "hunter2" not in str(errors)


def test_the_kit_is_about_the_chosen_domains_only(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    team = TeamFactory()
    ours = make_domain("ours.example", team, tlsrpt="missing")
    make_domain("fine.example", team, tlsrpt="missing")
    make_domain("parked.example", team, tlsrpt="missing", mx="null-mx")
    theirs = make_domain("theirs.example", TeamFactory(), tlsrpt="missing")
    client.force_login(make_member(team, Role.VIEWER))

    posted = {"pk": [ours.pk, theirs.pk]}
    response = client.post(reverse("domains:dns_kit_chosen"), posted, follow=True)
    assert [change.domain for change in response.context["changes"]] == ["ours.example"]

    address = reverse("tools:dns_kit")
    names = [c.domain for c in client.get(address).context["changes"]]
    assert names == ["fine.example", "ours.example"]
    file = client.get(address, {"as": "zone", "pk": ours.pk})
    assert file.content.decode() == (
        '_smtp._tls.ours.example. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls@portal.example"\n'
    )


def test_the_kit_tells_what_becomes_of_every_chosen_domain(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    manager = make_member(None, Role.MANAGER)
    client.force_login(manager)
    bare = make_domain("bare.example", tlsrpt="missing")
    make_domain("broken.example", tlsrpt="missing", mta_sts="invalid")
    make_domain("parked.example", tlsrpt="missing", mx="null-mx")
    fine = make_domain("fine.example")
    judgement = fine.posture.judgement | {"tlsrpt": {"rua": ["mailto:tls@portal.example"]}}
    Posture.objects.filter(domain=fine).update(judgement=judgement)
    CoverageException.objects.create(
        domain=bare,
        lack=Lack.TLSRPT,
        starts_on=timezone.now().date(),
        expires_on=timezone.now().date() + timedelta(days=9),
    )

    page = client.get(reverse("tools:dns_kit"))

    text = " ".join(page.content.decode().split())
    assert "2 changes for 4 domains" in text
    assert "1 right as it is; left out: 1 without mail" in text
    assert "1 of them is for a domain that has an exception" in text
    assert "the MTA-STS of 1 domain, which counts for nothing as it is" in text


def test_octodns_gets_a_file_for_each_zone(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    client.force_login(make_member(None, Role.VIEWER))
    for name in ("a.example", "b.example"):
        make_domain(name, tlsrpt="missing")

    file = client.get(reverse("tools:dns_kit"), {"as": "octodns"})

    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert archive.namelist() == ["a.example.yaml", "b.example.yaml"]
        assert b"_smtp._tls" in archive.read("a.example.yaml")


def test_the_plan_of_the_kit_is_saved_as_a_spreadsheet(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    client.force_login(make_member(None, Role.VIEWER))
    make_domain("a.shop.example", tlsrpt="missing")
    make_domain("fine.example", tlsrpt="missing", mx="null-mx")

    page = client.get(reverse("tools:dns_kit"), {"tlsrpt": "missing"})
    address = dict(page.context["files"])["XLSX"]
    file = client.get(reverse("tools:dns_kit") + address)
    rows = tablib.Dataset().load(file.content, format="xlsx").dict

    assert file["Content-Disposition"] == 'attachment; filename="dns-kit.xlsx"'
    assert [list(row.values())[:5] for row in rows] == [
        [
            "shop.example",
            "_smtp._tls.a.shop.example",
            "TXT",
            3600,
            "v=TLSRPTv1; rua=mailto:tls@portal.example",
        ]
    ]


def test_the_kit_verifies_what_was_published(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    team = TeamFactory()
    published = make_domain("published.example", team, tlsrpt="missing")
    make_domain("waiting.example", team, tlsrpt="missing")
    theirs = make_domain("theirs.example", TeamFactory(), tlsrpt="missing")
    later = timezone.now() + timedelta(hours=1)
    Domain.objects.update(next_check_at=later)
    client.force_login(make_member(team, Role.ANALYST))

    answer = client.post(reverse("tools:dns_kit_verify"), {"query": "tlsrpt=missing"})
    address = answer["Location"]
    assert client.get(address).context["verified"].is_checking
    assert client.get(address, headers={"HX-Request": "true"}).status_code == 204
    assert Domain.objects.get(pk=theirs.pk).next_check_at == later

    Domain.objects.update(next_check_at=later)
    published.posture.tlsrpt = "valid"
    published.posture.judgement["tlsrpt"]["rua"] = ["mailto:tls@portal.example"]
    published.posture.save()
    Domain.objects.filter(pk=published.pk).update(**published.posture.listed)
    page = client.get(address)
    verified = page.context["verified"]
    assert (verified.seen, verified.total, verified.is_checking) == (1, 2, False)
    assert [change.domain for change in page.context["changes"]] == ["waiting.example"]


def test_a_record_that_is_published_wrong_does_not_pass_for_verified(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    team = TeamFactory()
    wrong = make_domain("wrong.example", team, tlsrpt="missing")
    make_domain("other.example", team, tlsrpt="invalid")
    client.force_login(make_member(team, Role.ANALYST))
    query = f"team={team.pk}&tlsrpt=missing"

    address = client.post(reverse("tools:dns_kit_verify"), {"query": query})["Location"]
    Domain.objects.update(next_check_at=timezone.now() + timedelta(hours=1))
    wrong.posture.tlsrpt = "invalid"
    wrong.posture.save()
    Domain.objects.filter(pk=wrong.pk).update(**wrong.posture.listed)

    page = client.get(address)
    verified = page.context["verified"]
    assert (verified.seen, verified.total) == (0, 1)
    assert [change.domain for change in page.context["changes"]] == ["wrong.example"]
    [(_, file), *_] = page.context["files"]
    zone = client.get(reverse("tools:dns_kit") + file).content.decode()
    assert "wrong.example" in zone
    assert "other.example" not in zone
    # Another person's session knows nothing of it: the filters decide.
    client.force_login(make_member(team, Role.ANALYST))
    assert client.get(address).context["changes"] == []


def test_what_is_delegated_is_verified_by_its_domains(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    team = TeamFactory()
    make_domain("a.example", team, tlsrpt="missing")
    client.force_login(make_member(team, Role.ANALYST))
    query = "rua=mailto:tls@portal.example&delegate_to=_smtp._tls.portal.example"

    page = client.post(reverse("tools:dns_kit_verify"), {"query": query}, follow=True)

    assert len(page.context["changes"]) == 2
    assert page.context["verified"].total == 1


def test_the_session_keeps_the_last_verifications_only():
    session = {}

    keys = [remember(session, [number]) for number in range(5)]

    assert [recall(session, key) for key in keys] == [None, None, [2], [3], [4]]
    assert remember(session, range(30_000)) == ""
    assert recall(session, "") is None


def test_who_may_only_look_verifies_nothing(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    team = TeamFactory()
    domain = make_domain("a.example", team, tlsrpt="missing")
    client.force_login(make_member(team, Role.VIEWER))
    due_at = Domain.objects.get().next_check_at

    page = client.post(reverse("tools:dns_kit_verify"), {"query": f"pk={domain.pk}"}, follow=True)

    assert page.context["verified"] is None
    assert Domain.objects.get().next_check_at == due_at


def test_the_kit_is_narrowed_by_team(client, settings):
    settings.MAIL_ADDRESS = "tls@portal.example"
    team = TeamFactory()
    make_domain("a.example", team, tlsrpt="missing")
    make_domain("b.example", TeamFactory(), tlsrpt="missing")
    client.force_login(make_member(None, Role.VIEWER))

    page = client.get(reverse("tools:dns_kit"), {"team": team.pk})

    assert [change.domain for change in page.context["changes"]] == ["a.example"]
    assert f'<option value="{team.pk}" selected>' in page.content.decode()


def test_the_kit_keeps_the_filters_that_it_has_no_field_for(client, analyst):
    make_domain("shop.example", tlsrpt="missing")
    make_domain("shop.other.example", tlsrpt="missing", is_active=False)
    make_domain("bank.example", tlsrpt="missing")
    query = {"q": "shop", "state": "all", "rua": "mailto:tls@x.example"}

    page = client.get(reverse("tools:dns_kit"), query)
    sent = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    asked = {name: value for name, value in sent if name in {"q", "state"}}
    again = client.get(reverse("tools:dns_kit"), asked | {"rua": query["rua"]})
    wider = client.get(reverse("tools:dns_kit") + page.context["kept"][0].href_without)

    assert [one.words for one in page.context["kept"]] == ["“shop”", "Watched and paused"]
    assert again.context["domain_count"] == page.context["domain_count"] == 2
    assert wider.context["domain_count"] == 3


@pytest.mark.parametrize(
    ("states", "left_out"),
    [
        ([{"mx": "null-mx"}], (1, 0, 0)),
        ([{"checked": False}, {"tlsrpt": "unknown"}], (0, 2, 0)),
        ([{"mx": "null-mx"}, {"tlsrpt": "unknown"}, {}], (1, 1, 1)),
    ],
)
def test_the_kit_says_how_many_domains_it_leaves_out(client, analyst, states, left_out):
    for at, state in enumerate(states):
        make_domain(f"d{at}.example", **state)

    page = client.get(reverse("tools:dns_kit"), {"rua": "mailto:tls@d2.example"})

    counts = [page.context[name] for name in ("without_mail", "unseen", "planned_count")]
    assert tuple(counts) == left_out
    assert page.context["change_count"] == 0
    # Nobody is told that all is done where nothing could be seen.
    is_done = "asks for reports to this address first" in page.content.decode()
    assert is_done is bool(left_out[2])


@pytest.mark.parametrize(
    ("rua", "written"),
    [
        ("a!b@x.example", "mailto:a%21b@x.example"),
        ("https://x.example/a;b!c", "https://x.example/a%3Bb%21c"),
        ("tls@bücher.example.", "mailto:tls@xn--bcher-kva.example"),
        ("a@x.example\na@x.example", "mailto:a@x.example"),
    ],
)
def test_the_generator_encodes_what_a_record_cannot_hold(client, analyst, rua, written):
    page = client.get(reverse("tools:generators"), {"make": "tlsrpt", "rua": rua})

    assert page.context["tlsrpt_record"] == f"v=TLSRPTv1; rua={written}"


@pytest.mark.parametrize(
    ("rua", "words"),
    [
        ("a@x.example!10m", "An exclamation mark in a destination"),
        ("https://x.example/a,b", "A destination without mailto: or https: b"),
    ],
)
def test_the_generator_says_in_words_what_no_sender_takes(client, analyst, rua, words):
    page = client.get(reverse("tools:generators"), {"make": "tlsrpt", "rua": rua})

    assert words in page.context["tlsrpt_form"].errors["rua"][0]


def test_the_generator_tells_of_a_record_that_is_long(client, analyst):
    rua = "\n".join(f"reports-{n}@a-rather-long-name.example" for n in range(20))

    page = client.get(reverse("tools:generators"), {"make": "tlsrpt", "rua": rua})

    assert "The record is long" in page.content.decode()


def test_the_generators_read_the_domain_as_people_write_it(client, analyst):
    query = {"make": "tlsrpt", "rua": "a@x.example", "domain": "Bücher.example."}

    page = client.get(reverse("tools:generators"), query)
    refused = client.get(reverse("tools:generators"), query | {"domain": "https://x.example/"})

    assert page.context["domain"] == "xn--bcher-kva.example"
    assert "domain" in refused.context["tlsrpt_form"].errors
    assert "tlsrpt_record" not in refused.context
