"""Tells apart, in the spans of domains, the failed sessions that no mode of MTA-STS refuses."""

from itertools import pairwise

from django.db import migrations, models

OF_POLICY = "'sts-policy-fetch-error', 'sts-policy-invalid', 'sts-webpki-invalid'"
OF_DANE = "'dane-required', 'dnssec-invalid', 'tlsa-invalid'"
DAYS = """
UPDATE reports_domainspan SET unread = d.unread, under_dane = d.under_dane
FROM (SELECT {ordinal} * 128 + 1 AS span, domain_id,
             SUM(CASE WHEN result_type IN ({of_policy})
                 THEN counted_failed_sessions ELSE 0 END) AS unread,
             SUM(CASE WHEN result_type IN ({of_dane})
                 THEN counted_failed_sessions ELSE 0 END) AS under_dane
      FROM reports_dailyfailures
      WHERE counted_failed_sessions > 0 AND result_type IN ({of_policy}, {of_dane})
      GROUP BY day, domain_id) d
WHERE d.span = reports_domainspan.span AND d.domain_id = reports_domainspan.domain_id
"""
LONGER = """
UPDATE reports_domainspan SET unread = d.unread, under_dane = d.under_dane
FROM (SELECT span / 128 / {length} * {length} * 128 + {length} AS longer, domain_id,
             SUM(unread) AS unread, SUM(under_dane) AS under_dane
      FROM reports_domainspan
      WHERE span % 128 = {shorter} AND (unread > 0 OR under_dane > 0)
      GROUP BY 1, domain_id) d
WHERE d.longer = reports_domainspan.span AND d.domain_id = reports_domainspan.domain_id
"""
KEY = """
ALTER TABLE reports_domainspan DROP CONSTRAINT reports_domainspan_pkey;
ALTER TABLE reports_domainspan ADD CONSTRAINT reports_domainspan_pkey
    PRIMARY KEY (span, domain_id) INCLUDE (sessions, failures{});
"""


def hold_more(apps, schema_editor):
    """Make the key hold what is told apart (see 0009)."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(KEY.format(", unread, under_dane"))


def hold_less(apps, schema_editor):
    """Make the key as it was."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(KEY.format(""))


def fill(apps, schema_editor):
    """Tell apart what is there: by day, and each longer span from the shorter ones."""
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    ordinal = "CAST(julianday(day) - 1721424.5 AS INTEGER)"
    if not is_sqlite:
        ordinal = "(day - DATE '0001-01-01' + 1)"
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(DAYS.format(ordinal=ordinal, of_policy=OF_POLICY, of_dane=OF_DANE))
        for shorter, length in pairwise((1, 4, 16, 64)):
            cursor.execute(LONGER.format(shorter=shorter, length=length))


class Migration(migrations.Migration):
    dependencies = [("reports", "0015_domain_cause_spans")]

    operations = [
        migrations.AddField("domainspan", "unread", models.BigIntegerField(db_default=0)),
        migrations.AddField("domainspan", "under_dane", models.BigIntegerField(db_default=0)),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.RunPython(hold_more, hold_less),
    ]
