"""What the portal keeps about its own running."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """When a part of the portal was last known to be working."""

    part = models.CharField(max_length=30, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.part} at {self.at:%H:%M:%S}"
