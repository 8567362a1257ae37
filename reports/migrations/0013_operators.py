"""Adds up failures by the operator of the receiving MX instead of by the host.

Where each domain has hosts of its own, as with large providers, nothing added up by host.
"""

from django.db import migrations, models

TEAM_FAILURES = """
INSERT INTO reports_teamfailures (day, team, result_type, receiving_mx, counted_failed_sessions,
                                  rows)
SELECT s.day, c.team, s.result_type, s.receiving_mx, SUM(s.counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures s JOIN reports_counteddomain c ON c.domain_id = s.domain_id
WHERE c.is_active AND s.counted_failed_sessions > 0
GROUP BY s.day, c.team, s.result_type, s.receiving_mx
"""
CAUSES = """
INSERT INTO reports_domaincause (domain_id, result_type, receiving_mx, reporter, last_day)
SELECT domain_id, result_type, receiving_mx, reporter, MAX(day) FROM reports_dailyfailures
WHERE counted_failed_sessions > 0 GROUP BY domain_id, result_type, receiving_mx, reporter
"""


def fill_as_before(apps, schema_editor):
    """Add up by host again; runs last on the way back."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TEAM_FAILURES)
        cursor.execute(CAUSES)


def key(*names):
    """Give a primary key of several columns."""
    return (
        "pk",
        models.CompositePrimaryKey(
            *names, blank=True, editable=False, primary_key=True, serialize=False
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("reports", "0012_covering_more")]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, fill_as_before),
        migrations.DeleteModel("TeamFailures"),
        migrations.DeleteModel("DomainCause"),
        migrations.CreateModel(
            name="ReceivingHost",
            fields=[
                ("name", models.CharField(max_length=253, primary_key=True, serialize=False)),
                ("operator", models.CharField(max_length=253)),
            ],
            options={
                "indexes": [models.Index(fields=["operator", "name"], name="host_of_operator")]
            },
        ),
        migrations.AddField(
            model_name="dailyfailures",
            name="operator",
            field=models.CharField(blank=True, default="", max_length=253),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="dailyfailures",
            index=models.Index(
                fields=["receiving_mx", "result_type", "day"], name="failures_at_mx"
            ),
        ),
        migrations.AddIndex(
            model_name="dailysessions",
            index=models.Index(
                condition=models.Q(("counted_failures__gt", 0)),
                fields=["domain", "day"],
                name="sessions_failing_of",
            ),
        ),
        migrations.CreateModel(
            name="TeamFailures",
            fields=[
                key("day", "team", "result_type", "operator"),
                ("day", models.DateField()),
                ("team", models.BigIntegerField()),
                ("result_type", models.CharField(max_length=64)),
                ("operator", models.CharField(blank=True, max_length=253)),
                ("counted_failed_sessions", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
            ],
            options={
                "verbose_name_plural": "team failures",
                "indexes": [
                    models.Index(fields=["result_type", "day"], name="team_failures_of_type")
                ],
            },
        ),
        migrations.CreateModel(
            name="TeamCauseSpan",
            fields=[
                key("span", "team", "result_type", "operator", "reporter"),
                ("span", models.BigIntegerField()),
                ("team", models.BigIntegerField()),
                ("result_type", models.CharField(max_length=64)),
                ("operator", models.CharField(blank=True, max_length=253)),
                ("reporter", models.CharField(max_length=200)),
                ("counted_failed_sessions", models.BigIntegerField()),
                ("rows", models.BigIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["result_type", "span"], name="cause_span_of_type")]
            },
        ),
        migrations.CreateModel(
            name="DomainCause",
            fields=[
                key("domain_id", "result_type", "operator"),
                ("domain_id", models.BigIntegerField()),
                ("result_type", models.CharField(max_length=64)),
                ("operator", models.CharField(blank=True, max_length=253)),
                ("last_day", models.DateField()),
                ("is_newest", models.BooleanField(db_default=False)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["operator", "result_type"], name="cause_at_operator"),
                    models.Index(
                        fields=["last_day", "is_newest", "result_type", "operator", "domain_id"],
                        name="cause_by_day",
                    ),
                ]
            },
        ),
    ]
