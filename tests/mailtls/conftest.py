"""What the kernel's tests share: examples have no time limit, since machines are busy at times."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
