"""Orders reports with failures by reporter, too.

On PostgreSQL both keys of them hold what else is asked, as 0009 says why.
"""

from django.db import migrations, models
from django.db.models import Q

FAILED = "failures > 0 OR (failures IS NULL AND failures_in_details > 0)"
BY_DAY = f"""
DROP INDEX result_failing;
CREATE INDEX result_failing ON reports_policyresult (day DESC, report_id DESC, domain_id){{}}
    WHERE {FAILED};
"""
BY_REPORTER = f"""
DROP INDEX result_failing_by_reporter;
CREATE INDEX result_failing_by_reporter ON reports_policyresult (reporter, report_id, domain_id){{}}
    WHERE {FAILED};
"""


def hold_more(apps, schema_editor):
    """Make the keys hold more."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BY_DAY.format(" INCLUDE (reporter, policy_type)"))
        schema_editor.execute(BY_REPORTER.format(" INCLUDE (day, policy_type)"))


def hold_less(apps, schema_editor):
    """Make the key as it was; the other goes."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(BY_DAY.format(""))


class Migration(migrations.Migration):
    dependencies = [("reports", "0021_domain_reporter_spans")]

    operations = [
        migrations.AddIndex(
            model_name="policyresult",
            index=models.Index(
                fields=["reporter", "report", "domain"],
                condition=(Q(failures__gt=0) | Q(failures=None, failures_in_details__gt=0)),
                name="result_failing_by_reporter",
            ),
        ),
        migrations.RunPython(hold_more, hold_less),
    ]
