"""The portal itself as an app: commands, pages that combine apps, the heartbeat of processes."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Settings, URLs, Celery, combining pages, the demo world, `manage.py up`."""

    name = "tlsrpt_portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from tlsrpt_portal import checks  # noqa: F401
