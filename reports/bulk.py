"""Many rows at once, past the ORM's work on each value: a batch of reports has thousands.

`bulk_create` spends about 80 µs a row where the databases need 5; nothing else in the portal
writes enough rows for that to matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, models

# Up to so many rows go to PostgreSQL one by one.
_FEW = 8

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
    table = quote(meta.db_table)
    # Every name in these statements comes from the models.
    insert = f"INSERT INTO {table} ({columns}) VALUES ({_marks(len(fields))})"  # noqa: S608
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and len(values) > _FEW:
            if ignore_conflicts:
                _copy_new(cursor, meta.db_table, columns, values)
            else:
                _copy(cursor, table, columns, values)
        else:
            ending = " ON CONFLICT DO NOTHING" if ignore_conflicts else ""
            cursor.executemany(insert + ending, values)


def _copy(cursor: Any, table: str, columns: str, values: list[list[Any]]) -> None:
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in values:
            copy.write_row(row)


def _copy_new(cursor: Any, table: str, columns: str, values: list[list[Any]]) -> None:
    """Copy into a table of this connection first: COPY itself knows no conflicts.

    Rows of an earlier call in the same transaction come along and conflict with themselves.
    """
    incoming = connection.ops.quote_name(f"incoming_{table}")
    target = connection.ops.quote_name(table)
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {incoming} ON COMMIT DELETE ROWS "  # noqa: S608
        f"AS SELECT {columns} FROM {target} WITH NO DATA"
    )
    _copy(cursor, incoming, columns, values)
    cursor.execute(
        f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {incoming} "  # noqa: S608
        "ON CONFLICT DO NOTHING"
    )


def _marks(count: int) -> str:
    return ", ".join(["%s"] * count)


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
