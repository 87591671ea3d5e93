"""The first page after signing in: the district or organization of someone who has one, a choice for who has several, a developer's own
pages.
"""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render

from rollbook.console.access import districts_of, reach_of
from rollbook.flows.partners import posts_of
from rollbook.flows.roles import product_reach_of
from rollbook.store.models import Administrator

SHOWN = 200


@login_required
def choose_district(request: Any) -> HttpResponse:
    account: Any = request.user
    search = request.GET.get("q", "").strip()[:200].replace("\0", "")
    reach = reach_of(account)
    posts, places = posts_of(account), product_reach_of(account).posts
    if posts and not reach.posts and not places:
        return redirect("partner")
    if (came := request.session.get("member")) and not (posts or places or reach.posts):
        return redirect("me", organization_id=came["organization"])
    districts = districts_of(account)
    if not reach.is_installation and not posts and not places and districts.count() == 1:
        return redirect("dashboard", tenant=districts.get().pk)
    if len(places) == 1 and not reach.posts and not posts:
        return _only_place(places[0])
    request.reach = reach
    found = districts.filter(name__icontains=search) if search else districts
    shown = list(found[: SHOWN + 1])
    return render(
        request,
        "console/home.html",
        {
            "nav": "home",
            "districts": shown[:SHOWN],
            "more": len(shown) > SHOWN,
            "search": search,
            "reach": reach,
            "posts": posts,
            "places": places,
        },
    )


def _only_place(place: Administrator) -> HttpResponse:
    """Where somebody works who works in one organization, or for the support of one product."""
    if place.organization_id is None:
        return redirect("support", product_id=place.product_id)
    return redirect("organization", organization_id=place.organization_id)
