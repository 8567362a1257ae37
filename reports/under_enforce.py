"""What enforce does to failed sessions: which of them it refuses, and which are another matter."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, Sum

from mailtls.catalogue.result_types import Concern, concern_of, types_of
from reports.fleet import Scope, cause_reporters_of, days_of
from reports.spans import day_of, days_between

_NOT_REFUSED = sorted(types_of(Concern.POLICY) | types_of(Concern.DANE))


class Apart(NamedTuple):
    """Failed sessions that MTA-STS refuses in no mode, as the details of reports tell of them."""

    unread: int = 0
    under_dane: int = 0


NOT_APART = Apart()


class UnderEnforce(NamedTuple):
    """Failed sessions by what enforce does to them; together they are all that failed."""

    refused: int = 0
    unread: int = 0  # the policy could not be read: not refused, but unprotected
    under_dane: int = 0  # held back under DANE, with enforce or without

    @property
    def failures(self) -> int:
        """Give all that failed."""
        return sum(self)


NOTHING_FAILED = UnderEnforce()


def of_concern(concern: Concern) -> Q:
    """Give the condition on result types that are about this."""
    if concern is Concern.CONNECTION:
        return ~Q(result_type__in=_NOT_REFUSED)
    return Q(result_type__in=sorted(types_of(concern)))


def apart_by_day(scope: Scope, since: date, until: date) -> dict[date, Apart]:
    """Give by day what enforce would not have refused, where there is any."""
    days = days_of(scope, days_between(since, until)).order_by().values_list("span")
    found = days.annotate(of_policy=Sum("unread"), of_dane=Sum("under_dane"))
    told = found.exclude(of_policy=0, of_dane=0)
    return {day_of(span): Apart(*parts) for span, *parts in told}


class Refusals(NamedTuple):
    """Failed sessions by cause and operator, that enforce refuses, and by reporter the others."""

    causes: list[tuple[str, str, int]]  # the first ones, most failed sessions first
    apart: dict[str, Apart]


# Once through the figures, which may be those of many domains: two things are asked of them.
_REFUSALS = """
WITH told AS ({told})
SELECT * FROM (
    SELECT 1 AS part, result_type, operator AS name, SUM(failed) AS failed
    FROM told WHERE result_type NOT IN ({not_refused}) GROUP BY result_type, operator
    ORDER BY failed DESC, result_type, operator LIMIT {most}) causes
UNION ALL
SELECT 2, result_type, reporter, SUM(failed)
FROM told WHERE result_type IN ({not_refused}) GROUP BY result_type, reporter
"""


def read_refusals(scope: Scope, since: date, until: date, most: int) -> Refusals:
    """Give the causes and the reporters of what enforce would and would not have refused."""
    rows = cause_reporters_of(scope, since, until).order_by()
    groups = rows.values("result_type", "operator", "reporter")
    told, params = groups.annotate(failed=Sum("counted_failed_sessions")).query.sql_with_params()
    statement = _REFUSALS.format(
        told=told, most=most, not_refused=", ".join(["%s"] * len(_NOT_REFUSED))
    )
    causes: list[tuple[str, str, int]] = []
    apart: defaultdict[str, Apart] = defaultdict(Apart)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*params, *_NOT_REFUSED, *_NOT_REFUSED])
        for part, result_type, name, failed in cursor.fetchall():
            if part == 1:
                causes.append((result_type, name, int(failed)))
            elif concern_of(result_type) is Concern.POLICY:
                apart[name] = apart[name]._replace(unread=apart[name].unread + int(failed))
            else:
                dane = apart[name].under_dane + int(failed)
                apart[name] = apart[name]._replace(under_dane=dane)
    return Refusals(sorted(causes, key=lambda one: (-one[2], *one[:2])), dict(apart))


def split(failures: int, apart: Apart) -> UnderEnforce:
    """Tell failed sessions apart.

    They are from the summaries of reports and need not agree with the details: what no detail sets
    apart counts as refused, and never more is set apart than failed.
    """
    unread = min(failures, apart.unread)
    under_dane = min(failures - unread, apart.under_dane)
    return UnderEnforce(failures - unread - under_dane, unread, under_dane)
