"""Makes a web process settle down before it serves."""

from __future__ import annotations

import gc

from django.urls import get_resolver


def settle() -> None:
    """Load every page, and take what is loaded by now out of the garbage collector's way.

    It would look at all of it again and again, a tenth of a second each time, in the middle of
    somebody's request. It is also to wait for more garbage: a page leaves little, and makes much.
    """
    get_resolver().check()
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 50)
