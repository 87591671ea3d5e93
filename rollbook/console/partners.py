"""The way into a partner's pages: every view of them begins with `as_developer`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.views.decorators.cache import never_cache

from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.partners import posts_of
from rollbook.flows.roles import Act, may

View = Callable[..., HttpResponse]


def as_developer(act: Act) -> Callable[[View], View]:
    """Makes `view(request, partner, …)` answer only who works for that partner and may do `act`; all others get 404.

    The request gains `developer`, `posts`: for which partners they work, and `acts`: the names of what they may do here.
    """

    def guard(view: View) -> View:
        @never_cache
        @login_required
        @wraps(view)
        def guarded(request: Any, partner_id: int, **rest: Any) -> HttpResponse:
            request.posts = posts_of(request.user)
            request.developer = next((post for post in request.posts if post.partner_id == partner_id), None)
            if request.developer is None or not may(request.developer.role, act):
                raise Http404
            request.acts = frozenset(one.name for one in Act if may(request.developer.role, one))
            with acting(request.user.email or str(request.user.pk), CONSOLE):
                return view(request, request.developer.partner, **rest)

        guarded.act = act  # type: ignore[attr-defined]  # a test asks every route for it
        return guarded

    return guard
