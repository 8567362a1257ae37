"""The accounts app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, teams, roles, tokens and the audit log."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
