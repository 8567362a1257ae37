"""Numbers in addresses and forms, as anybody may write them."""

from __future__ import annotations

from collections.abc import Iterable

# What a database holds in eight bytes.
_LARGEST = 2**63 - 1
_MOST_DIGITS = len(str(_LARGEST))


def read_number(text: str) -> int | None:
    """Read a count or the key of a row; None where it is none that a database could hold."""
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        return None
    number = int(text)
    return number if number <= _LARGEST else None


def read_numbers(texts: Iterable[str]) -> list[int]:
    """Read the keys of rows, leaving out what is none."""
    found = (read_number(text) for text in texts)
    return [number for number in found if number is not None]
