"""Daily figures for the tests of alerts, written as roll-ups."""

from datetime import date, timedelta

from domains.models import Domain
from reports.models import DailyFailures, DailySessions

TODAY = date(2026, 11, 20)


def add_day(
    name,
    back,
    sessions,
    failures=0,
    *,
    result_type="certificate-expired",
    mx="mx1.hoster.test",
    reporter="Google Inc.",
):
    """Say what a reporter counted for a domain so many days before TODAY."""
    domain, _ = Domain.objects.get_or_create(name=name)
    day = TODAY - timedelta(days=back)
    DailySessions.objects.create(
        domain=domain,
        day=day,
        reporter=reporter,
        policy_type="sts",
        successes=sessions - failures,
        failures=failures,
        counted_successes=sessions - failures,
        counted_failures=failures,
        reports=1,
    )
    if failures and result_type:
        DailyFailures.objects.create(
            domain=domain,
            day=day,
            result_type=result_type,
            receiving_mx=mx,
            reporter=reporter,
            failed_sessions=failures,
            counted_failed_sessions=failures,
        )
    return domain
