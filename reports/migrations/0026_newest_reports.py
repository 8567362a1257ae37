"""Lets PostgreSQL find the newest reports that match, however many reports there are.

Results mostly stand in the order of their days, so an index of blocks is enough to find those of
some days. The index of failing results takes in those whose details alone tell of failures, and
holds what their causes are joined by. The list by reporter sorts the newest, and needs no index.
"""

from django.db import migrations

DAYS = "CREATE INDEX result_days ON reports_policyresult USING brin (day) WITH (pages_per_range=32)"
WARNED = """
CREATE INDEX report_warned ON reports_report (day DESC, id DESC) WHERE NOT (warnings = '[]'::jsonb)
"""
FAILING = """
DROP INDEX result_failing;
CREATE INDEX result_failing ON reports_policyresult (day DESC, report_id DESC, domain_id)
    INCLUDE ({}) WHERE {};
"""
NOW = FAILING.format(
    "reporter, policy_type, id, failures, failures_in_details",
    "failures > 0 OR failures_in_details > 0",
)
BEFORE = FAILING.format(
    "reporter, policy_type", "failures > 0 OR (failures IS NULL AND failures_in_details > 0)"
)


def find_newest(apps, schema_editor):
    """Make the indexes."""
    if schema_editor.connection.vendor == "postgresql":
        for statement in (DAYS, WARNED, NOW):
            schema_editor.execute(statement)


def find_as_before(apps, schema_editor):
    """Make the one as it was; the others go."""
    if schema_editor.connection.vendor == "postgresql":
        for statement in ("DROP INDEX result_days", "DROP INDEX report_warned", BEFORE):
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("reports", "0025_causes_of_some_domains")]

    operations = [
        migrations.RemoveIndex(model_name="policyresult", name="result_failing_by_reporter"),
        migrations.RunPython(find_newest, find_as_before),
    ]
