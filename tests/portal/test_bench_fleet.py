"""The fleet of the bench: its SQL names every column, and so breaks where a model changes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from alerts.models import Incident, Rule, RuleKind
from bench.page_fleet import Size, fill
from bench.pages import PAGES, placeholders, viewers
from domains.models import Domain
from reports.models import DailySessions
from tlsrpt_portal.settle import settle


@pytest.mark.skipif(connection.vendor != "postgresql", reason="made by PostgreSQL alone")
@pytest.mark.django_db(transaction=True, reset_sequences=True)
def test_the_fleet_of_the_bench_fits_the_models():
    if not Rule.objects.exists():  # tests that commit take away those of the migrations, too
        Rule.objects.create(name="Of the bench", kind=RuleKind.POSTURE)
    settle()
    fill(Size(domains=60, days=9, reporters=2, report_days=3))

    assert Domain.objects.count() == 60
    assert DailySessions.objects.exists()
    assert Incident.objects.exists()
    boss: Client = viewers()["administrator"]
    for page in PAGES:
        assert boss.get(page.format_map(placeholders())).status_code == 200, page
