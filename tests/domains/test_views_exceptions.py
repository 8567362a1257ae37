import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.roles import Role
from accounts.services.tokens import create_token
from domains.exception_queries import with_lacking
from domains.lacks import Lack
from domains.models import CoverageException, Domain
from domains.services.coverage_exceptions import grant_exceptions
from tests.factories import TeamFactory, make_domain, make_member

pytestmark = pytest.mark.django_db


def day(ahead):
    return (timezone.now() + timedelta(days=ahead)).date()


@pytest.fixture
def team():
    return TeamFactory(name="Retail")


@pytest.fixture
def manager(client, team):
    user = make_member(team, Role.MANAGER, name="Mara")
    client.force_login(user)
    return user


@pytest.fixture
def bare(team):
    return make_domain("bare.example", team, tlsrpt="missing", mta_sts="missing")


def grant(user, domain, *lacks, ahead=60, reason="Moves in spring."):
    chosen = Domain.objects.filter(pk=domain.pk)
    grant_exceptions(
        chosen, user, lacks=lacks or (Lack.TLSRPT,), reason=reason, expires_on=day(ahead)
    )
    return CoverageException.objects.latest("pk")


def test_chosen_domains_are_excepted_after_a_form(client, team, manager, bare):
    other = make_domain("other.example", team, tlsrpt="missing")
    theirs = make_domain("theirs.example", TeamFactory())
    chosen = {"pk": [bare.pk, other.pk, theirs.pk]}

    page = client.post(reverse("domains:except_chosen"), chosen)
    assert page.context["count"] == 2
    values = {
        "apply": "1",
        "lacks": ["tlsrpt", "mta-sts"],
        "reason": "Moves in spring.",
        "expires_on": day(90).isoformat(),
        "approver": manager.pk,
    }
    answer = client.post(reverse("domains:except_chosen"), chosen | values)

    assert answer["Location"] == reverse("coverage:exceptions")
    made = set(CoverageException.objects.values_list("domain__name", "lack"))
    assert made == {
        (name, lack) for name in ("bare.example", "other.example") for lack in ("tlsrpt", "mta-sts")
    }
    assert AuditEntry.objects.filter(verb="granted an exception", actor=manager).count() == 4


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        (["tlsrpt"], "0 exceptions granted. 1 was running already and stays as it is."),
        (
            ["tlsrpt", "dane", "mta-sts"],
            "1 exception granted. 2 were running already and stay as they are.",
        ),
    ],
)
def test_what_ran_already_is_counted_in_words(client, manager, bare, lacks, words):
    grant(manager, bare, Lack.TLSRPT, Lack.DANE)
    values = {"apply": "1", "pk": bare.pk, "lacks": lacks, "reason": "Moves in spring."}
    more = {"expires_on": day(90).isoformat(), "approver": manager.pk}

    page = client.post(reverse("domains:except_chosen"), values | more, follow=True)

    assert [str(one) for one in page.context["messages"]] == [words]


def test_the_form_says_what_is_wrong_and_grants_nothing(client, manager, bare):
    values = {"apply": "1", "pk": bare.pk, "lacks": "tlsrpt", "reason": "Why not.", "approver": 0}

    page = client.post(
        reverse("domains:except_chosen"), values | {"expires_on": day(800).isoformat()}
    )
    errors = page.context["form"].errors
    assert set(errors) == {"approver"}

    page = client.post(
        reverse("domains:except_chosen"),
        values | {"approver": manager.pk, "expires_on": day(800).isoformat()},
    )
    assert "At most two years" in page.context["form"].errors["expires_on"][0]
    assert not CoverageException.objects.exists()


def test_only_managers_of_all_chosen_domains_can_approve(client, team, manager, bare):
    everywhere = make_member(None, Role.MANAGER)
    make_member(team, Role.ANALYST)
    make_member(TeamFactory(), Role.MANAGER)

    page = client.post(reverse("domains:except_chosen"), {"pk": bare.pk})

    offered = set(page.context["form"].fields["approver"].queryset)
    assert offered == {manager, everywhere}


def test_an_excepted_domain_still_shows_what_it_lacks(client, manager, bare):
    held = grant(manager, bare)

    for address in (bare.get_absolute_url(), reverse("domains:list")):
        text = client.get(address).content.decode()
        assert "Missing" in text
        assert text.count("<span>Excepted</span>") == 1
    assert held.reason in client.get(bare.get_absolute_url()).content.decode()
    csv = client.get(reverse("domains:list"), {"export": "csv"}).content.decode()
    assert "Missing (excepted)" in csv


def test_the_filters_tell_excepted_and_unexcused_lacks_apart(client, team, manager, bare):
    half = make_domain("half.example", team, tlsrpt="missing", mta_sts="missing")
    slow = make_domain("slow.example", team, sts_mode="testing")
    make_domain("good.example", team)
    grant(manager, bare, Lack.TLSRPT, Lack.MTA_STS)
    grant(manager, half, Lack.TLSRPT)
    grant(manager, slow, Lack.ENFORCE)
    make_domain("parked.example", team, mx="null-mx", tlsrpt="missing", mta_sts="missing")
    make_domain("off.example", team, sts_mode="none")
    make_domain("silent.example", team, tlsrpt="missing")

    def listed(exception):
        page = client.get(reverse("domains:list"), {"exception": exception})
        return [row.record.name for row in page.context["table"].paginated_rows]

    assert listed("tlsrpt") == ["bare.example", "half.example"]
    assert listed("enforce") == ["bare.example", "slow.example"]
    assert listed("unexcused") == ["half.example", "off.example", "silent.example"]
    assert listed("unexcused-tlsrpt") == ["silent.example"]
    assert listed("unexcused-mta-sts") == ["half.example", "off.example"]


def test_a_domain_that_takes_no_mail_lacks_nothing(client, team, manager):
    parked = make_domain("parked.example", team, mx="null-mx", tlsrpt="missing", mta_sts="missing")
    held = grant(manager, parked)

    assert not with_lacking(CoverageException.objects.filter(pk=held.pk)).get().is_lacking


def test_what_needs_somebody_leaves_exceptions_out_and_leads_to_the_others(client, team, manager):
    enforcing = make_domain("enforcing.example", team, tlsrpt="missing")
    excepted = make_domain("excepted.example", team, tlsrpt="missing")
    make_domain("testing.example", team, tlsrpt="missing", sts_mode="testing")
    make_domain("parked.example", team, mx="null-mx", tlsrpt="missing")
    grant(manager, excepted, Lack.TLSRPT)

    needs = {need.title: need for need in client.get(reverse("overview")).context["attention"]}

    words = "without TLS-RPT, not excepted"
    assert set(needs) == {f"1 domain enforces {words}", f"2 domains {words}"}
    for title, names in (
        (f"1 domain enforces {words}", [enforcing.name]),
        (f"2 domains {words}", ["enforcing.example", "testing.example"]),
    ):
        page = client.get(needs[title].href)
        assert [row.record.name for row in page.context["table"].paginated_rows] == names


def test_the_coverage_says_how_many_lacks_are_excepted(client, team, manager, bare):
    make_domain("second.example", team, tlsrpt="missing")
    grant(manager, bare)

    [row] = client.get(reverse("coverage")).context["rows"]
    cell = next(cell for cell in row.counts if cell.excepted)

    assert (cell.count, cell.excepted) == (2, 1)
    listed = client.get(cell.excepted_href).context["table"].paginator
    assert listed.count == 1
    csv = client.get(reverse("coverage"), {"export": "csv"}).content.decode()
    line = next(line for line in csv.splitlines() if ",bare.example," in line)
    assert line.endswith(f",TLS-RPT,{day(60)},Moves in spring.,Mara,bare.example")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"running.example", "soon.example"}),
        ({"state": "expiring"}, {"soon.example"}),
        ({"state": "expired"}, {"lapsed.example", "mended.example"}),
        ({"state": "lapsed"}, {"lapsed.example"}),
        ({"state": "ended"}, {"ended.example"}),
        ({"q": "RUNNING"}, {"running.example"}),
        ({"state": "any", "lack": "dane"}, set()),
    ],
    ids=["running", "expiring", "expired", "lapsed", "ended", "search", "other lack"],
)
def test_the_list_is_narrowed_by_state(client, team, manager, query, names):
    for name in ("running", "soon", "lapsed", "mended", "ended"):
        tlsrpt = "valid" if name == "mended" else "missing"
        grant(manager, make_domain(f"{name}.example", team, tlsrpt=tlsrpt))
    held = CoverageException.objects
    past = {"starts_on": day(-90), "expires_on": day(-3)}
    held.filter(domain__name="soon.example").update(expires_on=day(30))
    held.filter(domain__name__in=["lapsed.example", "mended.example"]).update(**past)
    held.filter(domain__name="ended.example").update(ended_on=day(0))

    page = client.get(reverse("coverage:exceptions"), query)

    shown = {row.record.domain.name for row in page.context["table"].paginated_rows}
    assert shown == names


def test_the_list_is_saved_as_shown(client, manager, bare):
    grant(manager, bare, reason="=cmd")

    csv = client.get(reverse("coverage:exceptions"), {"export": "csv"}).content.decode()

    header, line = csv.splitlines()
    assert header == "Domain,Team,May lack,Now,Exception,Until,Reason,Approved by,From"
    assert line == f"bare.example,Retail,TLS-RPT,Missing,Running,{day(60)},'=cmd,Mara,{day(0)}"


def test_one_is_renewed_and_ended_on_its_page(client, manager, bare):
    held = grant(manager, bare)
    values = {"reason": "Longer.", "expires_on": day(300).isoformat(), "approver": manager.pk}

    client.post(reverse("coverage:renew_exception", args=[held.pk]), values)
    new = CoverageException.objects.get(renews=held)
    client.post(reverse("coverage:end_exception", args=[new.pk]), {"reason": "Done."})

    new.refresh_from_db()
    assert (new.reason, new.end_reason, new.ended_on) == ("Longer.", "Done.", day(0))
    text = client.get(new.get_absolute_url()).content.decode()
    assert "Renewed" in text
    again = client.post(
        reverse("coverage:end_exception", args=[new.pk]), {"reason": "Twice."}, follow=True
    )
    assert "over already" in again.content.decode()


def test_a_viewer_sees_and_does_not_touch(client, team, manager, bare):
    held = grant(manager, bare)
    client.force_login(make_member(team, Role.VIEWER))

    page = client.get(held.get_absolute_url())
    assert page.status_code == 200
    assert page.context["may_edit"] is False
    assert client.get(reverse("coverage:renew_exception", args=[held.pk])).status_code == 403
    ended = client.post(reverse("coverage:end_exception", args=[held.pk]), {"reason": "x"})
    assert ended.status_code == 403
    client.post(
        reverse("domains:except_chosen"),
        {"pk": bare.pk, "apply": "1", "lacks": "dane", "reason": "x", "expires_on": day(9)},
    )
    assert CoverageException.objects.count() == 1


def test_a_stranger_learns_of_none(client, manager, bare):
    held = grant(manager, bare)
    client.force_login(make_member(TeamFactory(), Role.MANAGER))

    for name in ("exception", "renew_exception"):
        assert client.get(reverse(f"coverage:{name}", args=[held.pk])).status_code == 404
    ended = client.post(reverse("coverage:end_exception", args=[held.pk]), {"reason": "x"})
    assert ended.status_code == 404
    listed = client.get(reverse("coverage:exceptions"), {"state": "any"})
    assert listed.context["table"].paginator.count == 0


@pytest.fixture
def call(client, manager):
    def send(method, path, body=None, user=manager):
        secret = create_token(user, "script")[1]
        return client.generic(
            method,
            f"/api/v1/exceptions{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secret}"},
        )

    return send


def test_the_api_grants_renews_and_ends(call, manager, bare):
    body = {"reason": "Moves.", "expires_on": day(50).isoformat()}

    made = call("POST", "", body | {"domains": ["bare.example"], "lacks": ["tlsrpt"]})
    [listed] = call("GET", f"?on={day(0)}&lack=tlsrpt").json()["items"]
    renewed = call("POST", f"/{listed['id']}/renew", body | {"approver": manager.email}).json()
    ended = call("POST", f"/{renewed['id']}/end", {"reason": "Published."}).json()

    assert made.json() == {"made": 1, "running": 0}
    assert (listed["domain"], listed["is_running"], listed["is_lacking"]) == (
        "bare.example",
        True,
        True,
    )
    assert (renewed["approved_by"], renewed["is_running"]) == ("Mara", True)
    assert (ended["is_running"], ended["end_reason"]) == (False, "Published.")
    assert call("GET", f"?on={day(0)}").json()["items"] == []


def test_the_api_refuses_the_domains_of_others(call, manager, bare):
    held = grant(manager, bare)
    stranger = make_member(TeamFactory(), Role.MANAGER)
    body = {"reason": "Moves.", "expires_on": day(50).isoformat()}
    wanted = body | {"domains": ["bare.example"], "lacks": ["dane"]}

    assert call("POST", "", wanted, user=stranger).status_code == 404
    assert call("POST", f"/{held.pk}/renew", body, user=stranger).status_code == 404
    assert call("POST", f"/{held.pk}/end", {"reason": "x"}, user=stranger).status_code == 404
    assert call("GET", "", user=stranger).json()["count"] == 0
    assert call("POST", "", wanted | {"reason": " "}).status_code == 422
    assert CoverageException.objects.count() == 1


def test_the_api_names_what_it_does_not_find(call, bare):
    body = {"lacks": ["dane"], "reason": "Moves.", "expires_on": day(50).isoformat()}
    others = [f"d{number}.example" for number in range(10, 21)]

    unknown = call("POST", "", body | {"domains": ["bare.example", *others]})
    nobody = call("POST", "", body | {"domains": ["bare.example"], "approver": "x@corp.example"})

    assert (unknown.status_code, nobody.status_code) == (404, 404)
    assert "d10.example, d11.example" in unknown.json()["detail"]
    assert "d19.example and 1 more" in unknown.json()["detail"]
    assert "bare.example" not in unknown.json()["detail"]
    assert "x@corp.example" in nobody.json()["detail"]
    assert not CoverageException.objects.exists()
