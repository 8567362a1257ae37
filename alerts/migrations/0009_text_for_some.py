from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0008_coverage_kind")]

    operations = [
        migrations.AddField(
            model_name="incidentevent",
            name="text_for_some",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
    ]
