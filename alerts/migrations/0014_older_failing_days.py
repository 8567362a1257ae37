from django.db import migrations

RATES = ["regression", "failure-rate"]


def fill(apps, schema_editor):
    """Find the failing days of the figures there are: at what a rule about failures found."""
    incidents = apps.get_model("alerts", "Incident").objects
    rows = apps.get_model("alerts", "IncidentDomain").objects
    for incident in incidents.filter(sessions__gt=0).select_related("rule").iterator():
        source = incident
        if incident.rule.kind not in RATES:
            source = incident.parts.filter(rule__kind__in=RATES).order_by("-opened_at").first()
        if source is None:
            continue
        held = rows.filter(incident=source, sessions__gt=0, is_of_part=False)
        days = {
            one: (first, last)
            for one, first, last in held.values_list("domain", "first_on", "last_on")
        }
        changed = [
            row for row in rows.filter(incident=incident, sessions__gt=0) if row.domain_id in days
        ]
        for row in changed:
            row.failed_first_on, row.failed_last_on = days[row.domain_id]
        rows.bulk_update(changed, ["failed_first_on", "failed_last_on"], batch_size=500)
        if days:
            incident.failed_first_on = min(first for first, _ in days.values())
            incident.failed_last_on = max(last for _, last in days.values())
            incident.save(update_fields=["failed_first_on", "failed_last_on"])


class Migration(migrations.Migration):
    dependencies = [("alerts", "0013_failing_days")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
