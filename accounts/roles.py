"""The roles a person can have, and what each includes."""

from __future__ import annotations

from django.db.models import TextChoices


class Role(TextChoices):
    """What a person may do in a team; each role includes the ones before it."""

    VIEWER = "viewer", "Viewer: sees everything of the team"
    ANALYST = "analyst", "Analyst: also checks domains, handles incidents, uploads reports"
    MANAGER = "manager", "Manager: also edits domains, rules, destinations and members"

    @property
    def rank(self) -> int:
        """Give the place in the order of roles; higher includes lower."""
        return list(Role).index(self)

    def includes(self, other: Role) -> bool:
        """Say whether a person with this role may do what `other` may do."""
        return self.rank >= other.rank

    @property
    def short_label(self) -> str:
        """Give the role's name without its description."""
        return str(self.label).partition(":")[0]
