"""The figures that rules look at, read from the rollups in a number of queries that does not
depend on the number of domains."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from django.db.models import F, Sum

from alerts.rules import CauseFigures, DayFigures, FailureRateRule
from domains.models import DomainQuerySet
from reports.models import DailyFailures, DailySessions


def suspicious_days(
    domains: DomainQuerySet, since: date, until: date, rule: FailureRateRule
) -> list[DayFigures]:
    """Give the figures, day by day, of each domain that has a day the rule may find.

    Domains without such a day are left out in the database: the cost follows what fails.
    """
    days = DailySessions.objects.filter(domain__in=domains.order_by().values("pk"), day__gte=since)
    days = days.filter(day__lte=until)
    per_day = days.values("domain", "day").annotate(
        ok=Sum("counted_successes"), failed=Sum("counted_failures")
    )
    failing = per_day.filter(
        failed__gte=rule.minimum_failed_sessions,
        failed__gt=(F("ok") + F("failed")) * rule.threshold,
    )
    ids = sorted({row["domain"] for row in failing})
    if not ids:
        return []
    figures = (
        days.filter(domain__in=ids)
        .values_list("domain", "domain__name", "day", "reporter")
        .annotate(ok=Sum("counted_successes"), failed=Sum("counted_failures"))
    )
    causes: dict[tuple[int, date], list[CauseFigures]] = defaultdict(list)
    failures = DailyFailures.objects.filter(domain__in=ids, day__gte=since, day__lte=until)
    for domain, day, result_type, receiving_mx, reporter, count in failures.values_list(
        "domain", "day", "result_type", "receiving_mx", "reporter", "counted_failed_sessions"
    ):
        causes[domain, day].append(
            CauseFigures(
                result_type=result_type,
                receiving_mx=receiving_mx,
                reporter=reporter,
                failed_sessions=count,
            )
        )
    totals: dict[tuple[int, str, date], list[tuple[str, int, int]]] = defaultdict(list)
    for domain, name, day, reporter, ok, failed in figures:
        totals[domain, name, day].append((reporter, ok, failed))
    return [
        DayFigures(
            domain=name,
            day=day,
            sessions=sum(ok + failed for _, ok, failed in rows),
            failures=sum(failed for _, _, failed in rows),
            reporters=tuple(sorted({reporter for reporter, _, failed in rows if failed})),
            causes=tuple(causes[domain, day]),
        )
        for (domain, name, day), rows in sorted(totals.items(), key=lambda item: item[0][1:])
    ]
