"""The WSGI application, for servers that read bodies by themselves; granian serves `asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tlsrpt_portal.settings")
application = get_wsgi_application()
