"""What the rules about failure rates find at a domain on a day, and where it comes from; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from alerts.rules.history import History
from domains.operators import operator_of
from mailtls.catalogue.result_types import POLICY_HOST_TYPES

# What reporters say for want of a better word: no other cause than the one seen beside it.
VAGUE_TYPES = frozenset({"", "validation-failure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Failures at one domain that should not be. Days are indexes of the span.

    `result_type` is empty where reporters name none. `site` is who is concerned: the operator of
    the receiving MX, or of the policy host; empty where nobody knows.
    """

    domain: str
    result_type: str
    other_types: frozenset[str] = frozenset()
    site: str
    hosts: frozenset[str] = frozenset()
    first: int
    last: int
    weight: int

    @property
    def types(self) -> frozenset[str]:
        """Give all result types seen together."""
        return self.other_types | {self.result_type}


class BadDays:
    """The days on which something was wrong at a domain, by result type."""

    __slots__ = ("_by_type",)

    def __init__(self) -> None:
        self._by_type: dict[str, set[int]] = defaultdict(set)

    def add(self, types: Iterable[str], days: Iterable[int]) -> None:
        """Note days on which sessions failed with these types."""
        noted = set(days)
        for result_type in types:
            self._by_type[result_type] |= noted

    def of(self, result_type: str) -> set[int]:
        """Give the days that are no past for this type: what failed without one may be it, too."""
        empty: set[int] = set()
        return self._by_type.get(result_type, empty) | self._by_type.get("", empty)

    @property
    def all(self) -> set[int]:
        """Give the days of all types."""
        return set().union(*self._by_type.values())


class RateRule(Protocol):
    """What the rules about failure rates have in common."""

    @property
    def clean_days(self) -> int:
        """Give how many days with sessions and without failures end it."""
        ...

    def look(self, history: History, end: int, known: Collection[str], bad: BadDays) -> list[Found]:
        """Give what is found at a domain on the day `end`.

        `known` are the result types of what is open there already, `bad` the days on which
        something was wrong.
        """
        ...

    def is_still_bad(self, sessions: int, failures: int, usual_rate: float) -> bool:
        """Say whether a day of something found goes on failing."""
        ...


def describe(
    history: History, result_type: str, first: int, last: int, others: Iterable[str] = ()
) -> Found:
    """Build the finding of a result type over some days, with its site and hosts."""
    hosts: Counter[str] = Counter()
    weight = 0
    figures = history.types.get(result_type)
    for day in range(first, last + 1):
        if figures is not None:
            hosts.update(figures.receiving_mx.get(day, ()))
            weight += figures.by_day[day]
        else:
            weight += history.failures[day]
    hosts.pop("", None)
    if result_type in POLICY_HOST_TYPES:
        site = history.policy_site
        hosts.clear()
    else:
        site = heaviest(operators_of(hosts))
    return Found(
        domain=history.domain,
        result_type=result_type,
        other_types=frozenset(others) - {result_type},
        site=site,
        hosts=frozenset(hosts),
        first=first,
        last=last,
        weight=weight,
    )


def operators_of(hosts: Counter[str]) -> Counter[str]:
    """Give the weights by operator instead of by host."""
    found: Counter[str] = Counter()
    for host, weight in hosts.items():
        if host:
            found[operator_of(host)] += weight
    return found


def heaviest(weights: Counter[str]) -> str:
    """Give the heaviest key; by name where two weigh the same, so that it is always the same."""
    return min(weights, key=lambda key: (-weights[key], key)) if weights else ""
