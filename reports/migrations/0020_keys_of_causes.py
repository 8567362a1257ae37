"""Lets PostgreSQL count the domains of causes among some domains from one key, as 0009 says why."""

from django.db import migrations

KEY = """
ALTER TABLE reports_domaincause DROP CONSTRAINT reports_domaincause_pkey;
ALTER TABLE reports_domaincause ADD CONSTRAINT reports_domaincause_pkey
    PRIMARY KEY (domain_id, result_type, operator){};
"""


def hold_days(apps, schema_editor):
    """Make the key hold what is asked of a cause."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(KEY.format(" INCLUDE (last_day, is_newest)"))


def hold_none(apps, schema_editor):
    """Make the key as it was."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(KEY.format(""))


class Migration(migrations.Migration):
    dependencies = [("reports", "0019_team_cause_domains")]

    operations = [migrations.RunPython(hold_days, hold_none)]
