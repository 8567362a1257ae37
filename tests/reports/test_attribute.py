"""Domains that come into the inventory after their reports."""

from __future__ import annotations

import pytest

from reports import intake_queries, queries
from reports.models import DailySessions, PolicyResult
from reports.services.attribute import attribute_new_domains
from tests.mailtls.samples import policy_entry, report
from tests.reports.arrivals import DAY, daily_rows, inventory, numbered, take_in

pytestmark = pytest.mark.django_db


def test_reports_count_as_if_the_domain_had_been_there_before():
    take_in(numbered(1), numbered(2))
    [domain] = inventory("recipient.example")

    assert attribute_new_domains() == 2
    assert intake_queries.unmanaged_domains() == []
    assert DailySessions.objects.get().domain == domain
    [row] = daily_rows()[0]
    assert row == (domain.pk, DAY, "Example Sender", "sts", 80, 4, 80, 4, 2)
    assert attribute_new_domains() == 0


def test_the_mx_host_of_the_report_comes_along_and_counts_once():
    take_in(report(policies=[policy_entry("tlsa", "mx.hoster.example"), policy_entry()]))
    assert PolicyResult.objects.filter(is_counted=True).count() == 2

    [domain] = inventory("recipient.example")
    attribute_new_domains()

    assert set(PolicyResult.objects.values_list("domain", flat=True)) == {domain.pk}
    assert PolicyResult.objects.filter(is_counted=True).count() == 1
    assert queries.totals(None, DAY, DAY).sessions == 42


def test_a_conflicting_copy_stays_uncounted():
    take_in(report(), report(policies=[policy_entry(good=9999)]))
    inventory("recipient.example")

    attribute_new_domains()

    assert queries.totals(None, DAY, DAY).sessions == 42


def test_foreign_domains_stay_foreign():
    take_in(numbered(1))
    inventory("other.example")

    assert attribute_new_domains() == 0
    assert len(intake_queries.unmanaged_domains()) == 1
