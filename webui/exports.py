"""Tables as files, made so that a spreadsheet runs nothing that a stranger wrote into them.

What is a number, a share or a time on a page is one in the file, which a spreadsheet can sort and
add up.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import zip_longest
from typing import Any

import openpyxl
from django.http import Http404, HttpRequest, HttpResponse
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from webui.wording import NOTHING, Percent

# What spreadsheets take for a formula or a command when a cell begins with it (OWASP, "CSV
# injection"). Full-width forms are read as the plain ones by some versions.
RISKY_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


# Days and moments as text; spreadsheets know none before 1900.
_ISO = re.compile(r"(19[0-9]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2})?)?")
_NO_TITLE = re.compile(r"[\\*?:/\[\]]")
# Columns are as wide as what stands in the first rows, up to so many characters.
_MEASURED = 500
_WIDEST = 60


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
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(RISKY_STARTS) else text


def typed(value: object) -> object:
    """Give what a cell of a file holds: a number, a share, a day, a moment in UTC, or safe text.

    Tables give days and moments also as text, in the forms of ISO 8601: these are the same.
    """
    if isinstance(value, Percent):
        return value
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).replace(
            microsecond=0, tzinfo=None
        )
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        if value in NOTHING:
            return ""
        if _ISO.fullmatch(value):
            return _read_iso(value)
    return neutralise(value)


def _read_iso(text: str) -> date | datetime | str:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return text


def _in_csv(value: object) -> object:
    """Give a cell for CSV: a share as `7.78%`, a moment as `2026-11-28 09:30:00`."""
    if isinstance(value, Percent):
        return percent_text(value.fraction)
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def percent_text(fraction: float) -> str:
    """Give a share as spreadsheets take it from text: two decimals, more only for what is tiny."""
    percent = 100 * fraction
    decimals = 2
    while 0 < percent < 10 ** (1 - decimals) and decimals < 12:
        decimals += 1
    return f"{percent:.{decimals}f}%"


def file_response(
    form: Format, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> HttpResponse:
    """Answer with the rows as a file to save."""
    cells = [[typed(value) for value in row] for row in rows]
    write = _as_xlsx if form is Format.XLSX else _as_csv
    response = HttpResponse(write(name, header, cells), content_type=CONTENT_TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form.value}"'
    return response


def _as_csv(name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([_in_csv(value) for value in row] for row in rows)
    return file.getvalue().encode()


def _as_xlsx(name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(_NO_TITLE.sub("-", name)[:31])
    sheet.freeze_panes = "A2"
    for at, width in enumerate(_widths(header, rows[:_MEASURED]), start=1):
        sheet.column_dimensions[get_column_letter(at)].width = width
    sheet.append([_cell(sheet, title, font=Font(bold=True)) for title in header])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cell(sheet: Any, value: object, **look: Any) -> Any:
    """Give a cell as a spreadsheet sorts and shows it; plain text and numbers need no more."""
    form = ""
    if isinstance(value, Percent):
        value, form = value.fraction, "0.00%"
    elif isinstance(value, datetime):
        form = "yyyy-mm-dd hh:mm:ss"
    elif isinstance(value, date):
        form = "yyyy-mm-dd"
    elif isinstance(value, str):
        # XML has no place for control signs, which strangers write into reports all the same.
        value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
    if not form and not look:
        return value
    cell = WriteOnlyCell(sheet, value=value)
    if form:
        cell.number_format = form
    for name, how in look.items():
        setattr(cell, name, how)
    return cell


def _widths(header: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[int]:
    for column in zip_longest(header, *rows, fillvalue=""):
        yield min(_WIDEST, 2 + max(len(str(value)) for value in column))


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
