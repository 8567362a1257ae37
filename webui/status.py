"""A state as people see it: a tone, a shape and a word, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from webui.icons import svg


class Tone(StrEnum):
    """What a state means to the reader; each has its colour."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    INFO = "info"
    NONE = "none"


ICON_OF_TONE = {
    Tone.OK: "ok",
    Tone.WARN: "alert",
    Tone.BAD: "octagon",
    Tone.INFO: "info",
    Tone.NONE: "dash",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """One state: its tone, its word, its icon and what it means."""

    tone: Tone
    word: str
    icon: str = ""
    meaning: str = ""

    def html(self, *, pill: bool = False) -> SafeString:
        """Give the markup: icon and word, on a tinted ground where `pill`."""
        return _markup(self, pill)


# A list shows the same few states hundreds of times.
@lru_cache(maxsize=1024)
def _markup(sign: Sign, pill: bool) -> SafeString:
    return format_html(
        '<span class="status status-{}{}"{}>{}<span>{}</span></span>',
        sign.tone,
        " pill" if pill else "",
        format_html(' title="{}"', sign.meaning) if sign.meaning else "",
        mark_safe(svg(sign.icon or ICON_OF_TONE[sign.tone])),  # noqa: S308 — our own table
        sign.word,
    )
