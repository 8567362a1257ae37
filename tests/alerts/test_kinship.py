"""One incident for one cause, whether checks see it, senders tell of it, or both."""

from datetime import UTC, date, datetime, timedelta
from importlib import import_module

import pytest
import time_machine
from django.apps import apps

from accounts.models import User
from alerts.lifecycle import State
from alerts.messages import incident_message
from alerts.models import Incident, IncidentDomain, Notification, Rule, RuleKind, Severity
from alerts.rules.kinship import FAILS_WITH, Signs, is_kin
from alerts.rules.posture import _CHANGES
from alerts.services import handle
from alerts.services.destinations import save_destination
from alerts.services.evaluate import evaluate
from domains.models import Domain
from domains.services.record_check import record_check
from mailtls.catalogue.result_types import RESULT_TYPES
from tests.alerts.figures import TODAY, add_day
from tests.domains.observations import observed

DAY = date(2026, 11, 19)
NOW = datetime(TODAY.year, TODAY.month, TODAY.day, 6, tzinfo=UTC)


def signs(**more):
    return Signs(
        **{
            "is_seen": False,
            "types": frozenset({"certificate-expired"}),
            "site": "hoster.test",
            "since_on": DAY,
            "domain_count": 10,
        }
        | more
    )


SEEN = {"is_seen": True, "types": FAILS_WITH["starttls.cert.expires-soon"]}


@pytest.mark.parametrize(
    ("held", "new", "shared", "expected"),
    [
        pytest.param(signs(**SEEN), signs(), 10, True, id="checks first"),
        pytest.param(signs(), signs(**SEEN), 10, True, id="senders first"),
        pytest.param(signs(**SEEN, since_on=DAY - timedelta(21)), signs(), 10, True, id="stands"),
        pytest.param(signs(since_on=DAY - timedelta(21)), signs(**SEEN), 10, False, id="chronic"),
        pytest.param(signs(**SEEN), signs(), 4, False, id="few domains in both"),
        pytest.param(signs(**SEEN), signs(site="other.test"), 10, False, id="other operator"),
        pytest.param(signs(**SEEN), signs(site=""), 10, True, id="operator unknown"),
        pytest.param(signs(), signs(), 10, False, id="two of failures"),
        pytest.param(
            signs(**SEEN), signs(types=frozenset({"tlsa-invalid"})), 10, False, id="other failures"
        ),
        pytest.param(signs(**SEEN), signs(types=frozenset({""})), 10, True, id="unnamed failures"),
        pytest.param(
            signs(**SEEN),
            signs(is_seen=True, types=FAILS_WITH["sts.mx.not-covered"]),
            10,
            False,
            id="two checks with nothing but a vague name in common",
        ),
    ],
)
def test_kin_share_domains_operator_time_and_the_way_sessions_fail(held, new, shared, expected):
    assert is_kin(held, new, shared) is expected


def test_only_codes_and_result_types_that_exist_are_kin():
    find_codes = {
        "sts.mx.not-covered",
        "sts.cert.expires-soon",
        "starttls.cert.expires-soon",
        "change.sts.broken",
        "change.dane.broken",
        "change.starttls.broken",
    }

    assert set(FAILS_WITH) <= find_codes | set(_CHANGES)
    assert set().union(*FAILS_WITH.values()) <= set(RESULT_TYPES)


@pytest.fixture
def domain(db):
    Rule.objects.exclude(kind__in=[RuleKind.POSTURE, RuleKind.REGRESSION]).delete()
    return Domain.objects.create(name="a.example")


@pytest.fixture
def destination(domain):
    return save_destination(
        User.objects.create_superuser("root@corp.example"),
        name="Team",
        kind="email",
        address="team@corp.example",
        team=None,
        minimum_severity=Severity.LOW,
    )


def see(domain, hours, **world):
    """Check the domain so many hours before NOW."""
    at = NOW - timedelta(hours=hours)
    record_check(domain, observed(domain.name, at=at, **world), at)


def report(back, failed=0, **more):
    return add_day("a.example", back, 1000, failed, mx="mx1.new.test", **more)


def past(days=30, until=3):
    for back in range(days, until - 1, -1):
        report(back)


def test_failures_join_what_the_checks_saw_first(domain, destination):
    past()
    see(domain, 30, mode="testing")
    for hours in (29, 28):
        see(domain, hours, mx=("mx1.new.test",), mode="testing")
    evaluate(NOW - timedelta(days=1))
    whole = Incident.objects.get()
    assert whole.severity == Severity.MEDIUM
    report(2)
    report(1, 900, result_type="validation-failure")

    evaluate(NOW)

    part = Incident.objects.get(part_of=whole)
    whole.refresh_from_db()
    assert list(Incident.objects.visible_to(User.objects.get())) == [whole]
    assert (whole.failed_sessions, whole.sessions) == (900, 1000)
    assert whole.severity == part.severity == Severity.HIGH
    assert whole.reporters == ["Google Inc."]
    assert whole.incident_domains.get().failed_sessions == 900
    joined = whole.events.get(event="worsened")
    assert joined.text.startswith("Senders report it, too: 900 of 1,000")
    told = Notification.objects.values_list("incident", "event__event")
    assert sorted(told) == [(whole.pk, "opened"), (whole.pk, "worsened")]


def test_sessions_are_told_with_their_own_days_wherever_else_it_is_seen(domain, client):
    past()
    see(domain, 200)
    for hours in (199, 198):
        see(domain, hours, mx=("mx1.new.test",))
    evaluate(NOW - timedelta(days=8))
    report(2)
    report(1, 900, result_type="validation-failure")
    evaluate(NOW)
    see(domain, 1, mx=("mx1.new.test",))
    evaluate(NOW)

    whole = Incident.objects.get(part_of=None)
    [row] = whole.incident_domains.all()
    day = TODAY - timedelta(days=1)
    assert (whole.since_on, whole.last_seen_on) == (TODAY - timedelta(days=8), TODAY)
    for one in (whole, row):
        assert (one.failed_first_on, one.failed_last_on) == (day, day)
        assert (one.failed_sessions, one.sessions) == (900, 1000)
    user = User.objects.create_superuser("root@corp.example")
    client.force_login(user)
    said = "90.0\xa0% of 1,000 on 19 Nov 2026"
    assert said in client.get(whole.get_absolute_url()).content.decode()
    overview = client.get("/").context["attention"]
    assert "90.0\xa0% of 1,000 sessions on 19 Nov 2026" in next(need.detail for need in overview)
    [listed] = client.get("/incidents/").context["table"].paginated_rows
    assert "19 Nov" in listed.get_cell("failed_sessions")
    about = client.get(domain.get_absolute_url()).content.decode()
    assert "900 of 1,000 sessions failed on 19 Nov 2026" in about
    event = whole.events.first()
    message = incident_message(whole, event, "x")
    for text in (message.text, message.html):
        assert "on 19 Nov 2026 (UTC). First signs: 12 Nov 2026." in text
    assert message.payload["incident"]["failed_first_on"] == "2026-11-19"
    url = whole.get_absolute_url()
    saved = client.get(f"{url}?export=csv&table=domains").content.decode()
    assert ",900,1000,90.00%,2026-11-19,2026-11-19,2026-11-12,2026-11-20" in saved


def test_failing_days_of_before_are_found_at_what_the_rule_found(domain):
    whole, part = both(domain)
    Incident.objects.update(failed_first_on=None, failed_last_on=None)
    IncidentDomain.objects.update(failed_first_on=None, failed_last_on=None)

    import_module("alerts.migrations.0014_older_failing_days").fill(apps, None)

    day = TODAY - timedelta(days=1)
    for one in (Incident.objects.get(pk=whole.pk), whole.incident_domains.get()):
        assert (one.failed_first_on, one.failed_last_on) == (day, day)
    assert Incident.objects.get(pk=part.pk).failed_first_on is None


def test_what_the_checks_see_joins_the_failures_that_came_first(domain, destination):
    past(until=2)
    report(1, 900, result_type="validation-failure")
    evaluate(NOW)
    whole = Incident.objects.get()
    see(domain, 5)
    for hours in (4, 3):
        see(domain, hours, mx=("mx1.new.test",))

    evaluate(NOW)

    part = Incident.objects.get(part_of=whole)
    assert part.evidence["code"] == "sts.mx.not-covered"
    whole.refresh_from_db()
    assert whole.severity == Severity.CRITICAL
    assert "The checks see it, too" in "".join(whole.events.values_list("text", flat=True))
    assert (whole.failed_sessions, whole.sessions) == (900, 1000)


def both(domain):
    past(until=2)
    report(1, 900, result_type="validation-failure")
    see(domain, 5)
    for hours in (4, 3):
        see(domain, hours, mx=("mx1.new.test",))
    evaluate(NOW)
    return Incident.objects.get(part_of=None), Incident.objects.exclude(part_of=None).get()


def test_the_whole_is_not_over_before_its_part(domain):
    whole, part = both(domain)
    for back in (0, -1):
        report(back)
    evaluate(NOW + timedelta(days=2))
    whole.refresh_from_db()
    assert whole.state == State.OPEN

    for hours in (50, 51, 52, 53):
        see(domain, -hours)
        evaluate(NOW + timedelta(hours=hours))
    evaluate(NOW + timedelta(days=3))

    for one in (whole, part):
        one.refresh_from_db()
    assert (whole.state, part.state) == (State.RESOLVED, State.RESOLVED)
    assert "is over" in "".join(whole.events.values_list("text", flat=True))


def test_the_message_tells_of_both_sides(domain):
    whole, _ = both(domain)

    message = incident_message(whole, whole.events.last(), "x")

    for text in (message.text, message.html):
        assert "Seen as well: The policy does not cover the MX host mx1.new.test" in text
        assert "The checks see it, too" in text


def test_who_closes_the_whole_closes_its_parts(domain, destination):
    whole, part = both(domain)

    handle.resolve(whole, User.objects.get(), "The policy names it now.")

    part.refresh_from_db()
    assert part.state == State.RESOLVED
    evaluate(NOW)
    whole.refresh_from_db()
    assert whole.state == State.RESOLVED


def test_a_part_that_returns_opens_the_whole_again(domain):
    whole, part = both(domain)
    with time_machine.travel(NOW):
        handle.resolve(whole, User.objects.create_superuser("root@corp.example"), "Done.")
    see(domain, -26, mx=("mx1.new.test",))

    evaluate(NOW + timedelta(days=1, hours=3))

    for one in (whole, part):
        one.refresh_from_db()
    assert (whole.state, part.state) == (State.OPEN, State.OPEN)
    assert [event.event for event in whole.events.order_by("-pk")[:2]] == ["returned", "resolved"]


def test_failures_of_another_kind_at_the_domain_stay_apart(domain):
    past(until=2)
    report(1, 900, result_type="starttls-not-supported")
    see(domain, 5)
    for hours in (4, 3):
        see(domain, hours, mx=("mx1.new.test",))

    evaluate(NOW)

    assert Incident.objects.filter(part_of=None).count() == 2
