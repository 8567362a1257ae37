"""Repeats with each domain what its posture says in a word."""

from django.db import migrations

COLUMNS = (
    "tlsrpt",
    "mta_sts",
    "sts_mode",
    "dane",
    "starttls",
    "mx",
    "mx_provider",
    "has_uncovered_mx",
    "errors",
    "unknown_since",
)
FILL = f"""
UPDATE domains_domain SET ({", ".join(COLUMNS)}) = (
    SELECT {", ".join(f"p.{column}" for column in COLUMNS)}
    FROM domains_posture p WHERE p.domain_id = domains_domain.id
)
WHERE id IN (SELECT domain_id FROM domains_posture)
"""  # noqa: S608 — our own names


class Migration(migrations.Migration):
    dependencies = [("domains", "0009_domain_listed")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop, elidable=True)]
