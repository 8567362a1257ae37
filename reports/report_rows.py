"""The rows of the list of reports: which reports match, counted and paged without reading them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, QuerySet

from reports.models import Report

READ_AT_ONCE = 2_000


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
        return self._keys().count()

    def order_by(self, *names: str) -> ReportRows:
        """Give the same reports in the order of `day` or `reporter`, either with a minus."""
        return replace(self, ordering=names)

    def __getitem__(self, at: slice) -> list[Report]:
        """Read some of the reports, without their documents."""
        return self._read([key for *_, key in self._ordered()[at]])

    def __iter__(self) -> Iterator[Report]:
        """Read all reports, some thousand at a time."""
        keys = [key for *_, key in self._ordered()]
        for start in range(0, len(keys), READ_AT_ONCE):
            yield from self._read(keys[start : start + READ_AT_ONCE])

    def _read(self, keys: Sequence[int]) -> list[Report]:
        held = Report.objects.defer("document").in_bulk(keys)
        return [held[key] for key in keys if key in held]

    def _ordered(self) -> QuerySet[Any]:
        names = [name.removeprefix("-") for name in self.ordering]
        last = "-found" if self.ordering[-1].startswith("-") else "found"
        return self._keys(*names).order_by(*self.ordering, last)

    def _keys(self, *names: str) -> QuerySet[Any]:
        """Give these columns and the id of each report, once."""
        rows: QuerySet[Any] = self.matching.order_by().annotate(found=F(self.key))
        rows = rows.values_list(*names, "found")
        return rows if self.matching.model is Report else rows.distinct()
