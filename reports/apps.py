"""The reports app."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Intake, received bytes, parsed reports, daily figures."""

    name = "reports"
    default_auto_field = "django.db.models.BigAutoField"
