"""Who signed a report mail (RFC 8460 section 3: the signature of the reporting domain).

No receiver ignores unsigned reports in practice, though the RFC says so: the answer is shown with
the report and rules may ask for it.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable

import dkim
import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

from mailtls.names import fold_name, is_within
from prober.options import parse_nameserver
from reports.reading import ReadDocument

logger = logging.getLogger(__name__)

LookUp = Callable[[bytes, float], bytes | None]

_MOST_SIGNATURES = 5
_TIMEOUT_S = 3.0
_REMEMBER_S = 600.0
_MOST_REMEMBERED = 1_000
_WAIT_A_MINUTE_S = 15.0
_SIGNATURE = re.compile(rb"^dkim-signature[ \t]*:", re.IGNORECASE | re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


def find_signer(
    data: bytes, documents: Iterable[ReadDocument], *, look_up: LookUp | None = None
) -> str:
    """Give the domain whose valid signature a mail carries and that speaks for the report.

    It speaks for it when it is the domain of From, submitter or contact, or above or below one
    of them. Empty otherwise, also where a key could not be looked up.
    """
    head = _BLANK_LINE.split(data, maxsplit=1)[0]
    count = min(len(_SIGNATURE.findall(head)), _MOST_SIGNATURES)
    if count == 0:
        return ""
    named = _named_domains(documents)
    for index in range(count):
        signer = _verified(data, index, look_up or _look_up_key)
        if signer and any(is_within(signer, name) or is_within(name, signer) for name in named):
            return signer
    return ""


def _named_domains(documents: Iterable[ReadDocument]) -> set[str]:
    named: set[str] = set()
    for document in documents:
        named.update(document.hints.submitters)
        if document.report is not None:
            named.add(document.report.identity_submitter)
    return named - {""}


def _verified(data: bytes, index: int, look_up: LookUp) -> str:
    """Give the domain of the signature with this index if it is valid, else nothing."""
    try:
        message = dkim.DKIM(data, minkey=1024, timeout=_TIMEOUT_S, tlsrpt=True)
        if not message.verify(
            index, dnsfunc=lambda name, timeout=_TIMEOUT_S: look_up(name, timeout)
        ):
            return ""
    except Exception as error:  # noqa: BLE001 - hostile text in a parser that does not expect it
        logger.debug("a signature could not be verified: %s", error)
        return ""
    # A signature of part of the body says nothing about the rest (RFC 8460 section 3).
    if b"l" in message.signature_fields:
        return ""
    return fold_name(message.domain.decode("ascii", "replace"))


class _Keys:
    """Looks keys up and remembers them, and for a shorter time that there was none.

    Anybody can have us ask for names that take seconds to say nothing. So there is a limit to the
    time spent on waiting, beyond which mail counts as unsigned.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[float, bytes | None]] = {}
        self._minute_ends = 0.0
        self._waited_s = 0.0

    def __call__(self, name: bytes, timeout: float) -> bytes | None:
        now = time.monotonic()
        found = self._known.get(name)
        if found is not None and found[0] > now:
            return found[1]
        if now > self._minute_ends:
            self._minute_ends, self._waited_s = now + 60.0, 0.0
        if self._waited_s > _WAIT_A_MINUTE_S:
            return None
        key = _resolve(name.decode("ascii", "replace"), timeout)
        self._waited_s += time.monotonic() - now
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[name] = (now + (_REMEMBER_S if key else _REMEMBER_S / 10), key)
        return key


def _resolve(name: str, timeout: float) -> bytes | None:
    resolver = dns.resolver.Resolver(configure=not settings.DNS_NAMESERVERS)
    if settings.DNS_NAMESERVERS:
        servers = (parse_nameserver(server) for server in settings.DNS_NAMESERVERS)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(*server) for server in servers]
    try:
        answer = resolver.resolve(name, "TXT", lifetime=timeout, search=False)
    except dns.exception.DNSException:
        return None
    return b"".join(answer[0].strings)


_look_up_key = _Keys()
