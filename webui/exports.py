"""Tables as files, made so that a spreadsheet runs nothing that a stranger wrote into them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

import tablib
from django.http import HttpResponse

# What spreadsheets take for a formula or a command when a cell begins with it (OWASP, "CSV
# injection"). Full-width forms are read as the plain ones by some versions.
RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class Format(StrEnum):
    """The files a table can be had as."""

    CSV = "csv"
    XLSX = "xlsx"


CONTENT_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def neutralise(value: object) -> object:
    """Give a value that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(RISKY_STARTS) else text


def file_response(
    form: Format, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    """Answer with the rows as a file to save."""
    dataset = tablib.Dataset(title=name[:31], headers=list(header))
    for row in rows:
        dataset.append([neutralise(value) for value in row])
    response = HttpResponse(dataset.export(form.value), content_type=CONTENT_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form.value}"'
    return response
