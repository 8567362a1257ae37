"""Lets PostgreSQL add up spans from the primary key alone, without a look at each row."""

from django.db import migrations

COVERING = """
ALTER TABLE reports_domainspan
    DROP CONSTRAINT reports_domainspan_pkey,
    ADD CONSTRAINT reports_domainspan_pkey PRIMARY KEY (span, domain_id)
        INCLUDE (sessions, failures)
"""
PLAIN = """
ALTER TABLE reports_domainspan
    DROP CONSTRAINT reports_domainspan_pkey,
    ADD CONSTRAINT reports_domainspan_pkey PRIMARY KEY (span, domain_id)
"""


def on_postgresql(statement):
    """Give an operation that runs only there: SQLite knows no covering keys."""

    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("reports", "0007_fill_sums")]

    operations = [migrations.RunPython(on_postgresql(COVERING), on_postgresql(PLAIN))]
