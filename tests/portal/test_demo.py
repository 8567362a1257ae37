from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management.base import CommandError
from django.db.models import Sum

from accounts.models import Team, User
from alerts.lifecycle import State
from alerts.models import Incident, Notification
from alerts.services.evaluate import evaluate
from domains.lacks import Lack
from domains.models import CoverageException, Domain, Posture, StateChange
from mailtls.report import parse_report
from prober import Options, Request
from reports.models import DailySessions, Receipt
from tlsrpt_portal.demo import build as demo
from tlsrpt_portal.demo.observed import run_checks
from tlsrpt_portal.demo.report_documents import documents
from tlsrpt_portal.demo.world import TEAMS, domains
from tlsrpt_portal.pages.marks import marks_of

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_the_same_seed_gives_the_same_reports():
    for domain in domains()[:5]:
        assert list(documents(domain, TODAY)) == list(documents(domain, TODAY))


def test_what_the_made_up_senders_send_has_no_warnings():
    for domain in domains():
        for document in list(documents(domain, TODAY))[:3]:
            assert parse_report(document.body).findings == ()


def test_checks_of_demo_domains_touch_no_network():
    requests = [Request(domain=domain.name) for domain in domains()]

    seen = {observed.domain for observed in run_checks(requests, Options())}

    assert seen == {domain.name for domain in domains()}


@pytest.fixture
def world(monkeypatch, settings, db):
    """The demo with its last ten days, which hold all that matters here."""
    settings.MAIL_ADDRESS = "tlsrpt@reports.aurelia.example"
    monkeypatch.setattr(
        demo,
        "documents",
        lambda domain, today: (
            document
            for document in documents(domain, today)
            if document.day >= today - timedelta(days=10)
        ),
    )
    monkeypatch.setattr(demo, "EVALUATED_DAYS", 8)
    return demo.build("a-password-for-the-demo", NOW)


def the_demo_is_full_and_plausible(world):
    assert world.domains == Domain.objects.count() == 40
    assert set(Team.objects.values_list("name", flat=True)) == set(TEAMS)
    assert User.objects.filter(is_superuser=True).count() == 1
    for aspect, wanted in (
        ("tlsrpt", {"valid", "missing", "invalid"}),
        ("mta_sts", {"valid", "missing", "invalid"}),
        ("sts_mode", {"enforce", "testing", ""}),
        ("mx", {"valid", "null-mx"}),
        ("dane", {"valid", "missing"}),
    ):
        assert wanted <= set(Posture.objects.values_list(aspect, flat=True)), aspect
    assert Posture.objects.exclude(unknown_since=None).exists()
    outcomes = set(Receipt.objects.values_list("outcome", flat=True))
    assert outcomes == {"accepted", "rejected", "not-a-report"}
    assert not Receipt.objects.filter(received_at__gt=NOW).exists()


def the_demo_has_a_running_incident_that_somebody_handles(world):
    running = Incident.objects.active().get(result_type="certificate-expired")

    assert running.state == State.ACKNOWLEDGED
    assert running.assignee.email == "retail@aurelia.example"
    assert running.incident_domains.count() == 6
    assert not Notification.objects.filter(delivered_at=None).exists()


def no_incident_of_the_demo_asks_for_what_is_excepted(world):
    # The last days of the demo know no new domain: let all of them be new the day after.
    Domain.objects.update(created_at=NOW - timedelta(days=30))
    evaluate(NOW + timedelta(days=1))
    new = Incident.objects.active().filter(evidence__kind="new-uncovered")
    excepted = CoverageException.objects.filter(starts_on__lte=TODAY, expires_on__gte=TODAY)
    both = excepted.filter(lack=Lack.MTA_STS).values("domain")

    assert new.exists()
    assert not new.filter(incident_domains__domain__in=both).exists()


def failures_of_the_demo_end_on_the_day_a_certificate_was_renewed(world):
    domain = next(one for one in domains() if one.name == "kurier.example")
    renewed = StateChange.objects.filter(kind="sts-certificate", domain__name=domain.name)
    [late] = [row for row in renewed if row.findings[0]["code"].endswith("-late")]

    failed = {
        document.day
        for document in documents(domain, TODAY)
        if any(
            detail.result_type == "sts-webpki-invalid"
            for policy in parse_report(document.body).value.policies
            for detail in policy.details
        )
    }

    ended_at = datetime.fromisoformat(late.findings[0]["params"]["earlier_not_after"])
    assert min(failed) == ended_at.date()
    assert max(failed) == late.seen_at.date()
    [mark] = [mark for mark in marks_of([late], [], min(failed), TODAY) if mark.day == max(failed)]
    assert mark.words.startswith("Certificate of mta-sts.kurier.example renewed: valid until")


def certificates_of_the_demo_are_renewed_every_two_months(world):
    renewed = StateChange.objects.filter(kind="sts-certificate", domain__name="aurelia.example")

    assert 1 <= renewed.count() <= 2


def figures_of_the_demo_are_rolled_up(world):
    totals = DailySessions.objects.aggregate(
        ok=Sum("counted_successes"), failed=Sum("counted_failures")
    )

    assert totals["ok"] > 100_000
    assert totals["failed"] > 5_000


@pytest.mark.thorough
def test_the_demo_shows_what_it_is_for(world):
    # One demo for all of it: to build one takes longer than to look at it. The last changes it.
    the_demo_is_full_and_plausible(world)
    the_demo_has_a_running_incident_that_somebody_handles(world)
    failures_of_the_demo_end_on_the_day_a_certificate_was_renewed(world)
    certificates_of_the_demo_are_renewed_every_two_months(world)
    figures_of_the_demo_are_rolled_up(world)
    no_incident_of_the_demo_asks_for_what_is_excepted(world)


def test_a_portal_in_use_is_left_alone(db):
    Domain.objects.create(name="a.example")

    with pytest.raises(CommandError, match="DATA_DIR"):
        demo.build("a-password-for-the-demo", NOW)
