"""Lets PostgreSQL answer what pages of a fleet ask from five keys alone, without a look at each row.

SQLite has no columns that a key only holds, and needs them less: its rows lie closer.
"""

from django.db import migrations

SPANS = """
ALTER TABLE reports_domainspan DROP CONSTRAINT reports_domainspan_pkey;
ALTER TABLE reports_domainspan ADD CONSTRAINT reports_domainspan_pkey
    PRIMARY KEY (span, domain_id){};
"""
FAILURES = """
ALTER TABLE reports_dailyfailures DROP CONSTRAINT failures_once;
ALTER TABLE reports_dailyfailures ADD CONSTRAINT failures_once
    UNIQUE (domain_id, day, result_type, receiving_mx, reporter){};
"""
FAILING = """
DROP INDEX sessions_failing;
CREATE INDEX sessions_failing ON reports_dailysessions (day, domain_id){}
    WHERE counted_failures > 0;
"""
OF_TYPE = """
DROP INDEX failures_of_type;
CREATE INDEX failures_of_type ON reports_dailyfailures (result_type, day){};
"""
OF_DAY = """
DROP INDEX result_of_day;
CREATE INDEX result_of_day ON reports_policyresult (domain_id, day){};
"""
HELD = (
    (SPANS, "sessions, failures"),
    (FAILURES, "counted_failed_sessions"),
    (FAILING, "reporter, counted_failures"),
    (OF_DAY, "report_id, reporter, policy_type"),
    (OF_TYPE, "domain_id, receiving_mx, reporter, counted_failed_sessions"),
)


def hold_more(apps, schema_editor):
    """Make the keys hold what is added up."""
    _remake(schema_editor, [(statement, f" INCLUDE ({columns})") for statement, columns in HELD])


def hold_less(apps, schema_editor):
    """Make the keys as they were."""
    _remake(schema_editor, [(statement, "") for statement, _ in HELD])


def _remake(schema_editor, statements):
    if schema_editor.connection.vendor == "postgresql":
        for statement, held in statements:
            schema_editor.execute(statement.format(held))


class Migration(migrations.Migration):
    dependencies = [("reports", "0008_indexes_of_causes")]

    operations = [migrations.RunPython(hold_more, hold_less)]
