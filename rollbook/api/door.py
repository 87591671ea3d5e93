"""Where the REST door hangs: middleware that answers the API's addresses itself and lets all others through.

It stands before sessions, languages and page policies, which no machine needs and every page of records would pay for.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from rollbook.api import intake, partner, tokens, views
from rollbook.api.endpoints import ROOT
from rollbook.api.intake_routes import ROOT as INTAKE


class RestDoor:
    """Middleware for everything under /ims/oneroster, the token endpoint, and the addresses for programs of operators and partners."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        path = request.path_info
        if path == ROOT or path.startswith(f"{ROOT}/"):
            return views.answer(request)
        if path.removesuffix("/") == tokens.PATH:
            return tokens.answer(request)
        if path == INTAKE or path.startswith(f"{INTAKE}/"):
            return intake.answer(request)
        if path == partner.PATH or path.startswith(f"{partner.PATH}/"):
            return partner.answer(request)
        return self.get_response(request)
