"""The newest reports that match: the same ones, whatever way they are found."""

import random
from datetime import date, timedelta

import pytest
import time_machine as clock
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reports import report_rows
from reports.models import PolicyResult, Report
from reports.report_rows import ReportRows
from tests.factories import UserFactory, make_domain, make_report

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 29)


@pytest.fixture(autouse=True)
def on_that_day():
    with clock.travel(f"{TODAY}T09:00:00Z", tick=False):
        yield


def of_reports(**days):
    return ReportRows(
        matching=Report.objects.all(),
        key="pk",
        since=days.get("since", date.min),
        until=days.get("until", date.max),
    )


def of_results(**days):
    days = {"since": days.get("since", date.min), "until": days.get("until", date.max)}
    rows = PolicyResult.objects.filter(day__range=tuple(days.values()), failures__gt=0)
    return ReportRows(matching=rows, key="report", **days)


def keys_of(rows, start=0, length=50):
    return [report.pk for report in rows.beginning_at(start)[start : start + length]]


@pytest.mark.parametrize("most", [1, 7, 40, 500])
@pytest.mark.parametrize("order", ["-day", "day", "reporter", "-reporter"])
def test_the_newest_are_found_wherever_they_are(monkeypatch, most, order):
    chance, domain = random.Random(most), make_domain("ours.example")
    monkeypatch.setattr(report_rows, "MOST", most)
    # Clustered: three days of many, and single ones a year back, today and still to come.
    back = [0, -3, *(chance.choice([1, 30, 31, 90, 380]) for _ in range(60))]
    for days in back:
        reporter = chance.choice(["Comcast", "GMX", "Google Inc."])
        make_report(domain, TODAY - timedelta(days), reporter, failures=chance.choice([0, 3]))

    for rows, held in (
        (of_reports(), Report.objects.all()),
        (of_results(), Report.objects.filter(results__failures__gt=0)),
    ):
        newest = list(held.order_by("-day", "-pk")[:most])
        name, is_last_first = order.removeprefix("-"), order.startswith("-")
        newest.sort(key=lambda one: (getattr(one, name), one.pk), reverse=is_last_first)
        expected = [one.pk for one in newest]
        ordered = rows.order_by(order)
        assert ordered.count() == len(expected)
        assert ordered.is_cut == (held.count() > most)
        assert keys_of(ordered) == expected[:50]
        assert keys_of(ordered, 5, 10) == expected[5:15]


def test_only_the_days_that_are_asked_for_are_looked_at():
    domain = make_domain("ours.example")
    for back in range(6):
        make_report(domain, TODAY - timedelta(back), failures=3)

    day = TODAY - timedelta(3)
    assert of_results(since=day, until=day).count() == 1
    assert of_results(since=day).count() == 4
    assert of_results(until=date.min).count() == 0
    assert of_results(since=date.max).count() == 0


def test_enough_of_yesterday_are_found_without_a_look_at_the_past(monkeypatch):
    monkeypatch.setattr(report_rows, "MOST", 3)
    domain = make_domain("ours.example")
    for _ in range(4):
        make_report(domain, TODAY - timedelta(1))

    with CaptureQueriesContext(connection) as queries:
        keys_of(of_reports())

    assert len(queries) == 2  # the keys, and the reports
    assert "2026-11-28" in queries[0]["sql"]


def test_a_file_has_more_than_the_list_and_the_list_says_what_it_lacks(client, monkeypatch):
    monkeypatch.setattr(report_rows, "MOST", 60)
    domain = make_domain("ours.example")
    for back in range(70):
        make_report(domain, TODAY - timedelta(back))
    client.force_login(UserFactory(is_superuser=True))

    page = client.get(reverse("reports:list")).content.decode()
    assert "1–50 of the newest 60 reports" in page
    assert "More reports match than the newest 60 that are listed here" in page
    last = client.get(reverse("reports:list"), {"page": 2}).content.decode()
    assert "51–60 of the newest 60 reports" in last

    file = client.get(reverse("reports:list"), {"export": "csv"})
    assert len(b"".join(file).decode().splitlines()) == 1 + 70
    monkeypatch.setattr(report_rows, "MOST_IN_FILES", 65)
    file = client.get(reverse("reports:list"), {"export": "csv"})
    lines = b"".join(file).decode().splitlines()
    assert len(lines) == 1 + 65
    assert "2026-11-29" in lines[1]


def test_a_short_list_lacks_nothing_and_says_nothing(client):
    make_report(make_domain("ours.example"), TODAY - timedelta(1))
    client.force_login(UserFactory(is_superuser=True))

    page = client.get(reverse("reports:list")).content.decode()

    assert "newest" not in page
    assert "1 report" in page
