"""Many rows at once, past the ORM's work on each value: a batch of reports has thousands.

`bulk_create` spends about 80 µs a row where the databases need 5; nothing else in the portal
writes enough rows for that to matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, models

Convert = Callable[[Any], Any]


def give_ids(rows: Sequence[models.Model]) -> None:
    """Give unsaved rows of one model primary keys, so that others can refer to them.

    To be called inside a transaction: on SQLite its write lock is what keeps others away.
    """
    if not rows:
        return
    table = rows[0]._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [table, len(rows)],
            )
            ids = [row[0] for row in cursor.fetchall()]
        else:
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            last = (cursor.fetchone() or (0,))[0]
            ids = list(range(last + 1, last + 1 + len(rows)))
    for row, pk in zip(rows, ids, strict=True):
        row.pk = pk


def insert_rows(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert unsaved rows of one model, all with primary keys or all without.

    With `ignore_conflicts`, a row that breaks a unique constraint is left out.
    """
    if not rows:
        return
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key or rows[0].pk]
    names = [field.attname for field in fields]
    converters = [_converter(field) for field in fields]
    converted = [
        (name, convert) for name, convert in zip(names, converters, strict=True) if convert
    ]
    values = []
    for row in rows:
        members = row.__dict__
        if converted:
            members = dict(members)
            for name, convert in converted:
                members[name] = convert(members[name])
        values.append([members[name] for name in names])
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    ending = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
    # Every name in it comes from the models.
    sql = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES ({marks}){ending}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def _converter(field: models.Field[Any, Any]) -> Convert | None:
    ops = connection.ops
    if isinstance(field, models.DateTimeField):
        return ops.adapt_datetimefield_value
    if isinstance(field, models.DateField):
        return ops.adapt_datefield_value
    if isinstance(field, models.JSONField):
        return lambda value: ops.adapt_json_value(value, None)
    if field.choices:
        return str  # enumerations are texts to us, not to every driver
    return None
