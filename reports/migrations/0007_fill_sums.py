"""Adds up the daily figures that are there already."""

from itertools import pairwise

from django.db import migrations

LENGTHS = (1, 4, 16, 64)

COUNTED = """
INSERT INTO reports_counteddomain (domain_id, team, is_active)
SELECT d.id, COALESCE(d.team_id, 0), d.is_active FROM domains_domain d
WHERE EXISTS (SELECT 1 FROM reports_dailysessions s WHERE s.domain_id = d.id)
"""
TEAM_SESSIONS = """
INSERT INTO reports_teamsessions (day, team, reporter, policy_type, successes, failures,
                                  counted_successes, counted_failures, rows)
SELECT s.day, c.team, s.reporter, s.policy_type, SUM(s.successes), SUM(s.failures),
       SUM(s.counted_successes), SUM(s.counted_failures), COUNT(*)
FROM reports_dailysessions s JOIN reports_counteddomain c ON c.domain_id = s.domain_id
WHERE c.is_active GROUP BY s.day, c.team, s.reporter, s.policy_type
"""
TEAM_FAILURES = """
INSERT INTO reports_teamfailures (day, team, result_type, receiving_mx, counted_failed_sessions,
                                  rows)
SELECT s.day, c.team, s.result_type, s.receiving_mx, SUM(s.counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures s JOIN reports_counteddomain c ON c.domain_id = s.domain_id
WHERE c.is_active AND s.counted_failed_sessions > 0
GROUP BY s.day, c.team, s.result_type, s.receiving_mx
"""
DAYS = """
INSERT INTO reports_domainspan (span, domain_id, sessions, failures, rows)
SELECT {ordinal} * 128 + 1, s.domain_id, SUM(s.counted_successes + s.counted_failures),
       SUM(s.counted_failures), COUNT(*)
FROM reports_dailysessions s GROUP BY s.domain_id, s.day
"""
LONGER = """
INSERT INTO reports_domainspan (span, domain_id, sessions, failures, rows)
SELECT span / 128 / {length} * {length} * 128 + {length}, domain_id, SUM(sessions), SUM(failures),
       SUM(rows)
FROM reports_domainspan WHERE span % 128 = {shorter} GROUP BY 1, domain_id
"""
REPORTERS = """
INSERT INTO reports_domainreporter (domain_id, reporter, last_day)
SELECT domain_id, reporter, MAX(day) FROM reports_dailysessions GROUP BY domain_id, reporter
"""
CAUSES = """
INSERT INTO reports_domaincause (domain_id, result_type, receiving_mx, reporter, last_day)
SELECT domain_id, result_type, receiving_mx, reporter, MAX(day) FROM reports_dailyfailures
WHERE counted_failed_sessions > 0 GROUP BY domain_id, result_type, receiving_mx, reporter
"""


def fill(apps, schema_editor):
    """Add up, in the database."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    ordinal = "CAST(julianday(s.day) - 1721424.5 AS INTEGER)"
    if not is_sqlite:
        ordinal = "(s.day - DATE '0001-01-01' + 1)"
    with schema_editor.connection.cursor() as cursor:
        for statement in (COUNTED, TEAM_SESSIONS, TEAM_FAILURES, REPORTERS, CAUSES):
            cursor.execute(statement)
        cursor.execute(DAYS.format(ordinal=ordinal))
        for shorter, length in pairwise(LENGTHS):
            cursor.execute(LONGER.format(shorter=shorter, length=length))


class Migration(migrations.Migration):
    dependencies = [("reports", "0006_sums")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
