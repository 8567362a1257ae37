"""Keeps credentials unreadable in the database and its backups."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotUnseal(Exception):
    """The text was sealed with another SECRET_KEY."""


def seal(text: str, purpose: str) -> bytes:
    """Encrypt a text with a key made from SECRET_KEY for this purpose alone."""
    return _fernet(purpose).encrypt(text.encode())


def unseal(sealed: bytes | memoryview, purpose: str) -> str:
    """Decrypt what `seal` made for the same purpose, or raise CannotUnseal."""
    try:
        return _fernet(purpose).decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise CannotUnseal(
            "It was stored under another SECRET_KEY. Set that key again, or enter this anew."
        ) from None


def opens(sealed: bytes | memoryview, purpose: str) -> bool:
    """Say whether `unseal` would give what was sealed."""
    try:
        unseal(sealed, purpose)
    except CannotUnseal:
        return False
    return True


def _fernet(purpose: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"tlsrpt-portal {purpose}".encode())
    return Fernet(base64.urlsafe_b64encode(key.derive(settings.SECRET_KEY.encode())))
