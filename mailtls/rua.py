"""Report destinations: the URIs of a TLSRPT record's `rua` (RFC 8460 section 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from mailtls.findings import Finding, error, info, warning
from mailtls.names import fold_name, is_host

# tlsrpt-uri = URI; "!", "," and ";" MUST be percent-encoded (RFC 8460 section 3).
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
# Characters no URI may hold as they are (RFC 3986 section 2), and a lone percent sign.
_NOT_IN_URI = re.compile(r"[\"<>\\^`{|}\x00-\x20\x7f]|%(?![0-9A-Fa-f]{2})")
# addr-spec without comments and blanks (RFC 6068 section 2); quoted local parts are allowed.
_LOCAL_PART = re.compile(r"[^\s@\"(),:;<>\[\\\]]+|\"[^\"]+\"")
# The port of an authority (RFC 3986 section 3.2.3), without leading zeros.
_PORT = re.compile(r"//[^/?#]*:0*([0-9]+)(?=[/?#]|$)")
MAX_PORT = 65535
_USABLE_SCHEMES = ("mailto", "https")


def split_destinations(value: str) -> tuple[list[str], list[Finding]]:
    """Cut a rua value at its commas; items that cannot be URIs come back as findings."""
    items = []
    findings = []
    for chunk in value.split(","):
        item = chunk.strip(" \t")
        fault = _find_syntax_fault(item)
        if fault is None:
            items.append(item)
        elif fault not in findings:
            findings.append(fault)
    return items, findings


def judge_destinations(uris: Sequence[str]) -> list[Finding]:
    """Say which well-formed URIs cannot receive reports, and whether any can.

    An unusable one beside a good one costs only itself; alone, it costs the record.
    """
    faults = {uri: _find_use_fault(uri) for uri in uris}
    has_good = any(fault is None for fault in faults.values())
    word = warning if has_good else error
    findings = [word(fault[0], **fault[1]) for fault in faults.values() if fault is not None]
    if len(uris) > 1:
        # "the reporter MAY attempt to deliver to each" (section 3): one is all that is promised.
        findings.append(info("tlsrpt.rua.several", count=len(uris)))
        if len(faults) < len(uris):
            findings.append(warning("tlsrpt.rua.duplicate"))
    return findings


def fold_destination(uri: str) -> str:
    """Give the form in which destinations are compared.

    Scheme and host in lower case; the local part of an address keeps its case in theory, but no
    mail system that reports are sent to tells them apart.
    """
    scheme, _, rest = uri.strip().partition(":")
    if scheme.lower() == "mailto":
        return "mailto:" + unquote(rest.partition("?")[0]).lower()
    match = re.match(r"(//[^/?#]*)(.*)", rest, re.DOTALL)
    if match is None:
        return f"{scheme.lower()}:{rest}"
    return f"{scheme.lower()}:{match[1].lower().removesuffix(':443')}{match[2].removesuffix('/')}"


def destination_domain(uri: str) -> str | None:
    """Give the domain that would receive the reports, folded, or None."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() == "mailto":
        host = unquote(rest.partition("?")[0]).rpartition("@")[2]
    else:
        host = re.split(r"[/?#]", rest.removeprefix("//"), maxsplit=1)[0].rpartition("@")[2]
        host = re.sub(r":\d*$", "", host)
    name = fold_name(host)
    return name if is_host(name) else None


def _find_syntax_fault(item: str) -> Finding | None:
    shown = item[:120]
    if not item:
        return error("tlsrpt.rua.empty-item")
    if not item.isascii():
        return error("tlsrpt.rua.non-ascii", found=shown, a_label=_encode_host(item))
    if re.search(r"[ \t]", item):
        return error("tlsrpt.rua.space-separated", found=shown)
    if "!" in item:
        return error("tlsrpt.rua.bang", found=shown)
    if _SCHEME.match(item) is None or re.match(r"[^:/]+@", item):
        return error("tlsrpt.rua.no-scheme", found=shown)
    if _NOT_IN_URI.search(item):
        return error("tlsrpt.rua.bad-uri", found=shown)
    return None


def _find_use_fault(uri: str) -> tuple[str, dict[str, str]] | None:
    match = _SCHEME.match(uri)
    scheme = match[1].lower() if match else ""
    if scheme not in _USABLE_SCHEMES:
        return "tlsrpt.rua.scheme", {"found": uri[:120], "scheme": scheme}
    rest = uri[len(scheme) + 1 :]
    if scheme == "mailto":
        if rest.startswith("//"):
            return "tlsrpt.rua.mailto-slashes", {"found": uri[:120]}
        local, at, domain = unquote(rest.partition("?")[0]).rpartition("@")
        if not at or not _LOCAL_PART.fullmatch(local) or not is_host(fold_name(domain)):
            return "tlsrpt.rua.bad-address", {"found": uri[:120]}
        return None
    if (
        not rest.startswith("//")
        or (
            destination_domain(uri) is None
            and not re.match(r"//(\[[0-9A-Fa-f:.]+\]|[0-9.]+)", rest)
        )
        or not _is_port(_PORT.match(rest))
    ):
        return "tlsrpt.rua.bad-url", {"found": uri[:120]}
    return None


def _is_port(found: re.Match[str] | None) -> bool:
    """Say whether the port, where one is named, is one that connections can be made to."""
    return found is None or (len(found[1]) <= 5 and 0 < int(found[1]) <= MAX_PORT)


def _encode_host(item: str) -> str | None:
    """Give the destination with its host as A-label, where that is all it lacks."""
    head, at, host = item.rpartition("@")
    if not at:
        return None
    name = fold_name(host)
    return f"{head}@{name}" if head.isascii() and is_host(name) else None
