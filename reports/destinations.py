"""Where reports reach this portal: the URIs to publish as `rua`."""

from __future__ import annotations

from django.conf import settings

from reports.models import Intake


def our_destinations() -> tuple[str, ...]:
    """Give every `rua` URI that reaches this portal, the one for all domains first.

    Mail comes first where it is set up: every sender can mail, and some use the first URI only.
    """
    shared = (f"mailto:{settings.MAIL_ADDRESS}",) if settings.MAIL_ADDRESS else ()
    live = Intake.objects.filter(revoked_at=None).order_by("created_at")
    return (*shared, *(uri for intake in live for uri in rua_of(intake)))


def rua_of(intake: Intake) -> tuple[str, ...]:
    """Give an intake's own URIs that senders can use."""
    # RFC 8460 section 3 knows https and mailto only.
    https = https_rua(intake) if settings.SITE_URL.startswith("https://") else ""
    return tuple(uri for uri in (https, mail_rua(intake)) if uri)


def https_rua(intake: Intake) -> str:
    """Give the address a reporter posts to; with `http://` it serves tests alone."""
    return f"{settings.SITE_URL}{intake.path}"


def mail_rua(intake: Intake) -> str:
    """Give the address a reporter mails to; empty where the portal takes no mail."""
    domain = settings.MAIL_ADDRESS.rpartition("@")[2]
    return f"mailto:{intake.key}@{domain}" if domain else ""
