"""What a page without figures needs to know, so that it can say how to begin."""

from __future__ import annotations

from typing import Any

from accounts.access import may_anywhere
from accounts.roles import Role
from reports.fleet import Fleet


def none_yet(fleet: Fleet) -> dict[str, Any]:
    """Say whether there is no domain at all, and whether the person may add some."""
    if fleet.domains.exists():
        return {}
    return {"has_no_domains": True, "may_manage": may_anywhere(fleet.person, Role.MANAGER)}
