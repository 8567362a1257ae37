"""Lets PostgreSQL keep what a posture holds in full apart from its row.

Lists and counts read the few words of all postures, a domain's page the whole of one: with both in
one row, they would read twenty times as much.
"""

from django.db import migrations

NARROW = "ALTER TABLE domains_posture SET (toast_tuple_target = 128)"
WIDE = "ALTER TABLE domains_posture RESET (toast_tuple_target)"


def on_postgresql(statement):
    """Give a function that runs a statement there; SQLite has rows of one kind."""

    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statement)

    return run


class Migration(migrations.Migration):
    dependencies = [("domains", "0007_fill_state_spans")]

    operations = [migrations.RunPython(on_postgresql(NARROW), on_postgresql(WIDE))]
