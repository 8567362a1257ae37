"""Settings of the test suite: the portal's own, with what tests must not do switched off."""

import os
import tempfile

# Neither the developer's .env nor the real environment decides what the tests see.
os.environ["DOTENV"] = os.devnull
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="tlsrpt-portal-test-")
os.environ["DATABASE_URL"] = os.environ.get("TEST_DATABASE_URL", "")
os.environ["REDIS_URL"] = os.environ.get("TEST_REDIS_URL", "")
os.environ["SECRET_KEY"] = "for-tests-only-for-tests-only-for-tests-only-for-tests-only"

from tlsrpt_portal.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
