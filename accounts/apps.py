"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, teams, roles, tokens and the audit log."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Note what people change about their own log-in."""
        from accounts import own_changes

        own_changes.connect()
