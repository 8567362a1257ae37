from datetime import timedelta

import pytest
from django.utils import timezone

from domains.models import Domain, Posture
from domains.services import run_checks as service
from tests.domains.observations import observed

pytestmark = pytest.mark.django_db


def stand_in(requests, options):
    for request in requests:
        yield observed(request.domain, at=timezone.now())


@pytest.fixture
def domains(settings):
    settings.PROBE_WITH = "tests.domains.test_run_checks.stand_in"
    return [Domain.objects.create(name=f"d{n}.example") for n in range(5)]


def test_what_is_claimed_is_claimed_once(domains):
    first = service.claim_due()
    second = service.claim_due()

    assert sorted(first) == sorted(domain.pk for domain in domains)
    assert second == []


def test_the_claim_of_a_dead_worker_ends(domains):
    service.claim_due()
    long_ago = timezone.now() - service.CLAIM_ENDS_AFTER - timedelta(seconds=1)
    Domain.objects.update(claimed_at=long_ago)

    assert len(service.claim_due()) == len(domains)


def test_domains_that_are_not_due_or_not_watched_are_left_alone(domains):
    Domain.objects.filter(name="d0.example").update(next_check_at=timezone.now() + timedelta(1))
    Domain.objects.filter(name="d1.example").update(is_active=False)

    assert len(service.claim_due()) == 3


def test_a_check_stores_a_posture_and_gives_the_domain_back(domains):
    recorded = service.run_checks(service.claim_due())

    assert len(recorded) == Posture.objects.count() == 5
    assert not Domain.objects.exclude(claimed_at=None).exists()
    assert service.claim_due() == []


def test_a_record_that_sends_reports_elsewhere_is_noticed(domains, settings):
    settings.MAIL_ADDRESS = "tlsrpt@in.corp.example"

    service.run_checks(service.claim_due())

    findings = Posture.objects.first().judgement["tlsrpt"]["findings"]
    assert "tlsrpt.rua.ours-missing" in [finding["code"] for finding in findings]
