"""Keeps what the daily figures add up to equal to them: adds and takes out, never counts anew.

All of it runs in the transaction, and under the lock, of the roll-up or retention that changes the
daily figures. What is about to change is taken out before and put in after; so the cost follows
what has changed and not the size of the fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from domains.models import Domain
from domains.operators import operator_of
from mailtls.catalogue.result_types import Concern, types_of
from reports.counted import Kind, count_as_now, moved_domains, narrowing_to
from reports.models import DailyFailures, DailySessions, DirtyDay, ReceivingHost
from reports.spans import KEYS_A_DAY, LENGTHS, last_key, span_key
from reports.sum_models import (
    ALL_TEAMS,
    CountedDomain,
    DomainCause,
    DomainCauseSpan,
    DomainReporter,
    DomainReporterSpan,
    DomainSpan,
    TeamCauseDomains,
    TeamCauseSpan,
    TeamFailures,
    TeamSessions,
)

# Domains that have moved, taken over at once; more wait for the next transaction.
_MOST_MOVED = 200
# Bounds what a rebuild sorts and hashes in memory.
_REBUILT_AT_ONCE = 5_000
_HOSTS_AT_ONCE = 5_000

_TABLES = {
    "domains": Domain._meta.db_table,
    "dirty": DirtyDay._meta.db_table,
    "sessions": DailySessions._meta.db_table,
    "failures": DailyFailures._meta.db_table,
    "counted": CountedDomain._meta.db_table,
    "team_sessions": TeamSessions._meta.db_table,
    "team_failures": TeamFailures._meta.db_table,
    "spans": DomainSpan._meta.db_table,
    "cause_spans": TeamCauseSpan._meta.db_table,
    "domain_cause_spans": DomainCauseSpan._meta.db_table,
    "reporter_spans": DomainReporterSpan._meta.db_table,
    "reporters": DomainReporter._meta.db_table,
    "causes": DomainCause._meta.db_table,
    "cause_domains": TeamCauseDomains._meta.db_table,
    "hosts": ReceivingHost._meta.db_table,
}

_TOUCHED = "(SELECT DISTINCT domain_id, day FROM {dirty} WHERE is_claimed) t"
# Each source names daily figures `s`.
_OF_TOUCHED_DAYS = _TOUCHED + " JOIN {table} s ON s.domain_id = t.domain_id AND s.day = t.day"
_ALL = "{table} s"

_TEAM_SESSIONS = """
INSERT INTO {team_sessions} (team, narrowing, day, reporter, policy_type, successes, failures,
                             counted_successes, counted_failures, rows)
SELECT {of_team}, s.day, s.reporter, s.policy_type, {sign} SUM(s.successes), {sign} SUM(s.failures),
       {sign} SUM(s.counted_successes), {sign} SUM(s.counted_failures), {sign} COUNT(*)
FROM {source} JOIN {counted} c ON c.domain_id = s.domain_id CROSS JOIN ({kinds}) k
WHERE c.is_active AND {where}
GROUP BY 1, 2, s.day, s.reporter, s.policy_type
ON CONFLICT (team, narrowing, day, reporter, policy_type) DO UPDATE SET
    successes = {team_sessions}.successes + excluded.successes,
    failures = {team_sessions}.failures + excluded.failures,
    counted_successes = {team_sessions}.counted_successes + excluded.counted_successes,
    counted_failures = {team_sessions}.counted_failures + excluded.counted_failures,
    rows = {team_sessions}.rows + excluded.rows
"""
_TEAM_FAILURES = """
INSERT INTO {team_failures} (team, narrowing, day, result_type, operator, counted_failed_sessions,
                             rows)
SELECT {of_team}, s.day, s.result_type, s.operator, {sign} SUM(s.counted_failed_sessions),
       {sign} COUNT(*)
FROM {source} JOIN {counted} c ON c.domain_id = s.domain_id CROSS JOIN ({kinds}) k
WHERE c.is_active AND s.counted_failed_sessions > 0 AND {where}
GROUP BY 1, 2, s.day, s.result_type, s.operator
ON CONFLICT (team, narrowing, day, result_type, operator) DO UPDATE SET
    counted_failed_sessions =
        {team_failures}.counted_failed_sessions + excluded.counted_failed_sessions,
    rows = {team_failures}.rows + excluded.rows
"""
# `1 = 1`: SQLite needs a WHERE before ON CONFLICT.
_CAUSE_SPANS = """
INSERT INTO {cause_spans} (team, narrowing, span, result_type, operator, reporter,
                           counted_failed_sessions, rows)
SELECT team, narrowing, {ordinal} / length * length * {keys_a_day} + length, result_type,
       operator, reporter, {sign} SUM(failed), {sign} SUM(rows)
FROM (SELECT {of_team}, s.day, s.result_type, s.operator, s.reporter,
             SUM(s.counted_failed_sessions) AS failed, COUNT(*) AS rows
      FROM {source} JOIN {counted} c ON c.domain_id = s.domain_id CROSS JOIN ({kinds}) k
      WHERE c.is_active AND s.counted_failed_sessions > 0 AND {where}
      GROUP BY 1, 2, s.day, s.result_type, s.operator, s.reporter) d
CROSS JOIN ({lengths}) l
WHERE 1 = 1
GROUP BY team, narrowing, 3, result_type, operator, reporter
ON CONFLICT (team, narrowing, span, result_type, operator, reporter) DO UPDATE SET
    counted_failed_sessions =
        {cause_spans}.counted_failed_sessions + excluded.counted_failed_sessions,
    rows = {cause_spans}.rows + excluded.rows
"""
_SPANS = """
INSERT INTO {spans} (span, domain_id, sessions, failures, rows)
SELECT span, domain_id, {sign} SUM(sessions), {sign} SUM(failures), {sign} SUM(rows)
FROM (SELECT {ordinal} / length * length * {keys_a_day} + length AS span, domain_id, sessions,
             failures, rows
      FROM (SELECT s.domain_id, s.day, SUM(s.counted_successes + s.counted_failures) AS sessions,
                   SUM(s.counted_failures) AS failures, COUNT(*) AS rows
            FROM {source} WHERE {where} GROUP BY s.domain_id, s.day) d
      CROSS JOIN ({lengths}) l) x
WHERE 1 = 1
GROUP BY span, domain_id
ON CONFLICT (span, domain_id) DO UPDATE SET
    sessions = {spans}.sessions + excluded.sessions,
    failures = {spans}.failures + excluded.failures,
    rows = {spans}.rows + excluded.rows
"""
# Days with failures have sessions, whose rows say when the row of a span is empty.
_APART = """
INSERT INTO {spans} (span, domain_id, sessions, failures, unread, under_dane, rows)
SELECT span, domain_id, 0, 0, {sign} SUM(unread), {sign} SUM(under_dane), 0
FROM (SELECT {ordinal} / length * length * {keys_a_day} + length AS span, domain_id, unread,
             under_dane
      FROM (SELECT s.domain_id, s.day,
                   SUM(CASE WHEN s.result_type IN ({of_policy})
                       THEN s.counted_failed_sessions ELSE 0 END) AS unread,
                   SUM(CASE WHEN s.result_type IN ({of_dane})
                       THEN s.counted_failed_sessions ELSE 0 END) AS under_dane
            FROM {source}
            WHERE s.counted_failed_sessions > 0
            AND s.result_type IN ({of_policy}, {of_dane}) AND {where}
            GROUP BY s.domain_id, s.day) d
      CROSS JOIN ({lengths}) l) x
WHERE 1 = 1
GROUP BY span, domain_id
ON CONFLICT (span, domain_id) DO UPDATE SET
    unread = {spans}.unread + excluded.unread,
    under_dane = {spans}.under_dane + excluded.under_dane
"""
_DOMAIN_CAUSE_SPANS = """
INSERT INTO {domain_cause_spans} (span, result_type, operator, receiving_mx, domain_id,
                                  counted_failed_sessions, rows)
SELECT {ordinal} / {longest} * {longest} * {keys_a_day} + {longest} AS span, result_type, operator,
       receiving_mx, domain_id, {sign} SUM(failed), {sign} SUM(rows)
FROM (SELECT s.day, s.result_type, s.operator, s.receiving_mx, s.domain_id,
             SUM(s.counted_failed_sessions) AS failed, COUNT(*) AS rows
      FROM {source} WHERE s.counted_failed_sessions > 0 AND {where}
      GROUP BY s.day, s.result_type, s.operator, s.receiving_mx, s.domain_id) d
WHERE 1 = 1
GROUP BY 1, result_type, operator, receiving_mx, domain_id
ON CONFLICT (span, result_type, operator, receiving_mx, domain_id) DO UPDATE SET
    counted_failed_sessions =
        {domain_cause_spans}.counted_failed_sessions + excluded.counted_failed_sessions,
    rows = {domain_cause_spans}.rows + excluded.rows
"""
_REPORTER_SPANS = """
INSERT INTO {reporter_spans} (span, domain_id, reporter, policy_type, successes, failures,
                              counted_successes, counted_failures, rows)
SELECT {ordinal} / length * length * {keys_a_day} + length AS span, domain_id, reporter,
       policy_type, {sign} SUM(successes), {sign} SUM(failures), {sign} SUM(counted_successes),
       {sign} SUM(counted_failures), {sign} COUNT(*)
FROM (SELECT s.* FROM {source} WHERE {where}) d CROSS JOIN ({lengths}) l
WHERE length > 1
GROUP BY 1, domain_id, reporter, policy_type
ON CONFLICT (span, domain_id, reporter, policy_type) DO UPDATE SET
    successes = {reporter_spans}.successes + excluded.successes,
    failures = {reporter_spans}.failures + excluded.failures,
    counted_successes = {reporter_spans}.counted_successes + excluded.counted_successes,
    counted_failures = {reporter_spans}.counted_failures + excluded.counted_failures,
    rows = {reporter_spans}.rows + excluded.rows
"""
_REPORTERS = """
INSERT INTO {reporters} (domain_id, reporter, last_day)
SELECT s.domain_id, s.reporter, MAX(s.day) FROM {source} WHERE {where}
GROUP BY s.domain_id, s.reporter
ON CONFLICT (domain_id, reporter) DO UPDATE SET
    last_day = {greatest}({reporters}.last_day, excluded.last_day)
"""
_CAUSES = """
INSERT INTO {causes} (domain_id, result_type, operator, last_day)
SELECT s.domain_id, s.result_type, s.operator, MAX(s.day) FROM {source}
WHERE s.counted_failed_sessions > 0 AND {where}
GROUP BY s.domain_id, s.result_type, s.operator
ON CONFLICT (domain_id, result_type, operator) DO UPDATE SET
    last_day = {greatest}({causes}.last_day, excluded.last_day)
"""
_NEWEST_CAUSES = """
UPDATE {causes} SET is_newest = NOT is_newest
WHERE {where} AND is_newest <> NOT EXISTS (
    SELECT 1 FROM {causes} o
    WHERE o.domain_id = {causes}.domain_id AND o.result_type = {causes}.result_type
    AND (o.last_day > {causes}.last_day
         OR (o.last_day = {causes}.last_day AND o.operator < {causes}.operator)))
"""
_CAUSE_DOMAINS = """
INSERT INTO {cause_domains} (team, narrowing, last_day, result_type, operator, rows, newest_rows)
SELECT {of_team}, s.last_day, s.result_type, s.operator, {sign} COUNT(*),
       {sign} SUM(CASE WHEN s.is_newest THEN 1 ELSE 0 END)
FROM {source} JOIN {counted} c ON c.domain_id = s.domain_id CROSS JOIN ({kinds}) k
WHERE c.is_active AND {where}
GROUP BY 1, 2, s.last_day, s.result_type, s.operator
ON CONFLICT (team, narrowing, last_day, result_type, operator) DO UPDATE SET
    rows = {cause_domains}.rows + excluded.rows,
    newest_rows = {cause_domains}.newest_rows + excluded.newest_rows
"""
_LAST_DAYS = """
UPDATE {counted} SET last_day = (SELECT MAX(r.last_day) FROM {reporters} r
                                 WHERE r.domain_id = {counted}.domain_id)
WHERE {where}
"""
# A pair whose newest day has lost its rows goes back to the newest day that has some, or goes.
_GONE_BACK = """
UPDATE {target} SET last_day = (SELECT MAX(s.day) FROM {table} s WHERE {same})
WHERE {is_touched} AND {is_gone} AND EXISTS (SELECT 1 FROM {table} s WHERE {same})
"""
_GONE = "DELETE FROM {target} WHERE {is_touched} AND {is_gone}"
_IS_TOUCHED = "(domain_id, last_day) IN (SELECT domain_id, day FROM {dirty} WHERE is_claimed)"
_IS_GONE = "NOT EXISTS (SELECT 1 FROM {table} s WHERE {same} AND s.day = {target}.last_day)"
_SAME_REPORTER = "s.domain_id = {target}.domain_id AND s.reporter = {target}.reporter"
_SAME_CAUSE = (
    "s.counted_failed_sessions > 0 AND s.domain_id = {target}.domain_id "
    "AND s.result_type = {target}.result_type AND s.operator = {target}.operator"
)

# Anybody may name hosts in a report: what no figure names any more goes.
_FORGOTTEN_HOSTS = """
DELETE FROM {hosts} WHERE NOT EXISTS (
    SELECT 1 FROM {failures} s WHERE s.receiving_mx = {hosts}.name AND s.day >= %s)
"""
_OPERATORS = """
UPDATE {failures} SET operator = COALESCE(
    (SELECT h.operator FROM {hosts} h WHERE h.name = {failures}.receiving_mx), '')
WHERE operator <> COALESCE(
    (SELECT h.operator FROM {hosts} h WHERE h.name = {failures}.receiving_mx), '')
"""

# What a domain is added up for, of each kind; see reports.counted.
_OF_TEAM = f"""
    CASE k.kind WHEN '{Kind.TEAM}' THEN c.team ELSE {ALL_TEAMS} END AS team,
    CASE k.kind WHEN '{Kind.MODE}' THEN '{narrowing_to(Kind.MODE, "")}' || c.sts
                WHEN '{Kind.PROVIDER}' THEN '{narrowing_to(Kind.PROVIDER, "")}' || c.provider
                ELSE '' END AS narrowing"""


def name_operators(hosts: Sequence[str]) -> None:
    """Note who runs these receiving MX hosts."""
    ReceivingHost.objects.bulk_create(
        (ReceivingHost(name=host, operator=operator_of(host)) for host in hosts),
        batch_size=_HOSTS_AT_ONCE,
        ignore_conflicts=True,
    )


def has_figures(cursor: Any) -> bool:
    """Say whether any touched day has daily figures: else there is nothing to take out."""
    for table in ("sessions", "failures"):
        source = _OF_TOUCHED_DAYS.format(table=_TABLES[table], dirty=_TABLES["dirty"])
        cursor.execute(f"SELECT 1 FROM {source} LIMIT 1")  # noqa: S608 — our own names
        if cursor.fetchone():
            return True
    return False


def take_out_touched(cursor: Any) -> None:
    """Take the touched days out of the sums; called before their daily figures change."""
    for statement, table in _SUMS:
        _run(cursor, statement, table, _OF_TOUCHED_DAYS, sign="-")


def put_in_touched(cursor: Any, *, had_figures: bool) -> None:
    """Put the touched days into the sums; called when their daily figures have changed."""
    touched = f"IN (SELECT domain_id FROM {_TABLES['dirty']} WHERE is_claimed)"  # noqa: S608 — our own names
    _run(cursor, _CAUSE_DOMAINS, "causes", _ALL, f"s.domain_id {touched}", sign="-")
    of_touched = DirtyDay.objects.filter(is_claimed=True).values("domain")
    _count_new(Domain.objects.filter(pk__in=of_touched))
    for statement, table in (*_SUMS, *_NEWEST):
        _run(cursor, statement, table, _OF_TOUCHED_DAYS)
    if had_figures:
        _go_back(cursor)
    for statement in (_LAST_DAYS, _NEWEST_CAUSES):
        _run(cursor, statement, "sessions", "", f"domain_id {touched}")
    _run(cursor, _CAUSE_DOMAINS, "causes", _ALL, f"s.domain_id {touched}")
    _remove_empty(cursor, "cause_domains")


def _count_new(domains: QuerySet[Domain]) -> None:
    """Note what these domains are counted for, if they are not counted yet."""
    count_as_now(domains.exclude(pk__in=CountedDomain.objects.values("pk")))


def _go_back(cursor: Any) -> None:
    """Take back what the touched days no longer tell of."""
    for target, table, same in (
        ("reporters", "sessions", _SAME_REPORTER),
        ("causes", "failures", _SAME_CAUSE),
    ):
        names = {"table": _TABLES[table], "target": _TABLES[target], "dirty": _TABLES["dirty"]}
        names["same"] = same.format(**names)
        names["is_touched"] = _IS_TOUCHED.format(**names)
        names["is_gone"] = _IS_GONE.format(**names)
        cursor.execute(_GONE_BACK.format(**names))
        cursor.execute(_GONE.format(**names))
    for target in _OF_TEAMS:
        _remove_empty(cursor, target)
    days = DirtyDay.objects.filter(is_claimed=True).values_list("day", flat=True).distinct()
    keys = {span_key(day.toordinal(), length) for day in days for length in LENGTHS}
    for target in _OF_SPANS:
        _remove_empty(cursor, target, f"span IN ({_list(sorted(keys))})")


def follow_inventory(cursor: Any) -> int:
    """Take over domains that moved to another team, mode or provider, were paused, taken up again
    or deleted.

    Gives how many; the rest waits for the next call. Domains belong to a package that knows
    nothing of reports, so this looks by itself.
    """
    moved = moved_domains(Kind).order_by().values_list("pk", flat=True)[:_MOST_MOVED]
    if not (ids := list(moved)):
        return 0
    known = Domain.objects.filter(pk__in=ids)
    gone = _list(sorted({*ids} - {*known.values_list("pk", flat=True)}))
    kinds = _kinds_to_add(ids)
    _add_domains(cursor, ids, kinds, sign="-")
    of_domains = ("spans", "reporter_spans", "domain_cause_spans", "reporters", "causes")
    for target in ("counted", "sessions", "failures", *of_domains):
        cursor.execute(f"DELETE FROM {_TABLES[target]} WHERE domain_id IN ({gone})")  # noqa: S608
    count_as_now(known, kinds)
    _add_domains(cursor, ids, kinds)
    for target in _OF_TEAMS:
        _remove_empty(cursor, target)
    return len(ids)


def _kinds_to_add(ids: Sequence[int]) -> list[Kind]:
    """Say which kinds of sums these domains have moved in; whoever is paused moved in all.

    What the inventory learns from now on, for another kind, waits for the next call.
    """
    kinds = [kind for kind in Kind if moved_domains([kind]).filter(pk__in=ids).exists()]
    return [*Kind] if Kind.ALL in kinds else kinds


def _add_domains(cursor: Any, ids: Sequence[int], kinds: Sequence[Kind], *, sign: str = "") -> None:
    """Put all figures of these domains into the sums of these kinds, or take them out."""
    where = f"s.domain_id IN ({_list(ids)})"
    for statement, table in (*_SUMS, (_CAUSE_DOMAINS, "causes")):
        if statement not in _OF_DOMAINS:
            _run(cursor, statement, table, _ALL, where, sign=sign, kinds=kinds)


def let_go(cursor: Any, before: date) -> None:
    """Take the days before this one out; called before retention removes their daily figures."""
    for statement, table in (pair for pair in _SUMS if pair[0] not in _OF_DAYS):
        _run(cursor, statement, table, _ALL, "s.day < %s", [before], sign="-")
    _remove_empty(cursor, "cause_spans")
    for target in _OF_SPANS:
        _remove_empty(cursor, target, f"span <= {last_key(before)}")
    for target in ("team_sessions", "team_failures"):
        cursor.execute(f"DELETE FROM {_TABLES[target]} WHERE day < %s", [before])  # noqa: S608
    for target in ("reporters", "causes", "cause_domains"):
        cursor.execute(f"DELETE FROM {_TABLES[target]} WHERE last_day < %s", [before])  # noqa: S608
    _run(cursor, _LAST_DAYS, "sessions", "", "last_day < %s", [before])
    cursor.execute(_FORGOTTEN_HOSTS.format(**_TABLES), [before])


def _name_all_operators(cursor: Any) -> None:
    """Note anew who runs which host: what is public knowledge of suffixes grows."""
    ReceivingHost.objects.all().delete()
    hosts = DailyFailures.objects.exclude(receiving_mx="").order_by()
    name_operators(list(hosts.values_list("receiving_mx", flat=True).distinct()))
    cursor.execute(_OPERATORS.format(**_TABLES))


def rebuild(cursor: Any) -> None:
    """Make all sums anew from the daily figures."""
    for target in _ANEW:
        cursor.execute(f"DELETE FROM {_TABLES[target]}")  # noqa: S608 — our own names
    _name_all_operators(cursor)
    figures = DailySessions.objects.filter(domain=OuterRef("pk"))
    _count_new(Domain.objects.filter(Exists(figures)))
    cursor.execute(f"SELECT domain_id FROM {_TABLES['counted']} ORDER BY domain_id")  # noqa: S608
    ids = [pk for (pk,) in cursor.fetchall()]
    for start in range(0, len(ids), _REBUILT_AT_ONCE):
        chunk = ids[start : start + _REBUILT_AT_ONCE]
        where = f"s.domain_id BETWEEN {chunk[0]} AND {chunk[-1]}"
        for statement, table in (*_SUMS, *_NEWEST):
            _run(cursor, statement, table, _ALL, where)
    for statement in (_LAST_DAYS, _NEWEST_CAUSES):
        _run(cursor, statement, "sessions", "")
    _run(cursor, _CAUSE_DOMAINS, "causes", _ALL)


_ANEW = (
    "counted",
    "team_sessions",
    "team_failures",
    "cause_spans",
    "domain_cause_spans",
    "spans",
    "reporter_spans",
    "reporters",
    "causes",
    "cause_domains",
)
_SUMS = (
    (_TEAM_SESSIONS, "sessions"),
    (_TEAM_FAILURES, "failures"),
    (_CAUSE_SPANS, "failures"),
    (_DOMAIN_CAUSE_SPANS, "failures"),
    (_SPANS, "sessions"),
    (_REPORTER_SPANS, "sessions"),
    (_APART, "failures"),
)
_OF_DOMAINS = (_DOMAIN_CAUSE_SPANS, _SPANS, _REPORTER_SPANS, _APART)
_OF_SPANS = ("spans", "reporter_spans", "domain_cause_spans")
_OF_TEAMS = ("team_sessions", "team_failures", "cause_spans", "cause_domains")
_OF_DAYS = (_TEAM_SESSIONS, _TEAM_FAILURES)
_NEWEST = ((_REPORTERS, "sessions"), (_CAUSES, "failures"))


def _run(
    cursor: Any,
    statement: str,
    table: str,
    source: str,
    where: str = "1 = 1",
    params: Sequence[Any] = (),
    *,
    sign: str = "",
    kinds: Iterable[Kind] = Kind,
) -> None:
    """Run one of the statements above; everything filled in is our own, never from outside."""
    is_sqlite = connection.vendor == "sqlite"
    rows = source.format(table=_TABLES[table], dirty=_TABLES["dirty"])
    sql = statement.format(
        **_TABLES,
        source=rows,
        where=where,
        sign=sign,
        of_team=_OF_TEAM,
        kinds=" UNION ALL ".join(f"SELECT '{kind}' AS kind" for kind in kinds),
        keys_a_day=KEYS_A_DAY,
        longest=LENGTHS[-1],
        of_policy=_quoted(Concern.POLICY),
        of_dane=_quoted(Concern.DANE),
        # As `date.toordinal` counts.
        ordinal="CAST(julianday(day) - 1721424.5 AS INTEGER)"
        if is_sqlite
        else "(day - DATE '0001-01-01' + 1)",
        lengths=" UNION ALL ".join(f"SELECT {length} AS length" for length in LENGTHS),
        greatest="MAX" if is_sqlite else "GREATEST",
    )
    cursor.execute(sql, params)


def _remove_empty(cursor: Any, target: str, where: str = "1 = 1") -> None:
    cursor.execute(f"DELETE FROM {_TABLES[target]} WHERE rows = 0 AND {where}")  # noqa: S608


def _quoted(concern: Concern) -> str:
    return ", ".join(f"'{name}'" for name in sorted(types_of(concern)))


def _list(ids: Sequence[int]) -> str:
    return ", ".join(str(int(pk)) for pk in ids) or "NULL"
