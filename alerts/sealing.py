"""Keeps destinations' addresses unreadable in the database and its backups."""

from __future__ import annotations

from accounts import sealing
from accounts.sealing import CannotUnseal

__all__ = ["CannotUnseal", "opens", "seal", "unseal"]

_PURPOSE = "destinations"


def seal(text: str) -> bytes:
    """Encrypt an address."""
    return sealing.seal(text, _PURPOSE)


def unseal(sealed: bytes | memoryview) -> str:
    """Decrypt what `seal` made, or raise CannotUnseal."""
    return sealing.unseal(sealed, _PURPOSE)


def opens(sealed: bytes | memoryview) -> bool:
    """Say whether `unseal` would give what was sealed."""
    return sealing.opens(sealed, _PURPOSE)
