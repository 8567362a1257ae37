"""Settings, URLs, Celery, the pages that combine apps, the demo world and `manage.py up`."""

from tlsrpt_portal.celery import app as celery_app

__all__ = ["celery_app"]
