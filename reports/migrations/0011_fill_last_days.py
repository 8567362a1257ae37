"""Tells of each counted domain when it was last told of."""

from django.db import migrations

LAST_DAYS = """
UPDATE reports_counteddomain SET last_day = (
    SELECT MAX(r.last_day) FROM reports_domainreporter r
    WHERE r.domain_id = reports_counteddomain.domain_id
)
"""


class Migration(migrations.Migration):
    dependencies = [("reports", "0010_counted_last_day")]

    operations = [migrations.RunSQL(LAST_DAYS, migrations.RunSQL.noop, elidable=True)]
