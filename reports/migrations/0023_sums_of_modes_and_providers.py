"""Adds up figures for all domains, each mode and each provider, beside each team.

The four tables of sums are made anew, the team first in their keys.
"""

from itertools import pairwise

from django.db import migrations, models
from django.db.models import Q

LENGTHS = (1, 4, 16, 64)

COUNTED = """
UPDATE reports_counteddomain SET
    sts = COALESCE((SELECT d.sts_mode FROM domains_domain d
                    WHERE d.id = reports_counteddomain.domain_id
                    AND d.mta_sts = 'valid' AND d.mx <> 'null-mx'), ''),
    provider = COALESCE((SELECT d.mx_provider FROM domains_domain d
                         WHERE d.id = reports_counteddomain.domain_id), '')
"""
OF_TEAM = """CASE k.kind WHEN 'team' THEN c.team ELSE -1 END,
       CASE k.kind WHEN 'sts' THEN 'sts=' || c.sts WHEN 'provider' THEN 'provider=' || c.provider
                   ELSE '' END"""
COUNTED_FOR = """JOIN reports_counteddomain c ON c.domain_id = s.domain_id
CROSS JOIN (SELECT 'team' AS kind UNION ALL SELECT 'all' UNION ALL SELECT 'sts'
            UNION ALL SELECT 'provider') k
WHERE c.is_active"""
SESSIONS = """
INSERT INTO reports_teamsessions (team, narrowing, day, reporter, policy_type, successes, failures,
                                  counted_successes, counted_failures, rows)
SELECT {of_team}, s.day, s.reporter, s.policy_type, SUM(s.successes), SUM(s.failures),
       SUM(s.counted_successes), SUM(s.counted_failures), COUNT(*)
FROM reports_dailysessions s {counted_for}
GROUP BY 1, 2, s.day, s.reporter, s.policy_type
"""
FAILURES = """
INSERT INTO reports_teamfailures (team, narrowing, day, result_type, operator,
                                  counted_failed_sessions, rows)
SELECT {of_team}, s.day, s.result_type, s.operator, SUM(s.counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures s {counted_for} AND s.counted_failed_sessions > 0
GROUP BY 1, 2, s.day, s.result_type, s.operator
"""
DAYS = """
INSERT INTO reports_teamcausespan (team, narrowing, span, result_type, operator, reporter,
                                   counted_failed_sessions, rows)
SELECT {of_team}, {ordinal} * 128 + 1, s.result_type, s.operator, s.reporter,
       SUM(s.counted_failed_sessions), COUNT(*)
FROM reports_dailyfailures s {counted_for} AND s.counted_failed_sessions > 0
GROUP BY 1, 2, s.day, s.result_type, s.operator, s.reporter
"""
LONGER = """
INSERT INTO reports_teamcausespan (team, narrowing, span, result_type, operator, reporter,
                                   counted_failed_sessions, rows)
SELECT team, narrowing, span / 128 / {length} * {length} * 128 + {length}, result_type, operator,
       reporter, SUM(counted_failed_sessions), SUM(rows)
FROM reports_teamcausespan WHERE span % 128 = {shorter}
GROUP BY team, narrowing, 3, result_type, operator, reporter
"""
DOMAINS = """
INSERT INTO reports_teamcausedomains (team, narrowing, last_day, result_type, operator, rows,
                                      newest_rows)
SELECT {of_team}, s.last_day, s.result_type, s.operator, COUNT(*),
       SUM(CASE WHEN s.is_newest THEN 1 ELSE 0 END)
FROM reports_domaincause s {counted_for}
GROUP BY 1, 2, s.last_day, s.result_type, s.operator
"""


def fill(apps, schema_editor):
    """Add up what is there: days, and each longer span from the shorter ones."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    ordinal = "CAST(julianday(s.day) - 1721424.5 AS INTEGER)"
    if not is_sqlite:
        ordinal = "(s.day - DATE '0001-01-01' + 1)"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(COUNTED)
        for statement in (SESSIONS, FAILURES, DOMAINS, DAYS):
            cursor.execute(
                statement.format(of_team=OF_TEAM, counted_for=COUNTED_FOR, ordinal=ordinal)
            )
        for shorter, length in pairwise(LENGTHS):
            cursor.execute(LONGER.format(shorter=shorter, length=length))


def sums(name, key, fields, plural=None, of_type=None):
    """Give the operation that makes one of the tables."""
    model = f"Team{name}"
    indexes = [
        models.Index(fields=("team",), condition=Q(rows=0), name=f"{model.lower()}_empty"),
    ]
    if of_type:
        columns = ("team", "narrowing", "result_type", key[0])
        indexes.append(models.Index(fields=columns, name=of_type))
    pk = models.CompositePrimaryKey(
        "team", "narrowing", *key, blank=True, editable=False, primary_key=True, serialize=False
    )
    options = {"abstract": False, "indexes": indexes}
    if plural:
        options["verbose_name_plural"] = plural
    return migrations.CreateModel(
        name=model,
        fields=[
            ("team", models.BigIntegerField()),
            ("narrowing", models.CharField(blank=True, max_length=80)),
            ("rows", models.BigIntegerField()),
            ("pk", pk),
            *fields,
        ],
        options=options,
    )


CAUSE = [
    ("result_type", models.CharField(max_length=64)),
    ("operator", models.CharField(blank=True, max_length=253)),
]
REPORTER = ("reporter", models.CharField(max_length=200))
FAILED = ("counted_failed_sessions", models.BigIntegerField())


class Migration(migrations.Migration):
    dependencies = [
        ("domains", "0012_change_replaced_late"),
        ("reports", "0022_failing_by_reporter"),
    ]

    operations = [
        *(
            migrations.DeleteModel(f"Team{name}")
            for name in ("Sessions", "Failures", "CauseSpan", "CauseDomains")
        ),
        migrations.AddField(
            "CountedDomain", "sts", models.CharField(blank=True, max_length=8, default=""), False
        ),
        migrations.AddField(
            "CountedDomain",
            "provider",
            models.CharField(blank=True, max_length=60, default=""),
            False,
        ),
        sums(
            "Sessions",
            ("day", "reporter", "policy_type"),
            [
                ("day", models.DateField()),
                REPORTER,
                ("policy_type", models.CharField(max_length=16)),
                ("successes", models.BigIntegerField()),
                ("failures", models.BigIntegerField()),
                ("counted_successes", models.BigIntegerField()),
                ("counted_failures", models.BigIntegerField()),
            ],
            plural="team sessions",
        ),
        sums(
            "Failures",
            ("day", "result_type", "operator"),
            [("day", models.DateField()), *CAUSE, FAILED],
            plural="team failures",
            of_type="team_failures_of_type",
        ),
        sums(
            "CauseSpan",
            ("span", "result_type", "operator", "reporter"),
            [("span", models.BigIntegerField()), *CAUSE, REPORTER, FAILED],
        ),
        sums(
            "CauseDomains",
            ("last_day", "result_type", "operator"),
            [
                ("last_day", models.DateField()),
                *CAUSE,
                ("newest_rows", models.BigIntegerField()),
            ],
            plural="team cause domains",
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
