"""The one way into the console: every view begins with `in_district` or `in_installation`, which ask the table in `flows.roles`."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from rollbook.console.own_door import barred
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.roles import Act, Reach, Role, reach_of
from rollbook.store.models import Account, District

__all__ = ["Act", "Reach", "Role", "districts_of", "in_district", "in_installation", "reach_of"]

View = Callable[..., HttpResponse]


def districts_of(account: Account) -> QuerySet[District]:
    """The districts this account works in, by name."""
    reach = reach_of(account)
    districts = District.objects.order_by("name", "id")
    return districts if reach.districts is None else districts.filter(id__in=reach.districts)


def in_district(act: Act) -> Callable[[View], View]:
    """Makes `view(request, district, …)` answer only who may do `act` there; all others get 404, as if there were no such district.

    Where the district requires its own sign-in service, who has not shown by it who they are is led there instead.
    The request gains `reach` and `district`; times are told in the district's zone. A view that shows people to a school administrator
    narrows them to `request.reach.schools(act, district.pk)`.
    """

    def guard(view: View) -> View:
        @never_cache  # people's data: the Back button after signing out shows none of it
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, tenant: int, **rest: Any) -> HttpResponse:
            district = _district_or_404(request, act, tenant)
            if (shut := barred(request, district)) is not None:
                return shut
            with timezone.override(ZoneInfo(district.time_zone)), acting(_name(request), CONSOLE):
                return view(request, district, **rest)

        guarded.act = act  # type: ignore[attr-defined]  # a test asks every route for it
        return guarded

    return guard


def in_installation(act: Act) -> Callable[[View], View]:
    """Makes `view(request, …)`, which belongs to no district, answer only who may do `act`; all others get 404.

    The request gains `reach`.
    """

    def guard(view: View) -> View:
        @never_cache
        @login_required
        @wraps(view)
        def guarded(request: Any, **rest: Any) -> HttpResponse:
            request.reach = reach_of(request.user)
            if not request.reach.may_here(act):
                raise Http404
            with acting(_name(request), CONSOLE):
                return view(request, **rest)

        guarded.act = act  # type: ignore[attr-defined]  # a test asks every route for it
        return guarded

    return guard


def _name(request: Any) -> str:
    return request.user.email or str(request.user.pk)


def _district_or_404(request: Any, act: Act, tenant: int) -> District:
    reach = reach_of(request.user)
    district = District.objects.filter(id=tenant).first() if reach.may(act, tenant) else None
    if district is None:
        raise Http404
    request.reach, request.district = reach, district
    return district
