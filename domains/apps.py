"""The domains app."""

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    """Inventory, checks, current posture and hosted policies."""

    name = "domains"
    default_auto_field = "django.db.models.BigAutoField"
