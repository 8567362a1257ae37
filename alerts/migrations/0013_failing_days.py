from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("alerts", "0012_due_after_quiet_times")]

    operations = [
        *(
            migrations.AddField(model_name=model, name=name, field=models.DateField(null=True))
            for model in ("incident", "incidentdomain")
            for name in ("failed_first_on", "failed_last_on")
        ),
    ]
