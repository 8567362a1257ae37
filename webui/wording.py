"""How figures, times and states read; pure functions that pages, tables and exports share."""

from __future__ import annotations

from datetime import date, datetime
from typing import Self
from unicodedata import bidirectional

MINUTE, HOUR, DAY = 60, 3600, 86400
# Keeps what belongs together on one line.
NO_BREAK = "\N{NO-BREAK SPACE}"
# Marks of direction: embeddings, overrides and isolates.
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# What a cell shows that holds nothing.
NOTHING = ("–", "")
# After a number that is a share; nothing else writes the sign.
PER_CENT = f"{NO_BREAK}%"


class Percent(str):
    """A share as pages show it, which also knows how large it is: files have the number."""

    __slots__ = ("fraction",)
    fraction: float

    def __new__(cls, text: str, fraction: float) -> Self:
        """Make it; `fraction` is 0.5 for 50 %."""
        made = super().__new__(cls, text)
        made.fraction = fraction
        return made

    def __getnewargs__(self) -> tuple[str, float]:  # type: ignore[override]
        """Give what a copy is made of."""
        return str(self), self.fraction


def number(value: int | None) -> str:
    """Give a count with thousands set apart, a dash for none: `12,345`."""
    return "–" if value is None else f"{value:,}"


def failure_rate(failed: int | None, sessions: int | None) -> str:
    """Give failed of all sessions in per cent; never 0 where something failed."""
    if not sessions or failed is None:
        return "–"
    fraction = failed / sessions
    percent = 100 * fraction
    if failed == 0:
        return Percent(f"0{PER_CENT}", 0)
    if percent < 0.01:
        return Percent(f"<{NO_BREAK}0.01{PER_CENT}", fraction)
    if percent < 10:
        return Percent(f"{percent:.2f}{PER_CENT}", fraction)
    # 99.96 % must not read as 100 %.
    shown = "100" if failed >= sessions else f"{min(percent, 99.9):.1f}"
    return Percent(f"{shown}{PER_CENT}", fraction)


def share(part: int, whole: int) -> str:
    """Give a part of a whole in whole per cent; 0 and 100 only where they are exact."""
    if not whole:
        return "–"
    fraction = part / whole
    percent = round(100 * fraction)
    if part and percent == 0:
        return Percent(f"<{NO_BREAK}1{PER_CENT}", fraction)
    if part < whole and percent == 100:
        return Percent(f">{NO_BREAK}99{PER_CENT}", fraction)
    return Percent(f"{percent}{PER_CENT}", fraction)


def ago(moment: datetime, now: datetime) -> str:
    """Give how long ago (or ahead) a moment is, in one unit: `3 h ago`, `in 2 days`."""
    seconds = (now - moment).total_seconds()
    amount = abs(seconds)
    if amount < MINUTE:
        return "just now" if seconds >= 0 else "in a moment"
    if amount < HOUR:
        text = f"{int(amount // MINUTE)} min"
    elif amount < DAY:
        text = f"{int(amount // HOUR)} h"
    else:
        days = int(amount // DAY)
        text = "1 day" if days == 1 else f"{days} days"
    return f"{text} ago" if seconds >= 0 else f"in {text}"


def day(value: date) -> str:
    """Give a day as `12 Nov 2026`."""
    return f"{value.day} {value:%b %Y}"


def recent_day(value: date, today: date) -> str:
    """Give a day as `12 Nov`, with its year where that is not the one of `today`."""
    return f"{value.day} {value:%b}" if value.year == today.year else day(value)


def plural(count: int, one: str, many: str = "") -> str:
    """Give `1 domain`, `3 domains`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def too_long(text: str, most: int) -> str:
    """Say that a text is longer than may be; empty where it is not."""
    return f"{len(text):,} characters; at most {most:,} may be." if len(text) > most else ""


def isolated(name: str) -> str:
    """Give a name of somebody else for the middle of a sentence that is no markup.

    One that is written from right to left would turn what stands beside it; marks within it that
    do so are taken out (Unicode UAX 9). Other names stay as they are.
    """
    plain = "".join(one for one in name if one not in _DIRECTIONS)
    is_turned = any(bidirectional(one) in {"R", "AL", "AN"} for one in plain)
    return f"{_ISOLATE}{plain}{_END_OF_ISOLATE}" if is_turned else plain


def sentence_list(words: list[str], limit: int = 3) -> str:
    """Give `a`, `a and b`, `a, b and 4 more`."""
    shown, rest = words[:limit], len(words) - limit
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    if len(shown) > 1:
        return f"{', '.join(shown[:-1])} and {shown[-1]}"
    return "".join(shown)
