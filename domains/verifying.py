"""Which domains a person's last verifications of DNS changes were about, kept in the session.

The filters that chose them cannot say it afterwards: a domain without a record that now has a bad
one no longer lacks it, and would pass for mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from django.contrib.sessions.backends.base import SessionBase

_NAME = "verifying"
_MOST_RUNS = 3
# A few bytes each, in a row that is read with each page. Beyond, the filters have to do.
_MOST_DOMAINS = 20_000


def remember(session: SessionBase, domain_ids: Sequence[int]) -> str:
    """Keep the domains of a verification; give the key of it, empty for too many."""
    if len(domain_ids) > _MOST_DOMAINS:
        return ""
    key = token_hex(4)
    runs = list(session.get(_NAME, {}).items())[1 - _MOST_RUNS :]
    session[_NAME] = {**dict(runs), key: list(domain_ids)}
    return key


def recall(session: SessionBase, key: str) -> list[int] | None:
    """Give the domains of a verification, None where that is no longer known."""
    found: list[int] | None = session.get(_NAME, {}).get(key)
    return found
