"""Golden numbers from reports to what the charts show."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domains.models import Domain
from reports import cause_queries, intake_queries, queries, reporter_queries
from reports.models import Channel, Outcome
from reports.services.accept import Provenance, accept
from tests.mailtls.samples import DETAIL, policy_entry, report
from tests.reports.arrivals import DAY, inventory, take_in

pytestmark = pytest.mark.django_db

NEXT = date(2026, 3, 11)
AFTER = date(2026, 3, 12)


def on(day: date, number: int, *entries: object, organization: str = "One") -> dict[str, object]:
    return report(
        report_id=str(number),
        organization_name=organization,
        date_range={
            "start-datetime": f"{day}T00:00:00Z",
            "end-datetime": f"{day}T23:59:59Z",
        },
        policies=list(entries),
    )


@pytest.fixture
def fleet() -> list[Domain]:
    """Two managed domains, two days, two reporters, and reports for a foreign domain."""
    domains = inventory("a.example", "b.example")
    tlsa = {**DETAIL, "result-type": "tlsa-invalid", "failed-session-count": 5}
    tlsa["receiving-mx-hostname"] = "mx.hoster.example"
    take_in(
        on(DAY, 1, policy_entry("sts", "a.example", good=100, bad=0, details=None)),
        on(DAY, 2, policy_entry("sts", "a.example", good=10, bad=2), organization="Two"),
        # The same sessions under both policies, as Microsoft reports them.
        on(
            NEXT,
            3,
            policy_entry("sts", "a.example", good=45, bad=5, details=[tlsa]),
            policy_entry("tlsa", "a.example", good=45, bad=5, details=[tlsa]),
        ),
        on(NEXT, 4, policy_entry("no-policy-found", "b.example", good=7, bad=1, details=[tlsa])),
        on(NEXT, 5, policy_entry("sts", "foreign.example", good=1000, bad=9), organization="Two"),
    )
    return domains


def test_daily_figures_are_counted_once_and_zero_filled(fleet):
    figures = queries.daily_figures(None, DAY, AFTER)

    assert [(day.day, day.sessions, day.failures) for day in figures] == [
        (DAY, 112, 2),
        (NEXT, 58, 6),
        (AFTER, 0, 0),
    ]
    assert figures[0].failure_rate == pytest.approx(2 / 112)
    assert figures[2].failure_rate is None


def test_totals_are_scoped_by_domains(fleet):
    everything = queries.totals(None, DAY, NEXT)
    only_b = queries.totals(Domain.objects.filter(name="b.example"), DAY, NEXT)

    assert (everything.sessions, everything.failures) == (170, 8)
    assert (everything.domains, everything.reporters) == (2, 2)
    assert (only_b.sessions, only_b.failures) == (8, 1)


def test_figures_by_domain(fleet):
    a, b = fleet

    by_domain = queries.per_domain_totals(None, DAY, NEXT)
    daily = queries.per_domain_daily(Domain.objects.all(), DAY, NEXT)

    assert {pk: row.sessions for pk, row in by_domain.items()} == {a.pk: 162, b.pk: 8}
    assert [day.failures for day in daily[a.pk]] == [2, 5]
    assert [day.failures for day in daily[b.pk]] == [0, 1]
    assert queries.last_report_days(None) == {a.pk: NEXT, b.pk: NEXT}


def test_causes_come_from_the_details_of_what_counts(fleet):
    [tlsa, expired] = cause_queries.causes(None, DAY, NEXT).shown

    assert (tlsa.result_type, tlsa.failed_sessions) == ("tlsa-invalid", 10)
    assert tlsa.operators == 1
    assert (tlsa.first_day, tlsa.last_day) == (NEXT, NEXT)
    assert (expired.result_type, expired.failed_sessions) == ("certificate-expired", 2)
    by_mx = cause_queries.causes_by_receiving_mx(None, DAY, NEXT).shown
    assert [(row.receiving_mx, row.failed_sessions) for row in by_mx] == [
        ("mx.hoster.example", 10),
        ("mx1.recipient.example", 2),
    ]
    by_operator = cause_queries.causes_by_operator(None, DAY, NEXT).shown
    assert [(row.operator, row.failed_sessions) for row in by_operator] == [
        ("hoster.example", 10),
        ("recipient.example", 2),
    ]


@pytest.mark.parametrize(
    "ask",
    [
        cause_queries.causes,
        cause_queries.causes_by_operator,
        cause_queries.causes_by_receiving_mx,
    ],
)
def test_causes_reach_so_many_domains_and_reporters(ask, fleet):
    found = ask(None, DAY, NEXT)

    assert found.count == 2
    assert [one.reporters for one in found.shown] == [1, 1]
    assert cause_queries.domain_counts(None, found.shown, DAY, NEXT) == [2, 1]
    assert cause_queries.domain_counts(None, found.shown[1:], NEXT, NEXT) == [0]
    first = ask(None, DAY, NEXT, 1)
    assert (first.shown, first.count) == (found.shown[:1], 2)


def test_figures_by_reporter_and_policy_type(fleet):
    one, two = reporter_queries.by_reporter(None, DAY, NEXT)

    assert (one.reporter, one.sessions, one.failures, one.days) == ("One", 158, 6, 2)
    assert (two.reporter, two.sessions, two.failures) == ("Two", 12, 2)
    types = {
        row.policy_type: row.successes for row in reporter_queries.by_policy_type(None, DAY, NEXT)
    }
    assert types == {"sts": 155, "tlsa": 45, "no-policy-found": 7}


def test_what_is_reported_on_and_not_managed(fleet):
    [foreign] = intake_queries.unmanaged_domains()

    assert (foreign.name, foreign.successes, foreign.failures) == ("foreign.example", 1000, 9)
    assert (foreign.first_day, foreign.reporters) == (NEXT, 1)


def test_absurd_counts_for_foreign_domains_do_not_stop_the_list():
    entry = policy_entry("sts", "foreign.example", good=2**53 - 1, bad=2**53 - 1)
    take_in(report(policies=[entry] * 1100))

    assert intake_queries.unmanaged_domains()[0].successes == 1100 * 10**12


def test_reports_are_found_by_domain(fleet):
    assert intake_queries.reports_for(None).count() == 5
    assert intake_queries.reports_for(Domain.objects.filter(name="b.example")).count() == 1
    assert intake_queries.reports_for(Domain.objects.none()).count() == 0


def test_freshness_tells_of_what_waits(fleet):
    fresh = intake_queries.data_freshness()
    receipt = accept(b"later", Provenance(channel=Channel.HTTPS))

    assert (fresh.newest_day, fresh.waiting, fresh.waiting_since) == (NEXT, 0, None)
    assert fresh.last_received_at is not None
    assert intake_queries.data_freshness().waiting == 1
    assert intake_queries.oldest_waiting_receipt() == receipt.received_at
    assert intake_queries.receipts_with(Outcome.ACCEPTED).count() == 5


def test_the_last_complete_day_is_yesterday_in_utc():
    now = datetime(2026, 3, 12, 0, 30, tzinfo=UTC)

    assert queries.last_complete_days(7, now=now) == (date(2026, 3, 5), NEXT)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (queries.daily_figures, 1),
        (queries.totals, 6),
        (queries.per_domain_sums, 2),
        (queries.per_domain_totals, 5),
        (queries.per_domain_daily, 1),
        (cause_queries.causes, 1),
        (cause_queries.causes_by_receiving_mx, 1),
        (reporter_queries.by_reporter, 3),
        (reporter_queries.sums_by_reporter, 5),
        (reporter_queries.by_policy_type, 3),
    ],
)
def test_each_question_is_a_query_or_a_few(query, count, fleet, django_assert_num_queries):
    with django_assert_num_queries(count):
        query(Domain.objects.filter(name__startswith="a"), DAY, NEXT)
