"""The shape of one entry of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """The words of one finding; `{name}` stands for the finding's parameter of that name.

    `meaning` says what senders do, `remedy` what a mail admin does about it, `section` where the
    standard says so ("RFC 8460 3").
    """

    title: str
    meaning: str
    remedy: str
    section: str
