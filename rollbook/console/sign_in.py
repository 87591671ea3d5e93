"""What happens when someone signs in or out, fails to, or sets their own password: it is kept, and tries are counted by who really asks."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.cache import cache
from django.dispatch import receiver
from django.forms import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from rollbook.console.sessions import SIGNED_IN_AT, agent_of
from rollbook.console.sessions import address_of as _address
from rollbook.flows import break_glass, open_sessions, operators, sign_ins
from rollbook.flows.acting import CONSOLE, acting

ONCE_IN = 300
"""Seconds in which somebody who is throttled is told of once; what they try meanwhile is not looked at."""

TOO_MANY = 429


class Entrance(DefaultAccountAdapter):
    """allauth's signing in; tells of those who do not come in."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that tries are counted by: behind a proxy that is trusted, the one it speaks for."""
        return _address(request) or str(super().get_client_ip(request))

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            tell_throttled(request, str(credentials.get("email", "")))
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        sign_ins.failed(str(credentials.get("email", "")), _address(request))

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        sign_ins.refused(user, _address(request))
        response: HttpResponse = super().respond_user_inactive(request, user)
        return response


def watched(view: Callable[..., HttpResponse], field: str = "login") -> Callable[..., HttpResponse]:
    """The view, which tells of whoever came to it too often; `field` is where the form has their name."""

    @wraps(view)
    def seen(request: HttpRequest, **rest: Any) -> HttpResponse:
        response = view(request, **rest)
        if response.status_code == TOO_MANY:
            tell_throttled(request, request.POST.get(field, ""))
        elif field == "email" and request.method == "POST" and response.status_code == 302:
            sign_ins.asked_for_password(request.POST.get(field, ""), _address(request))
        return response

    return seen


def of_own_password(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The view, which is not there for members: they have no password here, and get none."""

    @wraps(view)
    def seen(request: HttpRequest, **rest: Any) -> HttpResponse:
        if request.user.is_authenticated and not request.user.has_usable_password():
            raise Http404
        return view(request, **rest)

    return seen


def tell_throttled(request: HttpRequest, tried: str) -> None:
    address = _address(request)
    key = hashlib.sha256(f"{address} {tried.strip().lower()}".encode()).hexdigest()
    if cache.add(f"throttled:{key}", True, ONCE_IN):
        sign_ins.throttled(tried, address)


@receiver(user_logged_in, dispatch_uid="rollbook.console.note_sign_in")
def note_sign_in(user: Any, request: HttpRequest | None = None, **_: Any) -> None:
    """Django's own note would be a column of the account, and so a write into the roster's file."""
    now = timezone.now()
    operators.note_sign_in(user, now)
    sign_ins.came_in(user, _address(request), _methods(request, user))
    with acting(user.email or str(user.pk), CONSOLE):
        break_glass.note_use(user, _address(request), now)
    if request is not None and request.session.session_key:
        request.session[SIGNED_IN_AT] = int(now.timestamp())
        open_sessions.begin(user, request.session.session_key, _address(request), agent_of(request), now)


def _methods(request: HttpRequest | None, user: Any) -> list[str]:
    """What they proved themselves with, as allauth has kept it: password, totp, webauthn, recovery_codes;
    or a sign-in service of their district's own.
    """
    records = get_authentication_records(request, user) if request is not None else []
    own = [str(way)] if (way := getattr(request, "came_by", "")) else []
    return own + [str(record.get("type") or record.get("method")) for record in records]


@receiver(user_logged_out, dispatch_uid="rollbook.console.note_sign_out")
def note_sign_out(user: Any, request: HttpRequest | None = None, **_: Any) -> None:
    if user is not None:
        sign_ins.went_out(user, _address(request))


@receiver(password_changed, dispatch_uid="rollbook.console.note_password_changed")
@receiver(password_reset, dispatch_uid="rollbook.console.note_password_reset")
def note_password(user: Any, request: HttpRequest | None = None, **_: Any) -> None:
    """Also who set one by a link acts for themselves."""
    with acting(user.email or str(user.pk), CONSOLE):
        operators.note_password(user, _address(request))
