"""What a cause is, and how daily figures, sums and details are narrowed to one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet

from reports.fleet import (
    Scope,
    domain_failures_of,
    failures_of,
)
from reports.models import ReceivingHost


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseKey:
    """A cause: a result type, at one operator or one receiving MX where these are not None.

    An operator runs MX hosts (domains.operators.operator_of). Both are empty where reporters name
    no host. As one reporter alone tells of it, where `reporter` is not empty.
    """

    result_type: str
    operator: str | None = None
    receiving_mx: str | None = None
    reporter: str = ""

    @property
    def in_address(self) -> dict[str, str]:
        """Give what narrows it as addresses name it."""
        return self._named("operator", "mx")

    @property
    def in_rows(self) -> dict[str, str]:
        """Give what narrows it as columns of daily figures name it."""
        return self._named("operator", "receiving_mx")

    def _named(self, operator: str, receiving_mx: str) -> dict[str, str]:
        named = {
            operator: self.operator,
            receiving_mx: self.receiving_mx,
            "reporter": self.reporter or None,
        }
        return {name: value for name, value in named.items() if value is not None}


def details_condition(cause: CauseKey, path: str = "", result: str = "result__") -> Q:
    """Give the condition of a cause on failure details; `path` leads to them, `result` to what they
    belong to."""
    condition = details_naming(cause, path)
    # Most results have no details, and so need not be looked up.
    condition &= Q(**{f"{result}failures__gt": 0}) | Q(**{f"{result}failures_in_details__gt": 0})
    if cause.reporter:
        condition &= Q(**{f"{result}reporter": cause.reporter})
    return condition


def details_naming(cause: CauseKey, path: str = "") -> Q:
    """Give the part of it that is about the details themselves."""
    condition = Q(**{f"{path}result_type": cause.result_type})
    if cause.operator:
        hosts = ReceivingHost.objects.filter(operator=cause.operator).values("pk")
        condition &= Q(**{f"{path}receiving_mx_hostname__in": hosts})
    elif cause.operator is not None:
        condition &= Q(**{f"{path}receiving_mx_hostname": ""})
    if cause.receiving_mx is not None:
        condition &= Q(**{f"{path}receiving_mx_hostname": cause.receiving_mx})
    return condition


def of_cause(rows: QuerySet[Any], cause: CauseKey) -> QuerySet[Any]:
    """Narrow daily figures or sums to those of a cause (see `failures_telling`)."""
    return rows.filter(result_type=cause.result_type, **cause.in_rows)


def failures_telling(cause: CauseKey) -> Callable[[Scope, date, date], QuerySet[Any]]:
    """Give what reads failed sessions by all that a cause names: daily sums tell neither hosts nor
    reporters apart."""
    is_of_sums = cause.receiving_mx is None and not cause.reporter
    return failures_of if is_of_sums else domain_failures_of
