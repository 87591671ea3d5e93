"""Notes which sessions are used, from where and with which browser: once a minute for each, after the page was answered."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.client_address import client_address
from rollbook.flows import open_sessions

OFTEN = 60
SIGNED_IN_AT = "signed_in_at"
"""Kept in the session: it outlives the session's key, which a new password changes."""


class Sessions:
    """Middleware. Pages that asked for nobody cost nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        account: Any = getattr(request, "_cached_user", None)
        key = request.session.session_key
        if account is not None and account.is_authenticated and key:
            self._note(request, account, key)
        return response

    def _note(self, request: HttpRequest, account: Any, key: str) -> None:
        if caches["memory"].add(f"session-used:{key}", True, OFTEN):
            begun = request.session.get(SIGNED_IN_AT)
            since = datetime.fromtimestamp(begun, UTC) if begun else None
            open_sessions.use(account, key, address_of(request), agent_of(request), timezone.now(), since)


def address_of(request: HttpRequest | None) -> str:
    """Where the request came from; empty where it has no sense."""
    return client_address(request.META) or "" if request is not None else ""


def agent_of(request: HttpRequest | None) -> str:
    """What the browser says it is."""
    return str(request.META.get("HTTP_USER_AGENT", "")) if request is not None else ""
