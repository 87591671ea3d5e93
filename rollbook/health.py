"""Two questions a supervisor asks: is the process alive (/livez), and can it serve (/readyz)? Nothing about data."""

from collections.abc import Callable

from django.db import DatabaseError, connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from rollbook.store.routers import homes


class Probes:
    """Middleware that answers the two probes before hosts, sessions or languages are looked at."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path == "/livez":
            return _plain("alive")
        if request.path == "/readyz":
            return _ready()
        return self.get_response(request)


def _ready() -> HttpResponse:
    try:
        for alias in homes():
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        return _plain("the database does not answer, or was never migrated", status=503)
    return _plain("ready")


def _plain(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(
        f"{text}\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"}
    )
