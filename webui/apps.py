"""The webui app."""

from django.apps import AppConfig


class WebUiConfig(AppConfig):
    """What all screens share."""

    name = "webui"
    default_auto_field = "django.db.models.BigAutoField"
