"""The applications of a district: a card for each, and the first page of one, from where all others are reached."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rollbook.console.access import Act, in_district
from rollbook.console.activity import moment, result_words
from rollbook.console.levels import Levels, levels_of
from rollbook.console.places import Link, app_page, grant_or_404, links
from rollbook.console.scopes import LEVELS
from rollbook.engine.scope import Level, Rule
from rollbook.flows.access_history import days
from rollbook.flows.applications import REQUESTED, applications, particulars
from rollbook.flows.approvals import open_requests
from rollbook.store.accesses import Taken, access_counts, last_calls, last_packages
from rollbook.store.models import District, Grant


@dataclass(frozen=True)
class LastAccess:
    """When an app last took something, and how that went."""

    at: Any
    words: Any
    good: bool
    records: int
    address: str
    reason: str


@dataclass(frozen=True)
class Card:
    """An app as it is listed."""

    grant: Grant
    permission: Any
    levels: Levels
    rest: LastAccess | None
    sftp: LastAccess | None
    requested: dict[str, Any] | None
    accesses: int
    links: list[Link]


@in_district(Act.SEE_APPS)
def show_apps(request: Any, district: District) -> HttpResponse:
    cards = cards_of(request, list(applications(district)))
    may = request.reach.may
    context = {
        "nav": "apps",
        "cards": sorted(cards, key=lambda card: (card.requested is None, card.grant.title.casefold())),
        "may_add": may(Act.REQUEST_APP, district.pk),
        "may_decide": may(Act.SEE_PERMISSIONS, district.pk),
        "waiting": open_requests(district).count(),
        "removed": Grant.objects.filter(district=district).exclude(removed_at=None).select_related("app"),
    }
    return render(request, "console/apps.html", context)


@in_district(Act.SEE_APPS)
def show_app(request: Any, district: District, grant_id: int) -> HttpResponse:
    grant = grant_or_404(district, grant_id)
    context = {
        "card": cards_of(request, [grant])[0],
        "today": days(grant, timezone.now(), 1)[0],
        "particulars": particulars(grant),
        "may_manage": request.reach.may(Act.MANAGE_APPS, district.pk),
    }
    return app_page(request, grant, "app", "console/app.html", context)


def cards_of(request: HttpRequest, grants: list[Grant]) -> list[Card]:
    """The cards of these apps; what they took is asked for all of them at once."""
    numbers = [grant.pk for grant in grants]
    counts = access_counts(numbers, timezone.now())
    calls, deliveries = last_calls(numbers), last_packages(numbers)
    return [
        Card(
            grant=grant,
            permission=LEVELS[Level(grant.permission)][0],
            levels=levels_of(Rule.parse(grant.rule)),
            rest=_last(calls.get(grant.pk)),
            sftp=_last(deliveries.get(grant.pk)),
            requested=grant.own.get(REQUESTED),
            accesses=counts.get(grant.pk, 0),
            links=links(request, grant),
        )
        for grant in grants
    ]


def _last(taken: Taken | None) -> LastAccess | None:
    if taken is None:
        return None
    good, words = _went(taken.status)
    return LastAccess(moment(taken.at), words, good, taken.records, taken.address, taken.reason)


def _went(status: int | str) -> tuple[bool, Any]:
    if isinstance(status, int):
        return status < 400, result_words(status)
    return status == "success", _("Delivered") if status == "success" else _("Not delivered")
