"""Adds up the failures of each domain by cause and MX over spans of 64 days.

On PostgreSQL three keys come to hold what is added up by them, as 0009 says why.
"""

from django.db import migrations, models

LENGTH = 64
FILL = """
INSERT INTO reports_domaincausespan (span, result_type, operator, receiving_mx, domain_id,
                                     counted_failed_sessions, rows)
SELECT {ordinal} / {length} * {length} * 128 + {length}, result_type, operator, receiving_mx,
       domain_id, SUM(counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures WHERE counted_failed_sessions > 0
GROUP BY 1, result_type, operator, receiving_mx, domain_id
"""
KEYS = {
    "reports_domaincausespan": "span, result_type, operator, receiving_mx, domain_id",
    "reports_teamcausespan": "span, team, result_type, operator, reporter",
}
KEY = """
ALTER TABLE {table} DROP CONSTRAINT {table}_pkey;
ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY ({columns}){held};
"""

AT_MX = """
DROP INDEX failures_at_mx;
CREATE INDEX failures_at_mx ON reports_dailyfailures (receiving_mx, result_type, day){};
"""


def hold_sessions(apps, schema_editor):
    """Make the keys hold what is added up."""
    _remake(schema_editor, " INCLUDE ({}counted_failed_sessions)")


def hold_none(apps, schema_editor):
    """Make the keys as they were."""
    _remake(schema_editor, "")


def _remake(schema_editor, held):
    if schema_editor.connection.vendor == "postgresql":
        for table, columns in KEYS.items():
            key = KEY.format(table=table, columns=columns, held=held.format(""))
            schema_editor.execute(key)
        schema_editor.execute(AT_MX.format(held.format("domain_id, operator, ")))


def fill(apps, schema_editor):
    """Add up what is there."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    ordinal = "CAST(julianday(day) - 1721424.5 AS INTEGER)"
    if not is_sqlite:
        ordinal = "(day - DATE '0001-01-01' + 1)"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL.format(ordinal=ordinal, length=LENGTH))


class Migration(migrations.Migration):
    dependencies = [("reports", "0014_fill_operators")]

    operations = [
        migrations.CreateModel(
            name="DomainCauseSpan",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "span",
                        "result_type",
                        "operator",
                        "receiving_mx",
                        "domain_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("span", models.BigIntegerField()),
                ("result_type", models.CharField(max_length=64)),
                ("operator", models.CharField(blank=True, max_length=253)),
                ("receiving_mx", models.CharField(blank=True, max_length=253)),
                ("domain_id", models.BigIntegerField()),
                ("counted_failed_sessions", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(hold_sessions, hold_none),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
