"""Names the operators of all receiving MX hosts, and adds up by them what is there already."""

from itertools import pairwise

from django.db import migrations

from domains.operators import operator_of

LENGTHS = (1, 4, 16, 64)
AT_ONCE = 5_000

OF_TYPE = """
DROP INDEX failures_of_type;
CREATE INDEX failures_of_type ON reports_dailyfailures (result_type, day)
    INCLUDE (domain_id, {}receiving_mx, reporter, counted_failed_sessions);
"""
ONCE = """
ALTER TABLE reports_dailyfailures DROP CONSTRAINT failures_once;
ALTER TABLE reports_dailyfailures ADD CONSTRAINT failures_once
    UNIQUE (domain_id, day, result_type, receiving_mx, reporter)
    INCLUDE ({}counted_failed_sessions);
"""
CAUSE_DAYS = """
DROP INDEX team_failures_of_type;
CREATE INDEX team_failures_of_type ON reports_teamfailures (result_type, day)
    INCLUDE (team, operator, counted_failed_sessions);
DROP INDEX cause_span_of_type;
CREATE INDEX cause_span_of_type ON reports_teamcausespan (result_type, span)
    INCLUDE (team, operator, reporter, counted_failed_sessions);
"""
FAILING_OF = """
DROP INDEX sessions_failing_of;
CREATE INDEX sessions_failing_of ON reports_dailysessions (domain_id, day)
    INCLUDE (reporter, counted_failures) WHERE counted_failures > 0;
"""
OF_DAY = """
DROP INDEX result_of_day;
CREATE INDEX result_of_day ON reports_policyresult (domain_id, day)
    INCLUDE (report_id, reporter, policy_type{});
"""
AT_OPERATOR = """
DROP INDEX cause_at_operator;
CREATE INDEX cause_at_operator ON reports_domaincause (operator, result_type)
    INCLUDE (domain_id, last_day);
"""
OPERATORS = """
UPDATE reports_dailyfailures SET operator = (
    SELECT h.operator FROM reports_receivinghost h WHERE h.name = reports_dailyfailures.receiving_mx
) WHERE receiving_mx <> ''
"""
TEAM_FAILURES = """
INSERT INTO reports_teamfailures (day, team, result_type, operator, counted_failed_sessions, rows)
SELECT s.day, c.team, s.result_type, s.operator, SUM(s.counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures s JOIN reports_counteddomain c ON c.domain_id = s.domain_id
WHERE c.is_active AND s.counted_failed_sessions > 0
GROUP BY s.day, c.team, s.result_type, s.operator
"""
DAYS = """
INSERT INTO reports_teamcausespan (span, team, result_type, operator, reporter,
                                   counted_failed_sessions, rows)
SELECT {ordinal} * 128 + 1, c.team, s.result_type, s.operator, s.reporter,
       SUM(s.counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures s JOIN reports_counteddomain c ON c.domain_id = s.domain_id
WHERE c.is_active AND s.counted_failed_sessions > 0
GROUP BY s.day, c.team, s.result_type, s.operator, s.reporter
"""
LONGER = """
INSERT INTO reports_teamcausespan (span, team, result_type, operator, reporter,
                                   counted_failed_sessions, rows)
SELECT span / 128 / {length} * {length} * 128 + {length}, team, result_type, operator, reporter,
       SUM(counted_failed_sessions), SUM(rows)
FROM reports_teamcausespan WHERE span % 128 = {shorter}
GROUP BY 1, team, result_type, operator, reporter
"""
CAUSES = """
INSERT INTO reports_domaincause (domain_id, result_type, operator, last_day)
SELECT domain_id, result_type, operator, MAX(day) FROM reports_dailyfailures
WHERE counted_failed_sessions > 0 GROUP BY domain_id, result_type, operator
"""

NEWEST = """
UPDATE reports_domaincause SET is_newest = NOT is_newest
WHERE NOT EXISTS (
    SELECT 1 FROM reports_domaincause o WHERE o.domain_id = reports_domaincause.domain_id
    AND o.result_type = reports_domaincause.result_type
    AND (o.last_day > reports_domaincause.last_day
         OR (o.last_day = reports_domaincause.last_day
             AND o.operator < reports_domaincause.operator)))
"""


def hold_operators(apps, schema_editor):
    """Let the keys of PostgreSQL hold operators, too (see 0009)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OF_TYPE.format("operator, "))
        schema_editor.execute(ONCE.format("operator, "))
        schema_editor.execute(AT_OPERATOR)
        schema_editor.execute(CAUSE_DAYS)
        schema_editor.execute(FAILING_OF)
        schema_editor.execute(OF_DAY.format(", id, is_counted, failures, failures_in_details"))


def hold_none(apps, schema_editor):
    """Make the one key that stays as it was."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OF_TYPE.format(""))
        schema_editor.execute(ONCE.format(""))
        schema_editor.execute(OF_DAY.format(""))


def fill(apps, schema_editor):
    """Name the operators in Python, add up in the database."""
    failures = apps.get_model("reports", "DailyFailures").objects.exclude(receiving_mx="")
    host = apps.get_model("reports", "ReceivingHost")
    names = failures.order_by().values_list("receiving_mx", flat=True).distinct()
    host.objects.bulk_create(
        (host(name=name, operator=operator_of(name)) for name in list(names)), batch_size=AT_ONCE
    )
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    ordinal = "CAST(julianday(s.day) - 1721424.5 AS INTEGER)"
    if not is_sqlite:
        ordinal = "(s.day - DATE '0001-01-01' + 1)"
    with schema_editor.connection.cursor() as cursor:
        for statement in (OPERATORS, TEAM_FAILURES, CAUSES, NEWEST):
            cursor.execute(statement)
        cursor.execute(DAYS.format(ordinal=ordinal))
        for shorter, length in pairwise(LENGTHS):
            cursor.execute(LONGER.format(shorter=shorter, length=length))


class Migration(migrations.Migration):
    dependencies = [("reports", "0013_operators")]

    operations = [
        migrations.RunPython(hold_operators, hold_none),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
