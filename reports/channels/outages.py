"""What is logged of arrivals that the database did not take."""

from __future__ import annotations

import logging

from django.db import DatabaseError, InterfaceError, OperationalError

logger = logging.getLogger(__name__)


def log_not_stored(what: str, error: DatabaseError) -> None:
    """Log why something was not stored: one line while the database is away, else everything.

    Reporters go on sending while it is away; a trace for each would fill the disk.
    """
    reasons = (error, error.__cause__)
    outages = [one for one in reasons if isinstance(one, OperationalError | InterfaceError)]
    if outages:
        logger.error("%s could not be stored: %s", what, " ".join(str(outages[0]).split())[:300])
    else:
        logger.error("%s could not be stored", what, exc_info=error)
