"""Where the REST door hangs: middleware that answers the API's addresses itself and lets all others through.

It stands before sessions, languages and page policies, which no machine needs and every page of records would pay for.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from rollbook.api import tokens, views
from rollbook.api.endpoints import ROOT


class RestDoor:
    """Middleware for everything under /ims/oneroster, and the token endpoint."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path == ROOT or path.startswith(f"{ROOT}/"):
            return views.answer(request)
        if path.removesuffix("/") == tokens.PATH:
            return tokens.answer(request)
        return self.get_response(request)
