"""How surprising a number of failures is, given how often sessions failed before; pure.

The failure rate of mail is no fixed coin: it differs from day to day by more than chance. So the
past is held as a Beta distribution whose weight is capped, and the count of failures then has a
beta-binomial distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, lgamma

# What is believed of a domain nobody has reported on: one in 500 fails, held with the weight of
# 50 sessions.
PRIOR_RATE = 0.002
PRIOR_SESSIONS = 50.0
# However many sessions the past has, its rate is never believed more firmly than that many say.
MOST_SESSIONS = 1200.0
_FEWEST_SESSIONS = 30.0
# So many failures of the past are no chance.
_FEWEST_FAILURES = 3
_LEAST_PRIOR = 4.0
_CHRONIC_RATE = 0.05
_MOST_TERMS = 20_000


@dataclass(frozen=True, slots=True)
class Belief:
    """A Beta distribution of a failure rate."""

    alpha: float
    beta: float

    @property
    def rate(self) -> float:
        """Give its mean."""
        return self.alpha / (self.alpha + self.beta)


def learn(sessions: int, failures: int, days: Sequence[tuple[int, int]] = ()) -> Belief:
    """Give the belief after a past of so many sessions and failures.

    `days` are the (sessions, failures) of its single days: where they differ by more than chance
    the belief is held more loosely.
    """
    weight = min(float(sessions), MOST_SESSIONS, _weight_of(sessions, failures, days))
    scale = weight / sessions if sessions else 0.0
    prior = _prior_sessions(sessions, failures, weight)
    return Belief(
        alpha=PRIOR_RATE * prior + failures * scale,
        beta=(1 - PRIOR_RATE) * prior + max(0, sessions - failures) * scale,
    )


def _prior_sessions(sessions: int, failures: int, weight: float) -> float:
    """Give the weight of what is believed beforehand: little where the past says otherwise.

    Else what always fails by fits and starts, and so is held loosely, would seem to fail far less
    often than it does.
    """
    if _is_chronic(sessions, failures):
        return min(PRIOR_SESSIONS, max(_LEAST_PRIOR, weight / 10))
    return PRIOR_SESSIONS


def _is_chronic(sessions: int, failures: int) -> bool:
    return failures >= _FEWEST_FAILURES and failures >= sessions * _CHRONIC_RATE


def least_rate(sessions: int, failures: int) -> float:
    """Give a rate that the belief after such a past is never below, at no cost."""
    if sessions < _FEWEST_SESSIONS or not _is_chronic(sessions, failures):
        return 0.0
    return failures / sessions * _FEWEST_SESSIONS / (_FEWEST_SESSIONS + _LEAST_PRIOR)


def surprise(failures: int, sessions: int, belief: Belief) -> float:
    """Give the probability of at least so many failures, exactly (no normal approximation)."""
    k, n = failures, sessions
    if k <= 0:
        return 1.0
    if k > n:
        n = k  # a reporter whose details exceed its summary
    a, b = belief.alpha, belief.beta
    term = exp(
        lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
        + lgamma(k + a) + lgamma(n - k + b) - lgamma(n + a + b)
        + lgamma(a + b) - lgamma(a) - lgamma(b)
    )  # fmt: skip
    total = term
    for x in range(k, min(n, k + _MOST_TERMS)):
        # The last term leaves n - x - 1 successes: b alone keeps the divisor above zero.
        term *= (n - x) / (x + 1) * (x + a) / (n - x - 1 + b)
        total += term
        if term < total * 1e-9:
            break
    return min(1.0, total)


def _weight_of(sessions: int, failures: int, days: Sequence[tuple[int, int]]) -> float:
    """Give the weight at which the spread of the daily rates is what chance gives (by moments)."""
    counted = [(n, k) for n, k in days if n >= 10]
    if len(counted) < 5 or not failures or failures >= sessions:
        return MOST_SESSIONS
    total = sum(n for n, _ in counted)
    rate = sum(k for _, k in counted) / total
    if not 0 < rate < 1:
        return MOST_SESSIONS
    binomial = rate * (1 - rate)
    spread = sum(n * (k / n - rate) ** 2 for n, k in counted) / total
    by_chance = binomial * (len(counted) - 1) / total
    excess = spread - by_chance
    if excess <= 0:
        return MOST_SESSIONS
    return max(_FEWEST_SESSIONS, min(MOST_SESSIONS, binomial / excess - 1))
