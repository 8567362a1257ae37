"""Makes and revokes intakes."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from accounts import access, audit
from accounts.models import Team, User
from accounts.roles import Role
from reports.models import Intake


@transaction.atomic
def create_intake(name: str, *, team: Team | None = None, user: User | None = None) -> Intake:
    """Make an intake with a new key. `user` None is the operator at the command line.

    Raises PermissionDenied unless the person is manager for the team.
    """
    if user is not None:
        access.require(user, Role.MANAGER, team)
    intake = Intake.objects.create(name=name, team=team)
    # The key is a secret: whoever knows it can send reports. It does not go into the log.
    audit.record("created intake", intake, after={"name": name, "team": str(team or "")})
    return intake


@transaction.atomic
def revoke_intake(intake: Intake, user: User) -> None:
    """Let an intake take nothing more; what it took stays.

    Raises PermissionDenied unless the person is manager for its team.
    """
    access.require(user, Role.MANAGER, intake.team)
    intake.revoked_at = timezone.now()
    intake.save(update_fields=["revoked_at"])
    audit.record("revoked intake", intake)
