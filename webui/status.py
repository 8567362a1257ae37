"""A state as people see it: a tone, a shape and a word, never a colour alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

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
        return format_html(
            '<span class="status status-{}{}"{}>{}<span>{}</span></span>',
            self.tone,
            " pill" if pill else "",
            format_html(' title="{}"', self.meaning) if self.meaning else "",
            mark_safe(svg(self.icon or ICON_OF_TONE[self.tone])),  # noqa: S308 — our own table
            self.word,
        )
