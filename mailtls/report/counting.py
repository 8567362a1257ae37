"""Which policy results of a report count as sessions: never sts and tlsa both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from mailtls.report.values import PolicyType


class Countable(Protocol):
    """A policy result, as read or as stored."""

    @property
    def policy_type(self) -> str:
        """Give one of `PolicyType`."""

    @property
    def sessions(self) -> int:
        """Give successes and failures together."""

    @property
    def failed_sessions(self) -> int:
        """Give the failures that count."""


def counted_types(results: Iterable[Countable]) -> frozenset[str]:
    """Give the policy types whose sessions count, for the results of one report and one domain.

    A connection under both an MTA-STS policy and a TLSA record stands in the report twice
    (Microsoft does so every day). So the larger of the alternatives counts, beside what was
    sent without a policy; at a tie the one with more failures, so that none is hidden.
    """
    sessions: defaultdict[str, int] = defaultdict(int)
    failures: defaultdict[str, int] = defaultdict(int)
    for result in results:
        sessions[result.policy_type] += result.sessions
        failures[result.policy_type] += result.failed_sessions
    alternatives = [kind for kind in sessions if kind != PolicyType.NO_POLICY_FOUND]
    winner = max(alternatives, key=lambda kind: (sessions[kind], failures[kind]), default=None)
    counted: set[str] = {PolicyType.NO_POLICY_FOUND}
    if winner is not None:
        counted.add(winner)
    return frozenset(counted)
