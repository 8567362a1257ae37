"""Tables as files, made so that a spreadsheet runs nothing that a stranger wrote into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import tablib
from django.http import Http404, HttpRequest, HttpResponse

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table of a page as a file: its name in the address, the file's name, header and rows.

    The rows are made when the file is asked for: all of them, also where the page shows the first.
    """

    name: str
    file_name: str
    header: Sequence[str]
    rows: Callable[[], Iterable[Sequence[object]]]


def asked_format(request: HttpRequest) -> Format | None:
    """Give the file that `?export=` asks for; None where the page itself is asked for."""
    form = request.GET.get("export")
    return Format(form) if form in set(Format) else None


def asked_file(request: HttpRequest, *sheets: Sheet) -> HttpResponse | None:
    """Answer with the table that `?export=` (and `?table=`; without it the first) asks for.

    None where the page itself is asked for. Raises Http404 for a table the page does not have.
    """
    form = asked_format(request)
    if form is None:
        return None
    wanted = request.GET.get("table", sheets[0].name)
    for sheet in sheets:
        if sheet.name == wanted:
            return file_response(form, sheet.file_name, sheet.header, sheet.rows())
    raise Http404
