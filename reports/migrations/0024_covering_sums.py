"""Lets PostgreSQL answer what pages of a fleet ask from the keys of sums alone (see 0009)."""

from django.db import migrations

KEY = """
ALTER TABLE {table} DROP CONSTRAINT {table}_pkey;
ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({columns}) INCLUDE ({held});
"""
KEYS = (
    (
        "reports_teamsessions",
        "team, narrowing, day, reporter, policy_type",
        "successes, failures, counted_successes, counted_failures",
    ),
    (
        "reports_teamfailures",
        "team, narrowing, day, result_type, operator",
        "counted_failed_sessions",
    ),
    (
        "reports_teamcausespan",
        "team, narrowing, span, result_type, operator, reporter",
        "counted_failed_sessions",
    ),
    (
        "reports_teamcausedomains",
        "team, narrowing, last_day, result_type, operator",
        "rows, newest_rows",
    ),
)
OF_TYPE = """
DROP INDEX team_failures_of_type;
CREATE INDEX team_failures_of_type ON reports_teamfailures (team, narrowing, result_type, day)
    INCLUDE (operator, counted_failed_sessions);
"""


def hold_sums(apps, schema_editor):
    """Make the keys hold what is added up."""
    if schema_editor.connection.vendor == "postgresql":
        for table, columns, held in KEYS:
            schema_editor.execute(KEY.format(table=table, columns=columns, held=held))
        schema_editor.execute(OF_TYPE)


class Migration(migrations.Migration):
    dependencies = [("reports", "0023_sums_of_modes_and_providers")]

    operations = [migrations.RunPython(hold_sums, migrations.RunPython.noop)]
