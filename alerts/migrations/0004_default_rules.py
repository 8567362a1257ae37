"""The rules that every portal starts with, beside the threshold, which is off from here on."""

from django.db import migrations

RULES = (
    ("Failure rate above its own past", "regression", "high"),
    ("Reports that stop coming", "silence", "medium"),
    ("Records, policies and certificates", "posture", "high"),
    ("New domains without records", "coverage", "low"),
)
THRESHOLD = {
    "threshold": 0.05,
    "minimum_sessions": 20,
    "minimum_failed_sessions": 5,
    "clean_days": 2,
}


def add_rules(apps, schema_editor):
    """Add them, and switch the threshold off where nobody has changed it or met it.

    The regression rule finds what the threshold finds, without telling of chronic failures.
    """
    rule = apps.get_model("alerts", "Rule")
    incident = apps.get_model("alerts", "Incident")
    for name, kind, severity in RULES:
        if not rule.objects.filter(kind=kind).exists():
            rule.objects.get_or_create(
                name=name, defaults={"kind": kind, "parameters": {}, "severity": severity}
            )
    untouched = rule.objects.filter(name="Failure rate above 5 %", parameters=THRESHOLD)
    untouched.exclude(pk__in=incident.objects.values("rule")).update(is_active=False)


class Migration(migrations.Migration):
    """Adds the rules; taking the migration back leaves them."""

    dependencies = [("alerts", "0003_due_and_evidence")]

    operations = [migrations.RunPython(add_rules, migrations.RunPython.noop)]
