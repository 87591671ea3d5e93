"""The WSGI application that granian serves."""

import multiprocessing
import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from rollbook.ending import Ending

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rollbook.settings")

if multiprocessing.parent_process():
    # A process of the server's, not one that only reads this module. Its master asks for no exit code.
    Ending(0)

django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's answer; one that is whole already as a list, which the server sends in one piece and not through an iterator."""
    response = django(environ, start_response)
    if response.streaming:
        return response
    body = [response.content]
    response.close()
    return body


from rollbook.api import access_log  # noqa: E402  # names models, so only once Django is set up

access_log.start()
