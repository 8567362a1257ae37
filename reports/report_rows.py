"""The rows of the list of reports: which reports match, counted and paged without reading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.db.models import Count, F, QuerySet, Window

from reports.models import Report

READ_AT_ONCE = 2_000
FIRST_PAGE = 50


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
    model = Report

    def count(self) -> int:
        """Count the reports."""
        if self._is_of_reports:
            return self.matching.count()
        return self._first_page[0][1] if self._first_page else 0

    def order_by(self, *names: str) -> ReportRows:
        """Give the same reports in the order of `day` or `reporter`, either with a minus."""
        return replace(self, ordering=names)

    def __getitem__(self, at: slice) -> list[Report]:
        """Read some of the reports, without their documents."""
        if not self._is_of_reports and at.start == 0 and at.stop <= FIRST_PAGE:
            return self._read([key for key, _ in self._first_page[at]])
        return self._read([key for *_, key in self._ordered()[at]])

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
    def _first_page(self) -> list[tuple[int, int]]:
        """Read the keys of the first page, each with how many reports match: to find these takes
        so long that nobody should do it twice, and the first page is what most people read."""
        # Grouped, because a window counts before DISTINCT.
        groups = self._sorted_keys().annotate(results=Count("*"), count=Window(Count("*")))
        return [(key, count) for *_, key, _, count in groups[:FIRST_PAGE]]

    def _ordered(self) -> QuerySet[Any]:
        """Give what reports are ordered by and the id of each, once."""
        rows = self._sorted_keys()
        return rows if self._is_of_reports else rows.distinct()

    def _sorted_keys(self) -> QuerySet[Any]:
        names = [name.removeprefix("-") for name in self.ordering]
        last = "-found" if self.ordering[-1].startswith("-") else "found"
        rows: QuerySet[Any] = self.matching.order_by().annotate(found=F(self.key))
        return rows.values_list(*names, "found").order_by(*self.ordering, last)
