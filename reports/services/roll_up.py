"""Daily figures, recomputed from results for the days that were touched; set-based."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from reports.models import (
    MOST_SESSIONS,
    DailyFailures,
    DailySessions,
    DirtyDay,
    FailureDetail,
    PolicyResult,
    ReceivingHost,
)
from reports.queries import first_kept_day
from reports.services import sums

logger = logging.getLogger(__name__)

_CHUNK = 5_000
# Any number, the same for every worker: one roll-up at a time.
_LOCK = 8460_0001

_TABLES = {
    "dirty": DirtyDay._meta.db_table,
    "results": PolicyResult._meta.db_table,
    "details": FailureDetail._meta.db_table,
    "sessions": DailySessions._meta.db_table,
    "failures": DailyFailures._meta.db_table,
    "hosts": ReceivingHost._meta.db_table,
}

_CLAIM = """
UPDATE {dirty} SET is_claimed = {true}
WHERE id IN (SELECT id FROM {dirty} ORDER BY id LIMIT {chunk})
"""
_CLEAR = """
DELETE FROM {target} WHERE (domain_id, day) IN
    (SELECT domain_id, day FROM {dirty} WHERE is_claimed AND day >= %s)
"""
_ANY_EARLIER = "SELECT 1 FROM {dirty} WHERE is_claimed AND day < %s LIMIT 1"
# Of earlier days retention may have let rows go. What they had told of stays: a figure is made anew
# only where the rows that are there tell of as much.
_CLEAR_SESSIONS_TOLD = """
DELETE FROM {sessions} WHERE (domain_id, day, reporter, policy_type) IN (
    SELECT r.domain_id, r.day, r.reporter, r.policy_type
    FROM (SELECT DISTINCT domain_id, day FROM {dirty} WHERE is_claimed AND day < %s) d
    JOIN {results} r ON r.domain_id = d.domain_id AND r.day = d.day
    JOIN {sessions} s ON s.domain_id = r.domain_id AND s.day = r.day
         AND s.reporter = r.reporter AND s.policy_type = r.policy_type
    GROUP BY r.domain_id, r.day, r.reporter, r.policy_type, s.successes, s.failures
    HAVING {sum}COALESCE(r.successes, 0){most} + {sum}{failed}{most} >= s.successes + s.failures
)
"""
_CLEAR_FAILURES_TOLD = """
DELETE FROM {failures} WHERE (domain_id, day, result_type, receiving_mx, reporter) IN (
    SELECT r.domain_id, r.day, f.result_type, f.receiving_mx_hostname, r.reporter
    FROM (SELECT DISTINCT domain_id, day FROM {dirty} WHERE is_claimed AND day < %s) d
    JOIN {results} r ON r.domain_id = d.domain_id AND r.day = d.day
    JOIN {details} f ON f.result_id = r.id
    JOIN {failures} s ON s.domain_id = r.domain_id AND s.day = r.day AND s.reporter = r.reporter
         AND s.result_type = f.result_type AND s.receiving_mx = f.receiving_mx_hostname
    GROUP BY r.domain_id, r.day, f.result_type, f.receiving_mx_hostname, r.reporter,
             s.failed_sessions
    HAVING {sum}COALESCE(f.failed_sessions, 0){most} >= s.failed_sessions
)
"""
# The failures that count: the summary's total, else what the details add up to.
_SESSIONS = """
INSERT INTO {sessions} (domain_id, day, reporter, policy_type, successes, failures,
                        counted_successes, counted_failures, reports)
SELECT r.domain_id, r.day, r.reporter, r.policy_type,
       {sum}COALESCE(r.successes, 0){most},
       {sum}{failed}{most},
       {sum}CASE WHEN r.is_counted THEN COALESCE(r.successes, 0) ELSE 0 END{most},
       {sum}CASE WHEN r.is_counted THEN {failed} ELSE 0 END{most},
       COUNT(DISTINCT r.report_id)
FROM (SELECT DISTINCT domain_id, day FROM {dirty} WHERE is_claimed) d
JOIN {results} r ON r.domain_id = d.domain_id AND r.day = d.day
{only_new}
GROUP BY r.domain_id, r.day, r.reporter, r.policy_type
"""
_FAILURES = """
INSERT INTO {failures} (domain_id, day, result_type, receiving_mx, operator, reporter,
                        failed_sessions, counted_failed_sessions)
SELECT r.domain_id, r.day, f.result_type, f.receiving_mx_hostname, COALESCE(h.operator, ''),
       r.reporter,
       {sum}COALESCE(f.failed_sessions, 0){most},
       {sum}CASE WHEN r.is_counted THEN COALESCE(f.failed_sessions, 0) ELSE 0 END{most}
FROM (SELECT DISTINCT domain_id, day FROM {dirty} WHERE is_claimed) d
JOIN {results} r ON r.domain_id = d.domain_id AND r.day = d.day
JOIN {details} f ON f.result_id = r.id
LEFT JOIN {hosts} h ON h.name = f.receiving_mx_hostname
{only_new}
GROUP BY r.domain_id, r.day, f.result_type, f.receiving_mx_hostname, h.operator, r.reporter
"""
# Where figures stay (see _CLEAR_SESSIONS_TOLD), those that are there are not made again.
_NEW_SESSIONS = """
WHERE NOT EXISTS (SELECT 1 FROM {sessions} s WHERE s.domain_id = r.domain_id AND s.day = r.day
    AND s.reporter = r.reporter AND s.policy_type = r.policy_type)
"""
_NEW_FAILURES = """
WHERE NOT EXISTS (SELECT 1 FROM {failures} s WHERE s.domain_id = r.domain_id AND s.day = r.day
    AND s.reporter = r.reporter AND s.result_type = f.result_type
    AND s.receiving_mx = f.receiving_mx_hostname)
"""
_NEW_HOSTS = """
SELECT DISTINCT f.receiving_mx_hostname
FROM (SELECT DISTINCT domain_id, day FROM {dirty} WHERE is_claimed) d
JOIN {results} r ON r.domain_id = d.domain_id AND r.day = d.day
JOIN {details} f ON f.result_id = r.id
LEFT JOIN {hosts} h ON h.name = f.receiving_mx_hostname
WHERE h.name IS NULL AND f.receiving_mx_hostname <> ''
"""
_DONE = "DELETE FROM {dirty} WHERE is_claimed"


def roll_up() -> int:
    """Recompute the daily figures of every touched day; give how many marks were worked off.

    Each chunk is one transaction: figures, sums and marks change together, so a kill loses nothing.
    """
    while _follow_inventory():
        pass
    total = 0
    while done := _roll_up_chunk():
        total += done
    return total


@contextmanager
def locked() -> Iterator[CursorWrapper]:
    """Give a cursor in a transaction that alone may change daily figures and their sums."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Under the lock each statement sees all that others have committed. What is not yet
            # committed has marks of its own, which this transaction cannot have claimed.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        yield cursor


def rebuild_sums() -> None:
    """Make anew what the daily figures add up to."""
    with locked() as cursor:
        sums.rebuild(cursor)


def _follow_inventory() -> int:
    with locked() as cursor:
        return sums.follow_inventory(cursor)


def _roll_up_chunk() -> int:
    with locked() as cursor:
        cursor.execute(_sql(_CLAIM))
        claimed: int = cursor.rowcount
        if claimed > 0:
            some_stay = False
            if had_figures := sums.has_figures(cursor):
                sums.take_out_touched(cursor)
                some_stay = _clear_touched(cursor)
            new_sessions, new_failures = (
                _sql(statement) if some_stay else "" for statement in (_NEW_SESSIONS, _NEW_FAILURES)
            )
            cursor.execute(_sql(_SESSIONS, only_new=new_sessions))
            cursor.execute(_sql(_NEW_HOSTS))
            sums.name_operators([host for (host,) in cursor.fetchall()])
            cursor.execute(_sql(_FAILURES, only_new=new_failures))
            sums.put_in_touched(cursor, had_figures=had_figures)
            cursor.execute(_sql(_DONE))
    return max(claimed, 0)


def _clear_touched(cursor: CursorWrapper) -> bool:
    """Remove what is about to be made anew; say whether any of the touched figures may stay."""
    first = first_kept_day()
    for table in ("sessions", "failures"):
        cursor.execute(_sql(_CLEAR, target=_TABLES[table]), [first])
    cursor.execute(_sql(_ANY_EARLIER), [first])
    if cursor.fetchone() is None:
        return False
    for statement in (_CLEAR_SESSIONS_TOLD, _CLEAR_FAILURES_TOLD):
        cursor.execute(_sql(statement), [first])
    return True


def mark_all_dirty(since: date | None = None) -> None:
    """Mark every day that has results or daily figures, from `since` on, to be recomputed.

    Figures older than the rows they were made from stay: retention lets rows go earlier.
    """
    first = since or date.min
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _sql(
                "INSERT INTO {dirty} (domain_id, day, is_claimed) "
                "SELECT domain_id, day, {false} FROM {results} "
                "WHERE domain_id IS NOT NULL AND day >= %s UNION "
                "SELECT domain_id, day, {false} FROM {sessions} WHERE day >= %s"
            ),
            [first, max(first, first_kept_day())],
        )


def _sql(template: str, **names: str) -> str:
    """Fill in table names and constants; never anything from outside."""
    is_sqlite = connection.vendor == "sqlite"
    return template.format(
        **_TABLES,
        **names,
        chunk=_CHUNK,
        failed="COALESCE(r.failures, r.failures_in_details)",
        # SQLite's SUM fails on overflow, its TOTAL does not and is exact below 2^53.
        sum="CAST(MIN(TOTAL(" if is_sqlite else "LEAST(SUM(",
        most=f"), {MOST_SESSIONS}) AS INTEGER)" if is_sqlite else f"), {MOST_SESSIONS})",
        true="1" if is_sqlite else "TRUE",
        false="0" if is_sqlite else "FALSE",
    )
