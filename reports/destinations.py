"""Where reports reach this portal: the URIs to publish as `rua`."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings

from reports.models import Intake


def our_destinations() -> tuple[str, ...]:
    """Give every `rua` URI that reaches this portal, the one for all domains first.

    Mail comes first where it is set up: every sender can mail, and some use the first URI only.
    """
    return destinations_of(Intake.objects.filter(revoked_at=None).order_by("created_at"))


def destinations_of(intakes: Iterable[Intake]) -> tuple[str, ...]:
    """Give the URIs of these intakes behind the address for all domains."""
    shared = (f"mailto:{settings.MAIL_ADDRESS}",) if settings.MAIL_ADDRESS else ()
    return (*shared, *(uri for intake in intakes for uri in rua_of(intake)))


def rua_of(intake: Intake) -> tuple[str, ...]:
    """Give an intake's own URIs: HTTPS where the portal has it, and mail where it takes mail."""
    uris = []
    if settings.SITE_URL.startswith("https://"):
        uris.append(f"{settings.SITE_URL}{intake.path}")
    if settings.MAIL_ADDRESS:
        uris.append(f"mailto:{intake.key}@{settings.MAIL_ADDRESS.rpartition('@')[2]}")
    return tuple(uris)
