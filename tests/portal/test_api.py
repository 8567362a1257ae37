import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, Membership, Team, User
from accounts.roles import Role
from accounts.services.tokens import create_token, revoke_token
from alerts.models import Incident
from alerts.services.evaluate import evaluate
from domains.models import Domain
from domains.services.record_check import record_check
from reports.services.roll_up import rebuild_sums, roll_up
from tests.alerts.figures import TODAY, add_day
from tests.domains.observations import AT, observed
from tests.factories import make_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Alice manages Mail with a.example; Charlie is in Web with b.example."""
    mail, web = Team.objects.create(name="Mail"), Team.objects.create(name="Web")
    alice, charlie = (User.objects.create_user(f"{n}@corp.example") for n in ("alice", "charlie"))
    Membership.objects.create(user=alice, team=mail, role=Role.MANAGER)
    Membership.objects.create(user=charlie, team=web, role=Role.MANAGER)
    a = Domain.objects.create(name="a.example", team=mail)
    Domain.objects.create(name="b.example", team=web)
    record_check(a, observed(), AT)
    return {"alice": alice, "charlie": charlie, "mail": mail}


@pytest.fixture
def call(client, world):
    """Call the API as Alice, or as somebody else."""
    secrets = {name: create_token(world[name], "script")[1] for name in ("alice", "charlie")}
    secrets["nobody"] = "no-token"

    def send(method, path, body=None, who="alice"):
        return client.generic(
            method,
            f"/api/v1{path}",
            "" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {secrets[who]}"},
        )

    return send


def test_a_call_without_a_token_is_refused_and_not_redirected(client, world):
    assert client.get("/api/v1/domains").status_code == 401


def test_a_log_in_alone_opens_nothing(client, world):
    client.force_login(
        world["alice"], backend="allauth.account.auth_backends.AuthenticationBackend"
    )

    assert client.get("/api/v1/domains").status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "person gone"])
def test_a_token_that_is_over_is_refused(call, world, end):
    token = ApiToken.objects.get(user=world["alice"])
    if end == "revoked":
        revoke_token(token)
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.update(is_active=False)

    assert call("GET", "/domains").status_code == 401


def test_the_description_is_there_for_those_with_a_token(call):
    answer = call("GET", "/openapi.json")

    assert answer.status_code == 200
    assert "/api/v1/domains" in answer.json()["paths"]


def test_the_description_tells_of_errors_and_of_raw_reports(call):
    described = call("GET", "/openapi.json").json()
    calls = {
        (method, path): one["responses"]
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    }

    assert all("default" in answers for answers in calls.values())
    (told,) = {json.dumps(answers["default"]["content"]) for answers in calls.values()}
    assert json.loads(told) == {
        "application/json": {"schema": {"$ref": "#/components/schemas/ErrorOut"}}
    }
    fault = described["components"]["schemas"]["ErrorOut"]["properties"]["detail"]
    assert [kind["type"] for kind in fault["anyOf"]] == ["string", "array"]
    raw = calls["get", "/api/v1/reports/{pk}/raw"]["200"]
    assert list(raw["content"]) == ["application/tlsrpt+json"]


def test_each_person_sees_the_domains_of_their_teams(call):
    names = [item["domain"] for item in call("GET", "/domains").json()["items"]]

    assert names == ["a.example"]
    assert call("GET", "/domains/b.example").status_code == 404


def test_an_empty_team_means_the_domains_of_none(call, world):
    Domain.objects.create(name="nobodys.example")
    assert call("GET", "/domains?team=").json()["items"] == []

    world["alice"].role_everywhere = Role.VIEWER
    world["alice"].save()

    names = [item["domain"] for item in call("GET", "/domains?team=").json()["items"]]
    assert names == ["nobodys.example"]
    assert call("GET", "/figures?team=").status_code == 200


@pytest.mark.parametrize("path", ["/domains", "/figures", "/failures", "/incidents", "/exceptions"])
def test_a_misspelt_filter_is_refused_and_the_known_ones_are_named(call, path):
    answer = call("GET", f"{path}?teem=Web")

    assert answer.status_code == 422
    (fault,) = answer.json()["detail"]
    assert fault["loc"] == ["query", "teem"]
    described = call("GET", "/openapi.json").json()["paths"][f"/api/v1{path}"]["get"]
    for parameter in described["parameters"]:
        assert parameter["name"] in fault["msg"]
        known = call("GET", f"{path}?{parameter['name']}=").content
        assert b"Not a parameter" not in known
    assert call("GET", f"{path}?teem=Web", who="nobody").status_code == 401


def test_one_domain_takes_no_filter(call):
    assert call("GET", "/domains/a.example?team=Mail").json()["detail"][0]["msg"] == (
        "Not a parameter of this call; it has none."
    )


def test_an_exception_of_nothing_is_refused(call):
    body = {"domains": [], "lacks": [], "reason": "Moves.", "expires_on": "2027-01-01"}

    answer = call("POST", "/exceptions", body)

    assert answer.status_code == 422
    assert [fault["loc"][-1] for fault in answer.json()["detail"]] == ["domains", "lacks"]


def test_a_domain_comes_with_what_the_newest_check_saw(call):
    answer = call("GET", "/domains/a.example").json()

    assert answer["posture"]["sts_mode"] == "enforce"
    assert answer["posture"]["judgement"]["tlsrpt"]["status"] == "valid"


def test_domains_are_added_and_changed_and_each_line_has_its_fate(call, world):
    body = [{"domain": "c.example", "team": "Mail"}, {"domain": "bad name", "team": "Mail"}]

    added = call("POST", "/domains", body).json()
    changed = call("PATCH", "/domains/c.example", {"owner": "x@c.example", "add_tags": ["t"]})

    assert [line["status"] for line in added] == ["created", "rejected"]
    assert changed.json()["owner"] == "x@c.example"
    assert changed.json()["tags"] == ["t"]
    entry = AuditEntry.objects.filter(verb="changed domain").first()
    assert (entry.actor, entry.channel) == (world["alice"], "api")


def test_more_domains_than_a_call_takes_are_refused_before_any_is_added(call, monkeypatch):
    monkeypatch.setattr("domains.api.MOST_AT_ONCE", 1)
    body = [{"domain": "c.example", "team": "Mail"}, {"domain": "d.example", "team": "Mail"}]

    answer = call("POST", "/domains", body)

    assert "the limit of a call is 1" in answer.json()["detail"]
    assert not Domain.objects.filter(name__in=["c.example", "d.example"]).exists()


def test_a_field_that_no_call_knows_is_refused_and_nothing_changes(call):
    misspelt = call("PATCH", "/domains/a.example", {"is_activ": False, "owner": "x@a.example"})

    assert misspelt.status_code == 422
    assert misspelt.json()["detail"][0]["loc"][-1] == "is_activ"
    assert Domain.objects.get(name="a.example").owner == ""


def test_a_method_that_no_call_has_is_told_as_json(call):
    answer = call("PUT", "/domains/a.example", {})

    assert answer.status_code == 405
    assert answer["Allow"] == "DELETE, GET, PATCH"
    assert answer.json() == {"detail": "Method Not Allowed: PUT. Use DELETE, GET, PATCH."}


def test_a_fault_of_ours_is_told_in_json_and_logged(call, monkeypatch, caplog):
    def break_down(*args):
        raise RuntimeError("a secret")

    monkeypatch.setattr("domains.api.request_checks", break_down)

    answer = call("POST", "/domains/a.example/check")

    assert answer.status_code == 500
    assert answer.json() == {
        "detail": "The portal could not do this. What went wrong is in its log."
    }
    assert "a secret" in caplog.text


def test_a_team_that_is_not_there_is_told_by_its_name(call):
    answer = call("PATCH", "/domains/a.example", {"team": "Mial"})

    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "Not Found: a team called Mial."},
    )


def test_a_stranger_changes_nothing(call):
    assert call("PATCH", "/domains/a.example", {"owner": ""}, who="charlie").status_code == 404
    assert call("DELETE", "/domains/a.example", who="charlie").status_code == 404
    assert call("POST", "/domains/a.example/check", who="charlie").status_code == 404


def test_a_viewer_may_look_and_not_touch(call, world):
    Membership.objects.filter(user=world["alice"]).update(role=Role.VIEWER)

    assert call("GET", "/domains/a.example").status_code == 200
    refused = call("DELETE", "/domains/a.example")
    assert refused.status_code == 403
    assert "role manager" in refused.json()["detail"]


def test_a_check_is_asked_for(call):
    Domain.objects.update(next_check_at=timezone.now() + timedelta(days=1))

    assert call("POST", "/domains/a.example/check").status_code == 202
    assert Domain.objects.get(name="a.example").next_check_at <= timezone.now()


def test_figures_and_failures_are_those_of_the_domains_one_sees(call):
    add_day("a.example", 1, 100, 40)
    add_day("b.example", 1, 900, 90)
    rebuild_sums()
    span = f"since={TODAY - timedelta(days=1)}&until={TODAY - timedelta(days=1)}"

    (day,) = call("GET", f"/figures?{span}").json()
    (cause,) = call("GET", f"/failures?{span}").json()["items"]

    assert (day["sessions"], day["failures"], day["failure_rate"]) == (100, 40, 0.4)
    assert (cause["result_type"], cause["failed_sessions"]) == ("certificate-expired", 40)


def test_failures_come_in_pages_by_host_or_by_who_runs_it(call):
    hosts = ("mx1.hoster.example", "mx2.hoster.example", "")
    for back, mx in enumerate(hosts, start=1):
        add_day("a.example", back, 100, 50 - 10 * back, mx=mx)
    rebuild_sums()
    span = f"since={TODAY - timedelta(days=3)}&until={TODAY - timedelta(days=1)}"

    first = call("GET", f"/failures?{span}&limit=2").json()
    second = call("GET", f"/failures?{span}&limit=2&offset=2").json()
    by_operator = call("GET", f"/failures?{span}&by=operator").json()

    told = [(one["receiving_mx"], one["operator"]) for one in first["items"] + second["items"]]
    assert told == [("mx1.hoster.example", None), ("mx2.hoster.example", None), ("", None)]
    assert first["count"] == second["count"] == 3
    assert [
        (one["operator"], one["receiving_mx"], one["failed_sessions"], one["domains"])
        for one in by_operator["items"]
    ] == [("hoster.example", None, 70, 1), ("", None, 20, 1)]
    assert call("GET", "/failures?by=colour").status_code == 422


def test_a_span_that_ends_before_it_begins_is_explained(call):
    answer = call("GET", "/figures?since=2026-11-02&until=2026-11-01")

    assert answer.status_code == 422
    assert "must be" in answer.json()["detail"]


def test_an_incident_is_handled(call, world):
    add_day("a.example", 1, 100, 40)
    evaluate(datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC))
    incident = Incident.objects.get()

    (listed,) = call("GET", "/incidents").json()["items"]
    taken = call("POST", f"/incidents/{incident.pk}/acknowledge", {"text": "on it"}).json()
    again = call("POST", f"/incidents/{incident.pk}/acknowledge", {})

    assert listed["id"] == incident.pk
    assert (taken["state"], taken["assignee"]) == ("acknowledged", "alice@corp.example")
    assert taken["domains"] == ["a.example"]
    assert again.status_code == 409
    assert call("GET", f"/incidents/{incident.pk}", who="charlie").status_code == 404


@pytest.mark.parametrize("page", ["offset=99999999999999999999", "limit=0", "offset=-1"])
def test_a_page_that_cannot_be_is_refused(call, page):
    assert call("GET", f"/domains?{page}").status_code == 422


def test_a_report_is_given_as_it_came_to_those_who_may_see_all_of_it(call, world):
    mine, theirs = Domain.objects.get(name="a.example"), Domain.objects.get(name="b.example")
    whole, shared = (make_report(mine, TODAY, reporter=name) for name in ("One", "Two"))
    result = shared.results.get()
    result.pk, result.domain, result.policy_domain, result.position = None, theirs, "b.example", 1
    result.save()

    assert call("GET", f"/reports/{whole.pk}/raw").content == whole.json_text
    assert call("GET", f"/reports/{shared.pk}/raw").status_code == 403
    assert len(call("GET", f"/reports/{shared.pk}").json()["results"]) == 1

    Membership.objects.create(user=world["alice"], team=theirs.team, role=Role.VIEWER)
    assert call("GET", f"/reports/{shared.pk}/raw").status_code == 200


def test_paused_domains_count_only_where_they_are_asked_for_by_name(call, world):
    day = timezone.now().date() - timedelta(days=2)
    paused = Domain.objects.create(name="paused.example", team=world["mail"], is_active=False)
    for domain, failures in ((Domain.objects.get(name="a.example"), 10), (paused, 3)):
        make_report(domain, day, failures=failures)
    roll_up()

    for query, expected in (("", 10), ("?team=Mail", 10), ("?domain=paused.example", 3)):
        [cause] = call("GET", f"/failures{query}").json()["items"]
        days = call("GET", f"/figures{query}").json()
        assert (cause["failed_sessions"], sum(one["failures"] for one in days)) == (
            expected,
            expected,
        )


@pytest.mark.parametrize("body", [{"owner": "nobody"}, {"add_tags": ["fine", "x" * 51]}])
def test_an_owner_or_tag_that_cannot_be_is_refused(call, body):
    assert call("PATCH", "/domains/a.example", body).status_code == 422

    domain = Domain.objects.get(name="a.example")
    assert (domain.owner, domain.tags.count()) == ("", 0)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["zero byte", "half a pair"])
@pytest.mark.parametrize(
    ("path", "make_body"),
    [
        ("/domains", lambda text: [{"domain": "new.example", "team": text}]),
        (
            "/exceptions",
            lambda text: {
                "domains": ["a.example"],
                "lacks": ["mta-sts"],
                "reason": text,
                "expires_on": str(timezone.now().date() + timedelta(days=30)),
            },
        ),
    ],
    ids=["domains", "exceptions"],
)
def test_a_body_with_text_that_no_database_keeps_is_refused(call, path, make_body, text):
    answer = call("POST", path, make_body(text))

    assert answer.status_code == 422
    assert "zero byte" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/nowhere", "/domains/", "/domains/a.example/nowhere"])
def test_an_address_of_no_call_is_told_as_json(call, path):
    answer = call("GET", path)

    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}


def test_an_address_of_no_call_asks_scripts_for_no_cookie():
    answer = Client(enforce_csrf_checks=True).post("/api/v1/nowhere")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
