"""The rows of the list of reports: the newest that match, counted and paged without reading all."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

from reports.models import Report
from reports.queries import last_complete_days

# The list has so many of the newest, a file so many: a large fleet gets tens of millions in a year.
MOST = 5_000
MOST_IN_FILES = 100_000
READ_AT_ONCE = 2_000
PAGE = 50
# Looked for among those of yesterday; where these are too few, as far back as their number lets
# expect, and somewhat further. PostgreSQL cannot guess how far, and would rather read all.
FURTHER = 1.3
FARTHEST = 100  # days; who would have to look further back looks at all
_PAGE = """
WITH matching AS MATERIALIZED ({rows}),
newest AS (SELECT * FROM matching ORDER BY day DESC, found DESC LIMIT {most}),
page AS (SELECT * FROM newest ORDER BY {order} LIMIT %s OFFSET %s)
SELECT counted.number, page.found
FROM (SELECT COUNT(*) AS number FROM matching) counted LEFT JOIN page ON 1 = 1 ORDER BY {order}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The keys of some reports, and how many the list has; that is `MOST`, and one more where
    more match."""

    keys: list[int]
    count: int


@dataclass(frozen=True, kw_only=True)
class ReportRows:
    """The newest reports that match, as a table wants them: counted, ordered, read by the page.

    `matching` are reports, or results where the conditions are about these: results know day and
    reporter, too, and to join the two tables row by row takes PostgreSQL ten times as long.
    """

    matching: QuerySet[Any]
    # The path from a row of `matching` to its report's id.
    key: str
    # The days that are asked for; an open end is the end of time.
    since: date
    until: date
    ordering: tuple[str, ...] = ("-day",)
    # The page that begins here is read together with the count.
    start: int = 0
    model = Report

    def count(self) -> int:
        """Count the reports that the list has."""
        return min(self._page.count, MOST)

    @property
    def is_cut(self) -> bool:
        """Say whether more match than the list has."""
        return self._page.count > MOST

    def order_by(self, *names: str) -> ReportRows:
        """Give the same reports in the order of `day` or `reporter`, either with a minus."""
        return replace(self, ordering=names)

    def beginning_at(self, start: int) -> ReportRows:
        """Give the same reports, the page that begins here to be read together with the count."""
        return replace(self, start=start)

    def __getitem__(self, at: slice) -> list[Report]:
        """Read some of the reports, without their documents."""
        length = at.stop - at.start
        is_known = at.start == self.start and length <= PAGE
        found = self._page if is_known else self._find(at.start, length, MOST)
        return self._read(found.keys[:length])

    def __iter__(self) -> Iterator[Report]:
        """Read all reports that a file has, some thousand at a time."""
        keys = self._find(0, MOST_IN_FILES, MOST_IN_FILES).keys
        for start in range(0, len(keys), READ_AT_ONCE):
            yield from self._read(keys[start : start + READ_AT_ONCE])

    def _read(self, keys: Sequence[int]) -> list[Report]:
        held = Report.objects.defer("document").in_bulk(keys)
        return [held[key] for key in keys if key in held]

    @cached_property
    def _page(self) -> Found:
        """Give a page, and with it the count: to find the reports takes so long that nobody should
        do it twice."""
        return self._find(self.start, PAGE, MOST)

    def _find(self, start: int, length: int, most: int) -> Found:
        """Find some of the newest reports that match, looking back as far as need be."""
        last, days = min(self.until, last_complete_days(1)[1]), 1
        while days <= min((last - self.since).days, FARTHEST):
            found = self._find_since(last - timedelta(days - 1), start, length, most)
            if found.count > most:
                return found
            if not found.count:
                break
            days = max(2 * days, math.ceil(days * most * FURTHER / found.count))
        return self._find_since(self.since, start, length, most)

    def _find_since(self, since: date, start: int, length: int, most: int) -> Found:
        rows = self._keys().filter(day__gte=since).order_by("-day", "-found")[: most + 1]
        statement, params = rows.query.sql_with_params()
        order = ", ".join(map(_in_order, self._names()))
        with connection.cursor() as cursor:
            cursor.execute(
                _PAGE.format(rows=statement, most=most, order=order), [*params, length, start]
            )
            page: list[tuple[int, int | None]] = cursor.fetchall()
        return Found(keys=[key for _, key in page if key is not None], count=page[0][0])

    def _keys(self) -> QuerySet[Any]:
        """Give what reports are ordered by and the id of each, once."""
        names = dict.fromkeys(["day", *(name.removeprefix("-") for name in self.ordering)])
        rows: QuerySet[Any] = self.matching.annotate(found=F(self.key)).values_list(*names, "found")
        return rows if self.matching.model is Report else rows.distinct()

    def _names(self) -> list[str]:
        """Name what reports are ordered by; the last to arrive first where it is descending."""
        return [*self.ordering, "-found" if self.ordering[-1].startswith("-") else "found"]


def _in_order(name: str) -> str:
    column = connection.ops.quote_name(name.removeprefix("-"))
    return f"{column} DESC" if name.startswith("-") else column
