"""Settings of the test suite: the portal's own, with what tests must not do switched off."""

from tlsrpt_portal.settings import *  # noqa: F403
