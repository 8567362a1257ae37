"""Lets PostgreSQL find the reports of a cause from two keys alone, as 0009 says why.

SQLite holds no columns in keys and finds a row by its id without one: it gets neither.
"""

from django.db import migrations

OF_TYPE = """
DROP INDEX detail_of_type;
CREATE INDEX detail_of_type ON reports_failuredetail (result_type, id DESC){};
"""
KEYS = """
CREATE INDEX result_keys ON reports_policyresult (id) INCLUDE (day, report_id, domain_id);
"""


def hold_more(apps, schema_editor):
    """Make the keys."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OF_TYPE.format(" INCLUDE (result_id)"))
        schema_editor.execute(KEYS)


def hold_less(apps, schema_editor):
    """Make the one key as it was, and take the other away."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OF_TYPE.format(""))
        schema_editor.execute("DROP INDEX result_keys;")


class Migration(migrations.Migration):
    dependencies = [("reports", "0017_hold_back_the_future")]

    operations = [migrations.RunPython(hold_more, hold_less)]
