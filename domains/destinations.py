"""Where reports reach this portal, and where it serves policies."""

from __future__ import annotations

from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string


def portal_host() -> str:
    """Give the host name of this portal, which serves the hosted policies."""
    return urlsplit(settings.SITE_URL).hostname or ""


def our_destinations() -> tuple[str, ...]:
    """Give the rua URIs that reach this portal, the best first; none where none is set up.

    The intakes belong to an app above this one, so the setting names who knows them.
    """
    return tuple(cast("tuple[str, ...]", import_string(settings.OUR_DESTINATIONS)()))
