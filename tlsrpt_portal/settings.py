"""Django settings."""

SECRET_KEY = "replaced-soon"  # noqa: S105
INSTALLED_APPS: list[str] = ["django.contrib.contenttypes", "django.contrib.auth"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
USE_TZ = True
