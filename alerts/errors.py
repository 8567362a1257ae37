"""What can go wrong while a message is delivered."""

from __future__ import annotations


class DeliveryFailed(Exception):
    """The message did not leave. `is_permanent`: trying again will not help."""

    def __init__(
        self, message: str, *, is_permanent: bool, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
        self.retry_after_s = retry_after_s
