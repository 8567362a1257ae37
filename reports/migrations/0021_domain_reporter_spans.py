"""Adds up the sessions of each domain by reporter and policy type over spans of 4, 16 and 64 days.

On PostgreSQL the key holds what is added up, as 0009 says why.
"""

from itertools import pairwise

from django.db import migrations, models

DAYS = """
INSERT INTO reports_domainreporterspan (span, domain_id, reporter, policy_type, successes, failures,
                                        counted_successes, counted_failures, rows)
SELECT {ordinal} / 4 * 4 * 128 + 4, domain_id, reporter, policy_type, SUM(successes),
       SUM(failures), SUM(counted_successes), SUM(counted_failures), COUNT(*)
FROM reports_dailysessions
GROUP BY 1, domain_id, reporter, policy_type
"""
LONGER = """
INSERT INTO reports_domainreporterspan (span, domain_id, reporter, policy_type, successes, failures,
                                        counted_successes, counted_failures, rows)
SELECT span / 128 / {length} * {length} * 128 + {length}, domain_id, reporter, policy_type,
       SUM(successes), SUM(failures), SUM(counted_successes), SUM(counted_failures), SUM(rows)
FROM reports_domainreporterspan WHERE span % 128 = {shorter}
GROUP BY 1, domain_id, reporter, policy_type
"""
KEY = """
ALTER TABLE reports_domainreporterspan DROP CONSTRAINT reports_domainreporterspan_pkey;
ALTER TABLE reports_domainreporterspan ADD CONSTRAINT reports_domainreporterspan_pkey
    PRIMARY KEY (span, domain_id, reporter, policy_type)
    INCLUDE (successes, failures, counted_successes, counted_failures);
"""


def fill(apps, schema_editor):
    """Add up what is there: days, and each longer span from the shorter ones."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    ordinal = "CAST(julianday(day) - 1721424.5 AS INTEGER)"
    if not is_sqlite:
        ordinal = "(day - DATE '0001-01-01' + 1)"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(DAYS.format(ordinal=ordinal))
        for shorter, length in pairwise((4, 16, 64)):
            cursor.execute(LONGER.format(shorter=shorter, length=length))


def hold_sums(apps, schema_editor):
    """Make the key hold what is added up."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(KEY)


class Migration(migrations.Migration):
    dependencies = [("reports", "0020_keys_of_causes")]

    operations = [
        migrations.CreateModel(
            name="DomainReporterSpan",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "span",
                        "domain_id",
                        "reporter",
                        "policy_type",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("span", models.BigIntegerField()),
                ("domain_id", models.BigIntegerField()),
                ("reporter", models.CharField(max_length=200)),
                ("policy_type", models.CharField(max_length=16)),
                ("successes", models.BigIntegerField()),
                ("failures", models.BigIntegerField()),
                ("counted_successes", models.BigIntegerField()),
                ("counted_failures", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(hold_sums, migrations.RunPython.noop),
    ]
