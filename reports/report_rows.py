"""The rows of the list of reports: which reports match, counted and paged without reading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from reports.models import Report

READ_AT_ONCE = 2_000
PAGE = 50
# Materialized, because all of it is needed for the count: else PostgreSQL plans for a page alone,
# and walks along all results in the order asked for.
_PAGE = """
WITH matching AS MATERIALIZED ({rows})
SELECT found, (SELECT COUNT(*) FROM matching) FROM matching ORDER BY {order} LIMIT %s OFFSET %s
"""


@dataclass(frozen=True, kw_only=True)
class ReportRows:
    """Reports that match, as a table wants them: counted, ordered, and read a page at a time.

    `matching` are reports, or results where the conditions are about these: results know day and
    reporter, too, and to join the two tables row by row takes PostgreSQL ten times as long.
    """

    matching: QuerySet[Any]
    # The path from a row of `matching` to its report's id.
    key: str
    ordering: tuple[str, ...] = ("-day",)
    # The page that begins here is read together with the count.
    start: int = 0
    model = Report

    def count(self) -> int:
        """Count the reports."""
        if self._is_of_reports:
            return self.matching.count()
        # Past the end the page is empty.
        page = self._page or (self._find_page(0, 1) if self.start else [])
        return page[0][1] if page else 0

    def order_by(self, *names: str) -> ReportRows:
        """Give the same reports in the order of `day` or `reporter`, either with a minus."""
        return replace(self, ordering=names)

    def beginning_at(self, start: int) -> ReportRows:
        """Give the same reports, the page that begins here to be read together with the count."""
        return replace(self, start=start)

    def __getitem__(self, at: slice) -> list[Report]:
        """Read some of the reports, without their documents."""
        if self._is_of_reports:
            return self._read([key for *_, key in self._ordered()[at]])
        length = at.stop - at.start
        is_known = at.start == self.start and length <= PAGE
        page = self._page[:length] if is_known else self._find_page(at.start, length)
        return self._read([key for key, _ in page])

    def __iter__(self) -> Iterator[Report]:
        """Read all reports, some thousand at a time."""
        keys = [key for *_, key in self._ordered()]
        for start in range(0, len(keys), READ_AT_ONCE):
            yield from self._read(keys[start : start + READ_AT_ONCE])

    def _read(self, keys: Sequence[int]) -> list[Report]:
        held = Report.objects.defer("document").in_bulk(keys)
        return [held[key] for key in keys if key in held]

    @property
    def _is_of_reports(self) -> bool:
        return bool(self.matching.model is Report)

    @cached_property
    def _page(self) -> list[tuple[int, int]]:
        """Give a page, and with it the count: to find the reports takes so long that nobody should
        do it twice."""
        return self._find_page(self.start, PAGE)

    def _find_page(self, start: int, length: int) -> list[tuple[int, int]]:
        """Read the keys of some of the reports, each with how many there are."""
        rows, params = self._ordered().query.sql_with_params()
        statement = _PAGE.format(rows=rows, order=", ".join(map(_in_order, self._names())))
        with connection.cursor() as cursor:
            cursor.execute(statement, [*params, length, start])
            page: list[tuple[int, int]] = cursor.fetchall()
        return page

    def _ordered(self) -> QuerySet[Any]:
        """Give what reports are ordered by and the id of each, once."""
        rows = self._keys().order_by(*self._names())
        return rows if self._is_of_reports else rows.distinct()

    def _keys(self) -> QuerySet[Any]:
        names = [name.removeprefix("-") for name in self.ordering]
        rows: QuerySet[Any] = self.matching.annotate(found=F(self.key))
        return rows.values_list(*names, "found")

    def _names(self) -> list[str]:
        """Name what reports are ordered by; the last to arrive first where it is descending."""
        return [*self.ordering, "-found" if self.ordering[-1].startswith("-") else "found"]


def _in_order(name: str) -> str:
    column = connection.ops.quote_name(name.removeprefix("-"))
    return f"{column} DESC" if name.startswith("-") else column
