"""`/metrics` for Prometheus: what an operator wants to be woken for."""

from __future__ import annotations

import ipaddress
from hmac import compare_digest

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from accounts.client_address import client_address
from alerts.models import Incident, Notification
from domains.models import Domain, Posture
from reports.models import Receipt
from tlsrpt_portal.health import run_checks
from tlsrpt_portal.models import Heartbeat


@never_cache
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus, or 403 to whoever neither has the token nor sits on this machine."""
    if not _is_allowed(request):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=403)
    return HttpResponse(generate_latest(collect()), content_type=CONTENT_TYPE_LATEST)


def collect() -> CollectorRegistry:
    """Read all figures from the database; the same from whichever process answers."""
    registry = CollectorRegistry()
    now = timezone.now()

    def gauge(name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"tlsrpt_{name}", text, labels, registry=registry)

    up = gauge("part_up", "Whether a part of the portal works", ("part",))
    for part, (works, _) in run_checks().items():
        up.labels(part).set(works)
    beat = gauge("heartbeat_age_seconds", "Time since a part was last known to work", ("part",))
    for heartbeat in Heartbeat.objects.all():
        beat.labels(heartbeat.part).set((now - heartbeat.at).total_seconds())
    gauge("domains", "Watched domains").set(Domain.objects.active().count())
    overdue = Domain.objects.due(now)
    gauge("checks_due", "Domains whose check is due").set(overdue.count())
    postures = gauge("domains_by_status", "Domains by aspect and status", ("aspect", "status"))
    for aspect in ("tlsrpt", "mta_sts", "dane"):
        for row in Posture.objects.values(aspect).annotate(count=Count("pk")).order_by():
            postures.labels(aspect, row[aspect]).set(row["count"])
    waiting = Receipt.objects.filter(processed_at=None)
    gauge("receipts_waiting", "Received documents not processed yet").set(waiting.count())
    oldest = waiting.order_by("received_at").values_list("received_at", flat=True).first()
    gauge("receipts_oldest_seconds", "Age of the oldest unprocessed document").set(
        (now - oldest).total_seconds() if oldest else 0
    )
    gauge("incidents_active", "Incidents that are not over").set(
        Incident.objects.active().whole().count()
    )
    outbox = Notification.objects.filter(delivered_at=None)
    gauge("messages_waiting", "Messages not delivered yet").set(
        outbox.filter(failed_at=None).count()
    )
    gauge("messages_failed", "Messages given up").set(
        outbox.filter(failed_at__isnull=False).count()
    )
    return registry


def _is_allowed(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    if token:
        sent = request.META.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        return compare_digest(sent.encode(), token.encode())
    try:
        return ipaddress.ip_address(client_address(request)).is_loopback
    except ValueError:
        return False
