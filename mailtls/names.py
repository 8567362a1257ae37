"""Domain and host names: one comparable form, and the rules of RFC 5321 and IDNA."""

from __future__ import annotations

import ipaddress
import re

import idna

from mailtls.findings import Finding, Parsed, error

MAX_NAME_LENGTH = 253
MAX_LABEL_LENGTH = 63

# sub-domain = Let-dig [Ldh-str] (RFC 5321 section 4.1.2); no underscore, no hyphen at either end.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_RECORD = re.compile(r"(?:_smtp\._tls|_mta-sts)\..", re.ASCII)
_HOST = re.compile(rf"{_LABEL.pattern}(?:\.{_LABEL.pattern})*", re.ASCII)


class BadNameError(ValueError):
    """A text that is no domain name; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.params.get('found')!r} is no domain name ({finding.code})")
        self.finding = finding


def fold_name(text: str) -> str:
    """Give the form in which names are compared: A-labels, lower case, no trailing dot.

    A text that has no such form comes back lower-cased: it equals no valid name.
    """
    name = text.strip().removesuffix(".").lower()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return name


def is_host(name: str) -> bool:
    """Say whether a folded name is a Domain of RFC 5321 section 4.1.2 and no address."""
    return (
        len(name) <= MAX_NAME_LENGTH
        and _HOST.fullmatch(name) is not None
        # An all-digit last label would make `1.2.3.4` a name; no such top-level domain can exist
        # (RFC 3696 section 2).
        and not name.rpartition(".")[2].isdigit()
    )


def parse_domain(text: str) -> Parsed[str]:
    """Read a mail domain as people type it: U-labels, upper case and a trailing dot are fine."""
    found = text.strip()
    if not found:
        return Parsed(None, (error("name.empty", found=""),))
    if "://" in found:
        return _refuse("name.url", found)
    if "@" in found:
        return _refuse("name.address", found)
    if _is_address(found):
        return _refuse("name.ip", found)
    name = fold_name(found)
    if not name.isascii():
        return _refuse("name.idna", found)
    if len(name) > MAX_NAME_LENGTH:
        return _refuse("name.too-long", found[:80])
    if any(len(label) > MAX_LABEL_LENGTH for label in name.split(".")):
        return _refuse("name.too-long", found[:80])
    if _RECORD.match(name):
        return _refuse("name.record", found)
    if not is_host(name):
        return _refuse("name.syntax", found)
    if "." not in name:
        return _refuse("name.single-label", found)
    return Parsed(name)


def normalise_domain(text: str) -> str:
    """Give the A-label form of a mail domain; raises `BadNameError`."""
    parsed = parse_domain(text)
    if parsed.value is None:
        raise BadNameError(parsed.findings[0])
    return parsed.value


def display_name(name: str) -> str:
    """Give the U-label form for people, or the name as it is where it has none."""
    if "xn--" not in name:
        return name
    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


def is_within(name: str, parent: str) -> bool:
    """Say whether a folded name is the parent itself or below it."""
    return name == parent or name.endswith("." + parent)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _refuse(code: str, found: str) -> Parsed[str]:
    return Parsed(None, (error(code, found=found),))
