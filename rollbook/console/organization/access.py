"""The way into an organization's pages and a product's support: every view of them begins with `in_organization` or `in_product`."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from rollbook.console.own_door import barred
from rollbook.flows.acting import CONSOLE, acting
from rollbook.flows.roles import Act, product_reach_of
from rollbook.store.models import Organization, Product

__all__ = ["Act", "in_organization", "in_product"]

View = Callable[..., HttpResponse]


def in_organization(act: Act) -> Callable[[View], View]:
    """Makes `view(request, organization, …)` answer only who may do `act` there; all others get 404, as if there were no such organization.

    The request gains `organization` and `product_reach`; times are told in the organization's zone. A view that shows people to a site
    administrator narrows them to `request.product_reach.sites(act, organization)`.
    """

    def guard(view: View) -> View:
        @never_cache  # people's data: the Back button after signing out shows none of it
        @login_required
        @wraps(view)
        def guarded(request: Any, organization_id: int, **rest: Any) -> HttpResponse:
            reach = product_reach_of(request.user)
            organization = next(
                (post.organization for post in reach.posts if post.organization_id == organization_id), None
            )
            if organization is None or not reach.may(act, organization):
                raise Http404
            organization = Organization.objects.select_related("product").get(pk=organization.pk)
            if (shut := barred(request, organization)) is not None:
                return shut
            request.product_reach, request.organization = reach, organization
            with timezone.override(ZoneInfo(organization.time_zone)), acting(_name(request), CONSOLE):
                return view(request, organization, **rest)

        guarded.act = act  # type: ignore[attr-defined]  # a test asks every route for it
        return guarded

    return guard


def in_product(act: Act) -> Callable[[View], View]:
    """Makes `view(request, product, …)` answer only who may do `act` for all organizations of the product; all others get 404.

    The request gains `product` and `product_reach`.
    """

    def guard(view: View) -> View:
        @never_cache
        @login_required
        @wraps(view)
        def guarded(request: Any, product_id: int, **rest: Any) -> HttpResponse:
            reach = product_reach_of(request.user)
            if not reach.may_support(act, product_id):
                raise Http404
            request.product_reach, request.product = reach, Product.objects.get(pk=product_id)
            with acting(_name(request), CONSOLE):
                return view(request, request.product, **rest)

        guarded.act = act  # type: ignore[attr-defined]  # a test asks every route for it
        return guarded

    return guard


def _name(request: Any) -> str:
    return request.user.email or str(request.user.pk)
