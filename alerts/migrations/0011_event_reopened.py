from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0010_older_texts_for_some"),
    ]

    operations = [
        migrations.AlterField(
            model_name="incidentevent",
            name="event",
            field=models.CharField(
                choices=[
                    ("opened", "Opened"),
                    ("worsened", "Got worse"),
                    ("joined", "Seen in another way, too"),
                    ("acknowledged", "Acknowledged"),
                    ("assigned", "Assigned"),
                    ("commented", "Comment"),
                    ("muted", "Muted"),
                    ("accepted", "Risk accepted"),
                    ("expired", "Mute or acceptance ended"),
                    ("resolved", "Resolved"),
                    ("returned", "Came back"),
                    ("reopened", "Opened again"),
                    ("escalated", "Nobody has taken it"),
                    ("reminded", "Accepted risk ends soon"),
                ],
                max_length=12,
            ),
        ),
    ]
