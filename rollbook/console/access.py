"""Who may do what in the console, as one table, and the one way in: every view of a district begins with `in_district`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from rollbook.store.models import Account, District, Operator


class Act(Enum):
    """The kinds of things done in the console."""

    SEE_DASHBOARD = auto()
    SEE_ROSTER = auto()
    SEE_DEMOGRAPHICS = auto()
    EDIT_ROSTER = auto()
    SEE_APPS = auto()
    SEE_IMPORTS = auto()
    SEE_SETTINGS = auto()
    MANAGE_OPERATORS = auto()
    DECIDE_HOLDS = auto()
    MANAGE_LIMITS = auto()
    MANAGE_CONNECTIONS = auto()
    MANAGE_SNAPSHOTS = auto()
    COMPARE = auto()
    MANAGE_SEVERITIES = auto()
    MANAGE_TOKENS = auto()
    MANAGE_CALENDAR = auto()


MAY = {
    Operator.OperatorRole.INSTALLATION: frozenset(Act),
    Operator.OperatorRole.DISTRICT: frozenset(Act),
}
"""What each role may do, in the district it works in (an installation operator: in every district)."""

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class Reach:
    """Where an account works: its posts as an operator."""

    posts: tuple[Operator, ...]

    @property
    def is_installation(self) -> bool:
        return any(post.role == Operator.OperatorRole.INSTALLATION for post in self.posts)

    @property
    def districts(self) -> frozenset[int] | None:
        """The ids of the districts it administers; None stands for all."""
        if self.is_installation:
            return None
        return frozenset(post.district_id for post in self.posts if post.district_id is not None)

    def may(self, act: Act, district_id: int) -> bool:
        return any(
            act in MAY[Operator.OperatorRole(post.role)] for post in self.posts if _covers(post, district_id)
        )


def _covers(post: Operator, district_id: int) -> bool:
    return post.role == Operator.OperatorRole.INSTALLATION or post.district_id == district_id


def reach_of(account: Account) -> Reach:
    return Reach(tuple(Operator.objects.filter(account=account)))


def districts_of(account: Account) -> QuerySet[District]:
    """The districts this account works in, by name."""
    reach = reach_of(account)
    districts = District.objects.order_by("name", "id")
    return districts if reach.districts is None else districts.filter(id__in=reach.districts)


def in_district(act: Act) -> Callable[[View], View]:
    """Makes `view(request, district, …)` answer only who may do `act` there; all others get 404, as if there were no such district.

    The request gains `reach` and `district`; times are told in the district's zone.
    """

    def guard(view: View) -> View:
        @never_cache  # people's data: the Back button after signing out shows none of it
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, tenant: int, **rest: Any) -> HttpResponse:
            district = _district_or_404(request, act, tenant)
            with timezone.override(ZoneInfo(district.time_zone)):
                return view(request, district, **rest)

        guarded.act = act  # type: ignore[attr-defined]  # a test asks every route for it
        return guarded

    return guard


def _district_or_404(request: Any, act: Act, tenant: int) -> District:
    reach = reach_of(request.user)
    district = District.objects.filter(id=tenant).first() if reach.may(act, tenant) else None
    if district is None:
        raise Http404
    request.reach, request.district = reach, district
    return district
