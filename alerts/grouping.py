"""Joins the failing days of many domains into causes: one expired certificate, one incident; pure.

Two domains share a cause when the same result type is reported at MX hosts of the same operator.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache

from publicsuffixlist import PublicSuffixList

from alerts.rules import DayFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFigures:
    """What one cause did to one domain, over its failing days."""

    first_on: date
    last_on: date
    failed_sessions: int
    sessions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause with the domains it touches. `result_type` is empty where none was reported."""

    key: str
    result_type: str
    receiving_mx: tuple[str, ...]
    reporters: tuple[str, ...]
    domains: dict[str, DomainFigures]

    @property
    def since_on(self) -> date:
        """Give the first failing day."""
        return min(figures.first_on for figures in self.domains.values())

    @property
    def last_on(self) -> date:
        """Give the last failing day."""
        return max(figures.last_on for figures in self.domains.values())

    @property
    def failed_sessions(self) -> int:
        """Give the failed sessions of all domains."""
        return sum(figures.failed_sessions for figures in self.domains.values())

    @property
    def sessions(self) -> int:
        """Give all sessions of the failing days."""
        return sum(figures.sessions for figures in self.domains.values())


def group_by_cause(failing: Iterable[DayFigures]) -> list[Cause]:
    """Give one Cause for each shared cause, most failed sessions first."""
    groups: dict[tuple[str, str], list[DayFigures]] = defaultdict(list)
    for day in failing:
        groups[_cause_of(day)].append(day)
    causes = [_merge(result_type, site, days) for (result_type, site), days in groups.items()]
    return sorted(causes, key=lambda cause: (-cause.failed_sessions, cause.key))


def _cause_of(day: DayFigures) -> tuple[str, str]:
    """Give the result type and the site that most failed sessions of the day have."""
    weights: Counter[tuple[str, str]] = Counter()
    for cause in day.causes:
        site = _operator_of(cause.receiving_mx) or day.domain
        weights[cause.result_type, site] += cause.failed_sessions
    if not weights:
        return "", day.domain
    # By name where two weigh the same, so that the same figures always give the same key.
    return min(weights, key=lambda key: (-weights[key], key))


def _merge(result_type: str, site: str, days: list[DayFigures]) -> Cause:
    per_domain: dict[str, list[DayFigures]] = defaultdict(list)
    receiving_mx: Counter[str] = Counter()
    reporters: Counter[str] = Counter()
    for day in days:
        per_domain[day.domain].append(day)
        for cause in day.causes:
            if cause.result_type == result_type:
                reporters[cause.reporter] += cause.failed_sessions
                if cause.receiving_mx:
                    receiving_mx[cause.receiving_mx] += cause.failed_sessions
        if not day.causes:
            reporters.update(day.reporters)
    return Cause(
        key=f"{result_type or 'unexplained'}@{site}",
        result_type=result_type,
        receiving_mx=tuple(host for host, _ in receiving_mx.most_common(20)),
        reporters=tuple(name for name, _ in reporters.most_common(20)),
        domains={
            domain: DomainFigures(
                first_on=min(day.day for day in held),
                last_on=max(day.day for day in held),
                failed_sessions=sum(day.failures for day in held),
                sessions=sum(day.sessions for day in held),
            )
            for domain, held in sorted(per_domain.items())
        },
    )


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@cache
def _operator_of(host: str) -> str:
    """Give the registrable domain of an MX host: mx1.hoster.example and mx2.hoster.example are
    one operator. Empty for no host."""
    if not host:
        return ""
    name = host.rstrip(".").lower()
    return str(_suffixes().privatesuffix(name) or name)
