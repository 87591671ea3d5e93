"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")

application = get_wsgi_application()

from rollbook.api import access_log  # noqa: E402  # names models, so only once Django is set up

access_log.start()
