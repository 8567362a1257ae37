from datetime import timedelta

import pytest
from django.utils import timezone

from reports.models import Channel, Receipt
from tlsrpt_portal import health
from tlsrpt_portal.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue(settings, tmp_path):
    settings.REDIS_URL = ""
    settings.QUEUE_DIR = tmp_path
    (tmp_path / "messages").mkdir()


def test_alive_needs_no_log_in(client):
    assert client.get("/healthz").status_code == 200


def test_ready_when_the_worker_has_beaten(client, queue):
    health.beat("worker")

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True


def test_not_ready_while_no_worker_works(client, queue):
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["checks"]["worker"] == {"ok": False, "detail": "no heartbeat yet"}


def test_not_ready_when_the_worker_has_gone_silent(client, queue):
    Heartbeat.objects.create(part="worker", at=timezone.now() - timedelta(minutes=5))

    assert client.get("/readyz").status_code == 503


def test_not_ready_without_a_queue(client, settings, tmp_path):
    settings.REDIS_URL = ""
    settings.QUEUE_DIR = tmp_path / "missing"
    health.beat("worker")

    checks = client.get("/readyz").json()["checks"]

    assert checks["broker"]["ok"] is False


def test_not_ready_when_documents_wait_too_long(client, queue):
    health.beat("worker")
    Receipt.objects.create(
        channel=Channel.HTTPS, received_at=timezone.now() - health.OLDEST_RECEIPT
    )

    checks = client.get("/readyz").json()["checks"]

    assert checks["receipts"]["ok"] is False


def test_metrics_are_for_this_machine_or_the_token(client, settings, queue):
    assert client.get("/metrics", REMOTE_ADDR="198.51.100.1").status_code == 403
    here = client.get("/metrics", REMOTE_ADDR="127.0.0.1")

    settings.METRICS_TOKEN = "prometheus-token"
    refused = client.get("/metrics", REMOTE_ADDR="127.0.0.1")
    allowed = client.get("/metrics", headers={"Authorization": "Bearer prometheus-token"})

    assert b"tlsrpt_domains 0.0" in here.content
    assert (refused.status_code, allowed.status_code) == (403, 200)
