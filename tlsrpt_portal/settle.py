"""Makes a web process settle down before it serves."""

from __future__ import annotations

import gc

from django.urls import get_resolver


def settle() -> None:
    """Load every page, and take what is loaded by now out of the garbage collector's way.

    It would look at all of it again and again, a tenth of a second each time, in the middle of
    somebody's request. What requests leave behind is collected in small portions, and only seldom
    looked at as a whole.
    """
    get_resolver().check()
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 5, 1_000)
