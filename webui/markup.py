"""Texts as markup, for pages and tables."""

from __future__ import annotations

import re

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_NAMES = re.compile("TLS-RPT|MTA-STS")


def unbroken(text: str) -> SafeString:
    """Give a text in which the names of the standards do not break at their hyphen."""
    return mark_safe(_NAMES.sub(r'<span class="nowrap">\g<0></span>', conditional_escape(text)))  # noqa: S308 — escaped first
