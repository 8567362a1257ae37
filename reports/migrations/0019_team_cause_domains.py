"""Adds up how many domains each cause touches, by the day on which they were last told of with it.

On PostgreSQL the key holds the numbers, as 0009 says why.
"""

from django.db import migrations, models

FILL = """
INSERT INTO reports_teamcausedomains (last_day, team, result_type, operator, rows, newest_rows)
SELECT k.last_day, c.team, k.result_type, k.operator, COUNT(*),
       SUM(CASE WHEN k.is_newest THEN 1 ELSE 0 END)
FROM reports_domaincause k JOIN reports_counteddomain c ON c.domain_id = k.domain_id
WHERE c.is_active
GROUP BY k.last_day, c.team, k.result_type, k.operator
"""
KEY = """
ALTER TABLE reports_teamcausedomains DROP CONSTRAINT reports_teamcausedomains_pkey;
ALTER TABLE reports_teamcausedomains ADD CONSTRAINT reports_teamcausedomains_pkey
    PRIMARY KEY (last_day, team, result_type, operator) INCLUDE (rows, newest_rows);
"""


def hold_numbers(apps, schema_editor):
    """Make the key hold the numbers."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(KEY)


def fill(apps, schema_editor):
    """Count what is there."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL)


class Migration(migrations.Migration):
    dependencies = [("reports", "0018_covering_details")]

    operations = [
        migrations.CreateModel(
            name="TeamCauseDomains",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "last_day",
                        "team",
                        "result_type",
                        "operator",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("last_day", models.DateField()),
                ("team", models.BigIntegerField()),
                ("result_type", models.CharField(max_length=64)),
                ("operator", models.CharField(blank=True, max_length=253)),
                ("rows", models.BigIntegerField()),
                ("newest_rows", models.BigIntegerField()),
            ],
            options={"verbose_name_plural": "team cause domains"},
        ),
        migrations.RunPython(hold_numbers, migrations.RunPython.noop),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
