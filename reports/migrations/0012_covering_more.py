"""Lets PostgreSQL answer two more questions of a fleet from keys alone (see 0009)."""

from django.db import migrations

BY_DAY = """
DROP INDEX failures_by_day;
CREATE INDEX failures_by_day ON reports_dailyfailures (day, domain_id){};
"""
AT_MX = """
DROP INDEX cause_at_mx;
CREATE INDEX cause_at_mx ON reports_domaincause (receiving_mx, result_type){};
"""
HELD = (
    (BY_DAY, "counted_failed_sessions"),
    (AT_MX, "domain_id, reporter, last_day"),
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
    dependencies = [("reports", "0011_fill_last_days")]

    operations = [migrations.RunPython(hold_more, hold_less)]
