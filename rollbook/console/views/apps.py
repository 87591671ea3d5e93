"""The applications of a district: a card for each, and the first page of one, from where all others are reached."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from rollbook.console.access import Act, in_district
from rollbook.console.activity import moment, result_words
from rollbook.console.levels import Levels, levels_of
from rollbook.console.places import Link, app_page, grant_or_404, links
from rollbook.console.words import PERMISSIONS
from rollbook.store.accesses import Taken, access_counts, last_calls
from rollbook.store.models import District, Grant


@dataclass(frozen=True)
class LastAccess:
    """When an app last took something, and how that went."""

    at: Any
    words: Any
    good: bool
    records: int
    address: str


@dataclass(frozen=True)
class Card:
    """An app as it is listed."""

    grant: Grant
    permission: Any
    levels: Levels
    rest: LastAccess | None
    accesses: int
    links: list[Link]


@in_district(Act.SEE_APPS)
def show_apps(request: HttpRequest, district: District) -> HttpResponse:
    grants = list(Grant.objects.filter(district=district).select_related("app").order_by("app__name", "id"))
    context = {"nav": "apps", "cards": cards_of(request, grants)}
    return render(request, "console/apps.html", context)


@in_district(Act.SEE_APPS)
def show_app(request: HttpRequest, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    return app_page(request, grant, "app", "console/app.html", {"card": cards_of(request, [grant])[0]})


def cards_of(request: HttpRequest, grants: list[Grant]) -> list[Card]:
    """The cards of these apps; what they took is asked for all of them at once."""
    numbers = [grant.pk for grant in grants]
    counts, calls = access_counts(numbers, timezone.now()), last_calls(numbers)
    return [
        Card(
            grant=grant,
            permission=PERMISSIONS.get(grant.permission, grant.permission),
            levels=levels_of(grant),
            rest=_last(calls.get(grant.pk)),
            accesses=counts.get(grant.pk, 0),
            links=links(request, grant),
        )
        for grant in grants
    ]


def _last(taken: Taken | None) -> LastAccess | None:
    if taken is None:
        return None
    words = result_words(taken.status)
    return LastAccess(moment(taken.at), words, taken.status < 400, taken.records, taken.address)
