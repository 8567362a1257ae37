"""Does an MTA-STS policy cover an MX host? (RFC 8461 sections 3.2 and 4.1)"""

from __future__ import annotations

from collections.abc import Iterable

from mailtls.findings import Parsed, error, warning
from mailtls.names import fold_name, is_host


def matches(host: str, pattern: str) -> bool:
    """Say whether an `mx` pattern of a policy covers an MX record name.

    Names are compared as A-labels without trailing dot. `*.` stands for exactly one label, and
    only at the left (RFC 8461 section 4.1): `*.x` covers neither `x` nor `a.b.x`.
    """
    name = fold_name(host)
    is_wildcard = pattern.startswith("*.")
    covered = fold_name(pattern.removeprefix("*."))
    if not is_host(name) or not is_host(covered):
        return False
    if not is_wildcard:
        return name == covered
    # Compared label by label and anchored at both ends: a regular expression made from the
    # pattern would let `mail.example.com.evil.example` through.
    return name.partition(".")[2] == covered


def is_covered(host: str, patterns: Iterable[str]) -> bool:
    """Say whether any pattern covers the host."""
    return any(matches(host, pattern) for pattern in patterns)


def parse_pattern(text: str) -> Parsed[str]:
    """Read one `mx` value: `sts-policy-mx-value = ["*."] Domain` (RFC 8461 section 3.2).

    Gives the pattern folded, so that equal patterns are equal texts.
    """
    found = text[:260]
    if any(separator in text for separator in (",", ";")) or _is_list(text):
        return Parsed(None, (error("sts.policy.mx-list", found=found),))
    if not text.isascii():
        suggestion = _suggest(fold_name(text))
        return Parsed(None, (error("sts.policy.mx-u-label", found=found, suggestion=suggestion),))
    bare = text.removeprefix("*.")
    if not is_host(bare.removesuffix(".").lower()):
        suggestion = _suggest(text.lower())
        return Parsed(None, (error("sts.policy.mx-pattern", found=found, suggestion=suggestion),))
    if text.endswith("."):
        return Parsed(fold_name(text), (warning("sts.policy.mx-trailing-dot", found=found),))
    return Parsed(fold_name(text))


def suggest_pattern(host: str) -> str:
    """Give the narrowest pattern that covers the host: its own name."""
    return fold_name(host)


def _is_list(text: str) -> bool:
    parts = text.split()
    return len(parts) > 1 and all(is_host(fold_name(part.removeprefix("*."))) for part in parts)


def _suggest(found: str) -> str | None:
    """Give the valid pattern that was probably meant."""
    candidate = found.strip(" \t.\"'<>")
    for prefix in ("https://", "http://", "smtp://", "mx:"):
        candidate = candidate.removeprefix(prefix).strip()
    candidate = candidate.rpartition(" ")[2].partition("/")[0].partition(":")[0]
    if found.startswith((".", "**.")):
        candidate = "*." + candidate.lstrip("*.")
    return candidate if is_host(candidate.removeprefix("*.")) else None
