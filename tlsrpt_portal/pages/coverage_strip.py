"""The coverage strip: how many domains stand where, each part a link to exactly those."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.urls import reverse

from domains.history import DayCounts
from domains.queries import Coverage
from webui.wording import share


@dataclass(frozen=True, slots=True)
class Part:
    """One state: its word, how many, how it looks, and the address of those domains."""

    word: str
    count: int
    colour: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One aspect of the fleet: the share that is good, and all its states."""

    title: str
    good: str
    good_means: str
    href: str
    parts: tuple[Part, ...]
    # In percentage points against a month ago; None where nothing was known then.
    change: int | None = None


def _href(query: str) -> str:
    return f"{reverse('domains:list')}?{query}"


def coverage_strips(now: Coverage, before: DayCounts | None = None, extra: str = "") -> list[Strip]:
    """Give the strips for TLS-RPT, MTA-STS and DANE; `extra` narrows the linked lists."""

    def change(count: int, key: str, value: str) -> int | None:
        if before is None or not before.total:
            return None
        held: Counter[str] = getattr(before, key)
        return round(100 * count / now.total - 100 * held[value] / before.total)

    def part(word: str, count: int, colour: str, query: str) -> Part:
        return Part(word, count, colour, _href(query + extra))

    return [
        Strip(
            title="TLS-RPT",
            good=share(now.tlsrpt_valid, now.total),
            good_means="ask for reports",
            href=_href("tlsrpt=valid" + extra),
            change=change(now.tlsrpt_valid, "tlsrpt", "valid"),
            parts=(
                part("valid", now.tlsrpt_valid, "ok", "tlsrpt=valid"),
                part("invalid", now.tlsrpt_invalid, "invalid", "tlsrpt=invalid"),
                part("missing", now.tlsrpt_missing, "none", "tlsrpt=missing"),
                part("unknown", now.tlsrpt_unknown, "unknown", "tlsrpt=unknown"),
                part("not checked", now.unchecked, "unknown", "state=unchecked"),
            ),
        ),
        Strip(
            title="MTA-STS",
            good=share(now.sts_enforce, now.total),
            good_means="enforce",
            href=_href("sts=enforce" + extra),
            change=change(now.sts_enforce, "sts", "enforce"),
            parts=(
                part("enforce", now.sts_enforce, "ok", "sts=enforce"),
                part("testing", now.sts_testing, "testing", "sts=testing"),
                part("invalid", now.sts_invalid, "invalid", "sts=invalid"),
                part("mode none", now.sts_none, "none", "sts=none"),
                part("missing", now.sts_missing, "none", "sts=missing"),
                part("unknown", now.sts_unknown, "unknown", "sts=unknown"),
                part("not checked", now.unchecked, "unknown", "state=unchecked"),
            ),
        ),
        Strip(
            title="DANE",
            good=share(now.dane_valid, now.total),
            good_means="have TLSA",
            href=_href("dane=valid" + extra),
            change=change(now.dane_valid, "dane", "valid"),
            parts=(
                part("valid", now.dane_valid, "ok", "dane=valid"),
                part("invalid", now.dane_invalid, "invalid", "dane=invalid"),
                part("none", now.dane_missing, "none", "dane=missing"),
                part("unknown", now.dane_unknown, "unknown", "dane=unknown"),
                part("not checked", now.unchecked, "unknown", "state=unchecked"),
            ),
        ),
    ]
