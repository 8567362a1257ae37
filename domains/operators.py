"""Who runs a host, told from its name: its registrable domain by the Public Suffix List. Pure."""

from __future__ import annotations

from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

from mailtls.providers import SUFFIXES


@lru_cache(maxsize=100_000)
def operator_of(host: str) -> str:
    """Give the registrable domain of a host: who runs it. Empty for no host.

    Providers give each customer hosts of its own; what breaks at one operator has one cause.

    >>> operator_of("mx1.hoster.example"), operator_of("a-com.mail.protection.outlook.com")
    ('hoster.example', 'outlook.com')
    """
    name = host.rstrip(".").lower()
    return str(_public_suffixes().privatesuffix(name) or name) if name else ""


@cache
def provider_at(operator: str) -> str:
    """Give the provider of mailboxes that an operator is known as, empty where it is none.

    >>> provider_at("outlook.com")
    'Microsoft 365'
    """
    found = (name for suffix, name in SUFFIXES.items() if operator_of(suffix) == operator)
    return next(found, "")


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
