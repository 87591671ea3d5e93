"""Makes every absolute address the public one: what a request says about its own host is checked, then replaced."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class PublicAddress:
    """Middleware: `request.build_absolute_uri` and `request.is_secure` speak of ROLLBOOK_PUBLIC_URL.

    A host outside ROLLBOOK_ALLOWED_HOSTS raises DisallowedHost, which Django answers with 400.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.get_host()
        public = urlsplit(settings.PUBLIC_URL)
        request.META["HTTP_HOST"] = public.netloc
        request.META["wsgi.url_scheme"] = public.scheme
        request.environ["wsgi.url_scheme"] = public.scheme  # type: ignore[attr-defined]  # every WSGI request has it
        return self.get_response(request)
