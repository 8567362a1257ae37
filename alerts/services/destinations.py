"""Where messages go."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db import transaction

from accounts import access, audit
from accounts.models import Team, User
from accounts.roles import Role
from alerts.channels.apprise import is_understood
from alerts.messages import test_message
from alerts.models import Destination, DestinationKind, Digest, Severity
from alerts.sealing import seal
from alerts.services.deliver import send
from domains.models import Tag


@transaction.atomic
def save_destination(
    user: User,
    *,
    destination: Destination | None = None,
    name: str,
    kind: DestinationKind,
    address: str,
    team: Team | None,
    minimum_severity: Severity,
    is_active: bool = True,
    tag: Tag | None = None,
    quiet_from: time | None = None,
    quiet_until: time | None = None,
    digest: Digest = Digest.NONE,
    escalate_after_minutes: int | None = None,
    secret: str = "",
) -> Destination:
    """Make or change a destination. An empty address or secret keeps the stored one.

    Raises ValidationError for an address that cannot work, PermissionDenied for strangers.
    """
    for concerned in {team, destination.team if destination else team}:
        access.require(user, Role.MANAGER, concerned)
    if address:
        _check_address(kind, address)
    elif destination is None or destination.kind != kind:
        raise ValidationError({"address": "A destination needs an address."})
    before = _facts(destination) if destination else None
    row = destination or Destination()
    row.name, row.kind, row.team = name, kind, team
    row.minimum_severity, row.is_active = minimum_severity, is_active
    row.tag, row.digest, row.escalate_after_minutes = tag, digest, escalate_after_minutes
    row.quiet_from, row.quiet_until = quiet_from, quiet_until
    if (quiet_from is None) != (quiet_until is None):
        raise ValidationError({"quiet_until": "Quiet hours need a beginning and an end."})
    if quiet_from is not None and quiet_from == quiet_until:
        words = "Quiet hours end at another time than they begin. Leave both empty for none."
        raise ValidationError({"quiet_until": words})
    if kind == DestinationKind.WEBHOOK and not secret and not row.sealed_secret:
        raise ValidationError(
            {"secret": "A signed webhook needs a secret, which its receiver knows as well."}
        )
    if digest and escalate_after_minutes is not None:
        raise ValidationError({"digest": "An escalation cannot wait for a digest."})
    if address:
        row.sealed_address = seal(address)
    if secret:
        row.sealed_secret = seal(secret)
    row.full_clean(exclude=["sealed_address", "sealed_secret"])
    row.save()
    verb = "changed destination" if destination else "created destination"
    audit.record(verb, row, before=before, after=_facts(row))
    return row


@transaction.atomic
def delete_destination(user: User, destination: Destination) -> None:
    """Remove a destination with the messages that wait for it."""
    access.require(user, Role.MANAGER, destination.team)
    audit.record("deleted destination", destination, before=_facts(destination))
    destination.delete()


def send_test(user: User, destination: Destination) -> None:
    """Send a test message now, or raise DeliveryFailed with the reason."""
    if not access.may(user, Role.MANAGER, destination.team):
        raise PermissionDenied("This needs the role manager.")
    send(destination, test_message())
    audit.record("sent a test", destination)


def _check_address(kind: DestinationKind, address: str) -> None:
    if kind == DestinationKind.EMAIL:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError({"address": f"{address} is not an e-mail address."}) from None
    elif kind == DestinationKind.WEBHOOK:
        if not address.startswith(("https://", "http://")):
            raise ValidationError({"address": "A webhook's address begins with https://."})
    elif not is_understood(address):
        raise ValidationError(
            {"address": "Apprise does not understand this address. Slack: slack://A/B/C"}
        )


def _facts(row: Destination) -> dict[str, object]:
    return {
        "name": row.name,
        "kind": row.kind,
        "team": row.team.name if row.team else None,
        "minimum_severity": row.minimum_severity,
        "is_active": row.is_active,
        "tag": row.tag.name if row.tag else None,
        "quiet": [str(row.quiet_from), str(row.quiet_until)] if row.quiet_from else None,
        "digest": row.digest,
        "escalate_after_minutes": row.escalate_after_minutes,
    }
