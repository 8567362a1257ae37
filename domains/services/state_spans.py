"""Keeps what each domain published on each day, for the coverage of the past (domains.history)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from domains.models import Domain, Posture, StateSpan, Status

_ONE_DAY = timedelta(days=1)


class CoverageState(NamedTuple):
    """What the coverage of a day is about; named as in StateSpan."""

    tlsrpt: str
    sts: str
    dane: str


def coverage_state_of(posture: Posture) -> CoverageState:
    """Give what the newest checks saw of a domain."""
    is_used = posture.mta_sts == Status.VALID
    sts = posture.sts_mode or Status.UNKNOWN if is_used else posture.mta_sts
    return CoverageState(str(posture.tlsrpt), str(sts), str(posture.dane))


def keep_state(domain: Domain, published: CoverageState, day: date) -> None:
    """Note what a domain publishes from a day on; of one day, only its end counts."""
    spans = StateSpan.objects.filter(domain=domain)
    live = spans.filter(last_day=None).first()
    if live is not None and _state_of(live) == published:
        return
    if live is None or live.first_day < day:
        spans.filter(last_day=None).update(last_day=day - _ONE_DAY)
        StateSpan.objects.create(domain=domain, first_day=day, **published._asdict())
        return
    earlier = spans.filter(last_day=live.first_day - _ONE_DAY).first()
    if earlier is not None and _state_of(earlier) == published:
        live.delete()  # a change that was taken back within the day
        spans.filter(pk=earlier.pk).update(last_day=None)
    else:
        spans.filter(pk=live.pk).update(**published._asdict())


def _state_of(span: StateSpan) -> CoverageState:
    return CoverageState(span.tlsrpt, span.sts, span.dane)
