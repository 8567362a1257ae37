"""The alerts app."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Rules, incidents and notifications."""

    name = "alerts"
    default_auto_field = "django.db.models.BigAutoField"
