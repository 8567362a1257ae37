from django.db import migrations


def count_further(apps, schema_editor):
    """Count the quiet times that are agreed now into when something is due."""
    incidents = apps.get_model("alerts", "Incident").objects
    aside = incidents.filter(state__in=["muted", "accepted"])
    for incident in aside.exclude(due_at=None).exclude(quiet_until=None):
        began = incident.events.filter(event__in=["muted", "accepted"]).order_by("-at").first()
        if began is not None:
            incident.due_at += incident.quiet_until - began.at
            incident.save(update_fields=["due_at"])


class Migration(migrations.Migration):
    dependencies = [("alerts", "0011_event_reopened")]

    operations = [migrations.RunPython(count_further, migrations.RunPython.noop)]
