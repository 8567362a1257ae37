"""How sure it is that the named sender sent a report, and whether that is enough; pure."""

from __future__ import annotations

from enum import StrEnum

from reports.models import Channel, Trust

# From the least sure to the surest.
RANK = (Trust.ANONYMOUS_HTTPS, Trust.UNSIGNED_MAIL, Trust.UPLOAD, Trust.DKIM_MAIL)


class RequiredTrust(StrEnum):
    """What counts without a person's word: the setting REPORT_TRUST."""

    ANY = "any"
    SIGNED_MAIL = "signed-mail"
    SIGNED_ONLY = "signed-only"


_HELD_BACK = {
    RequiredTrust.ANY: frozenset[Trust](),
    RequiredTrust.SIGNED_MAIL: frozenset({Trust.UNSIGNED_MAIL}),
    RequiredTrust.SIGNED_ONLY: frozenset({Trust.UNSIGNED_MAIL, Trust.ANONYMOUS_HTTPS}),
}


def judge_trust(channel: Channel, *, is_mail: bool, signed_by: str) -> Trust:
    """Say how sure it is that the named sender sent what came in by this channel."""
    if is_mail:
        return Trust.DKIM_MAIL if signed_by else Trust.UNSIGNED_MAIL
    if channel in (Channel.UPLOAD, Channel.COMMAND):
        return Trust.UPLOAD
    return Trust.ANONYMOUS_HTTPS if channel == Channel.HTTPS else Trust.UNSIGNED_MAIL


def is_enough(trust: Trust, channel: Channel, required: RequiredTrust) -> bool:
    """Say whether reports of this trust count. What a person or the operator put in does."""
    return channel in (Channel.UPLOAD, Channel.COMMAND) or trust not in _HELD_BACK[required]
