"""Signing out of the console: who came by a sign-in service of their district's or organization's own may sign out there too, or is led there
where it is required. What comes back is believed only with the state that went along, from the browser that set out.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from rollbook.console.own_door import shown_in
from rollbook.flows.own_sign_in import leaving, setting_up
from rollbook.flows.own_sign_in.setting_up import Own

LEFT = "own_left"
"""What the session of somebody who has signed out keeps: the services they came by and the state that each is sent; which one at once."""


def with_own(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Signing out, and then on to the page that offers the services by which who goes was in; not where they are on their way elsewhere."""

    @wraps(view)
    def left(request: Any, **rest: Any) -> HttpResponse:
        is_going = request.method == "POST" and request.user.is_authenticated and "next" not in request.POST
        came_by = _left_by(request) if is_going else []
        response = view(request, **rest)
        if not came_by or request.user.is_authenticated:
            return response
        request.session[LEFT] = {
            "by": {own.key: secrets.token_urlsafe(24) for own in came_by},
            "at_once": next((own.key for own in came_by if own.owner.requires_own_sign_in), ""),
        }
        return redirect("own-door-left")

    return left


@never_cache
@require_GET
def show_left(request: Any) -> HttpResponse:
    kept = request.session.get(LEFT) or {}
    found = [own for key in kept.get("by", ()) if (own := setting_up.by_key(key)) is not None]
    if request.user.is_authenticated or not found:
        return redirect("account_login")
    at_once = kept.get("at_once", "")
    request.session[LEFT] = kept | {"at_once": ""}  # who comes back to this page is not sent away again
    there = reverse("own-door-out", args=[at_once]) if at_once else ""
    return render(request, "console/own_door_left.html", {"found": found, "there": there})


@never_cache
@require_GET
def go_out(request: Any, whose: str) -> HttpResponse:
    """To the service, to sign out there."""
    own, state = _own_or_404(whose), _state(request, whose)
    address = leaving.way_out_of(own, _now(), state) if state else ""
    return redirect(address or "own-door-left")


@never_cache
@require_GET
def come_back(request: Any, whose: str) -> HttpResponse:
    """From there. Without the state that this browser took along nothing is known of what was done there."""
    own, state = _own_or_404(whose), _state(request, whose)
    if not state or not secrets.compare_digest(request.GET.get("state", "").encode(), state.encode()):
        messages.warning(
            request, _("This browser did not set out for there: whether you are signed out there is not known.")
        )  # fmt: skip
        return redirect("account_login")
    kept = request.session[LEFT]
    rest = {key: one for key, one in kept["by"].items() if key != whose}
    request.session[LEFT] = kept | {"by": rest}
    messages.success(
        request, _("You are signed out at the sign-in service of %(name)s too.") % {"name": own.owner.name}
    )
    return redirect("own-door-left")


def _left_by(request: Any) -> list[Own]:
    """The services that have said in this session who it is, and where one can sign out."""
    every = (setting_up.by_key(key) for key in shown_in(request))
    return [own for own in every if own is not None and leaving.way_out_of(own, _now())]


def _state(request: Any, whose: str) -> str:
    kept = request.session.get(LEFT) or {}
    return str(kept.get("by", {}).get(whose, ""))


def _own_or_404(whose: str) -> Own:
    own = setting_up.by_key(whose)
    if own is None:
        raise Http404
    return own


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


ROUTES: list[URLPattern | URLResolver] = [
    path("sign-out/done", show_left, name="own-door-left"),
    path("sign-out/by/<slug:whose>", go_out, name="own-door-out"),
    path("sign-out/by/<slug:whose>/done", come_back, name="own-door-out-back"),
]
