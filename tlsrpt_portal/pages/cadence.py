"""How regularly a reporter tells of a domain, and whether it has stopped; pure.

Whether it has stopped is decided as alerts decide it.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta

from alerts.rules.silence import BASELINE_DAYS, SilenceRule
from webui.status import Sign, Tone
from webui.wording import day as day_words
from webui.wording import plural

# What cadence is learnt from, and as long a silence after it.
LOOK_BACK_DAYS = 2 * BASELINE_DAYS
# Reports of a day come during the next, or the one after.
ON_TIME_DAYS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """The habit of a reporter, and its state; `silent_since` where a regular one has stopped."""

    words: str
    sign: Sign
    silent_since: date | None = None


def find_cadence(days: AbstractSet[date], until: date) -> Cadence:
    """Learn from the days told of, not empty, of the LOOK_BACK_DAYS that end with `until`."""
    first, last = min(days), max(days)
    start = until - timedelta(days=LOOK_BACK_DAYS)
    presence = sum(1 << (one - start).days for one in days if one >= start)
    rule = SilenceRule()
    silence = rule.missed(presence, LOOK_BACK_DAYS)
    words = _habit(days, first, last)
    if silence is not None and rule.is_told_alone(silence):
        since = start + timedelta(days=silence.first)
        meaning = f"It reported {words} before; alerts use the same measure."
        sign = Sign(Tone.WARN, f"Silent since {day_words(since)}", "", meaning)
        return Cadence(words=words, sign=sign, silent_since=since)
    ago = (until - last).days
    if ago < ON_TIME_DAYS:
        return Cadence(words=words, sign=Sign(Tone.OK, "On time"))
    return Cadence(words=words, sign=Sign(Tone.NONE, f"{ago} days ago", "clock"))


def _habit(days: AbstractSet[date], first: date, last: date) -> str:
    """Give the days of the four weeks up to the last day told of, in words."""
    begin = max(first, last - timedelta(days=BASELINE_DAYS - 1))
    told = [one for one in days if one >= begin]
    span = (last - begin).days + 1
    if span < BASELINE_DAYS / 2:
        return f"{len(told)} of {plural(span, 'day')} so far"
    weekdays = sum((begin + timedelta(days=n)).weekday() < 5 for n in range(span))
    share = len(told) / span
    if share >= 0.9:
        return "every day"
    if len(told) >= 0.9 * weekdays and all(one.weekday() < 5 for one in told):
        return "every working day"
    if share * 7 >= 1.5:
        return f"about {round(share * 7)} days a week"
    return "now and then"
