"""Finds what some domains have of a cause without a look at all others."""

from django.db import migrations, models

OF_DOMAIN = """
DROP INDEX cause_spans_of;
CREATE INDEX cause_spans_of ON reports_domaincausespan (domain_id, result_type, span)
    INCLUDE (operator, receiving_mx, counted_failed_sessions);
"""


def hold_sums(apps, schema_editor):
    """Make the key hold what is added up, as 0009 says why."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(OF_DOMAIN)


class Migration(migrations.Migration):
    dependencies = [("reports", "0024_covering_sums")]

    operations = [
        migrations.AddIndex(
            model_name="domaincausespan",
            index=models.Index(fields=["domain_id", "result_type", "span"], name="cause_spans_of"),
        ),
        migrations.RunPython(hold_sums, migrations.RunPython.noop),
    ]
