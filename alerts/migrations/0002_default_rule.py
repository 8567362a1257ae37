"""The rule that every portal starts with."""

from django.db import migrations


def add_rule(apps, schema_editor):
    """Add it unless somebody has made rules already."""
    rule = apps.get_model("alerts", "Rule")
    if not rule.objects.exists():
        rule.objects.create(
            name="Failure rate above 5 %",
            kind="failure-rate",
            parameters={
                "threshold": 0.05,
                "minimum_sessions": 20,
                "minimum_failed_sessions": 5,
                "clean_days": 2,
            },
            severity="high",
        )


class Migration(migrations.Migration):
    """Adds the rule; taking the migration back leaves it."""

    dependencies = [("alerts", "0001_initial")]

    operations = [migrations.RunPython(add_rule, migrations.RunPython.noop)]
