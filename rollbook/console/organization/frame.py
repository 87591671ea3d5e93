"""The frame of an organization's rostering: the table of its menu, and how each of its pages is shown.

A new page is one view, one route, and one line of `PLACES`. A view that changes anything by POST is wrapped in `changing`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rollbook.console.organization.access import Act
from rollbook.flows.sync.proving import Offer, offer_of
from rollbook.store.models import Organization, SyncConnection, SyncRun

ENTITLEMENT = "rostering"


@dataclass(frozen=True)
class Place:
    """One page of a sync connection. `route` is its name in urls.py, where it takes `connection_id`; who may `act` there sees it."""

    route: str
    words: Any
    act: Act


PLACES: tuple[Place, ...] = (
    Place("sync-overview", _("Overview"), Act.SEE_ROSTERING),
    Place("sync-schools", _("Mapping"), Act.SEE_ROSTERING),
    Place("sync-candidates", _("User import"), Act.MANAGE_ROSTERING),
    Place("sync-resync", _("Resync"), Act.MANAGE_ROSTERING),
    Place("sync-holds", _("Holds and cases"), Act.SEE_ROSTERING),
    Place("sync-runs", _("History"), Act.SEE_ROSTERING),
    Place("sync-auto", _("Auto-sync"), Act.SEE_ROSTERING),
    Place("sync-settings", _("Settings"), Act.SEE_ROSTERING),
)
"""In the order of the menu: overview, mapping, user import, resync, holds and cases, history, Auto-sync, settings."""


@dataclass(frozen=True)
class Link:
    """A place of one connection, to be followed."""

    place: Place
    url: str


def links(request: Any, connection: SyncConnection) -> list[Link]:
    """The places of this connection that who asks may enter, in the menu's order."""
    where = {"organization_id": connection.organization_id, "connection_id": connection.pk}
    organization = request.organization
    return [
        Link(place, reverse(place.route, kwargs=where))
        for place in PLACES
        if request.product_reach.may(place.act, organization)
    ]


def connection_or_404(organization: Organization, connection_id: int) -> SyncConnection:
    """The sync connection of this number, if it is this organization's."""
    found = SyncConnection.objects.filter(organization=organization, pk=connection_id).first()
    if found is None:
        raise Http404
    found.organization = organization
    return found


def run_or_404(connection: SyncConnection, run_id: int, *kinds: str) -> SyncRun:
    """The run of this number, if it is this connection's, and of one of these kinds where any are named."""
    found = SyncRun.objects.filter(connection=connection, pk=run_id).first()
    if found is None or (kinds and found.task.get("kind") not in kinds):
        raise Http404
    found.connection, found.organization = connection, connection.organization
    return found


def why_not(request: Any, organization: Organization) -> str:
    """Why who looks may change nothing of its rostering, in a sentence; empty where they may."""
    if ENTITLEMENT not in organization.entitlements:
        return str(
            _(
                "The plan of this organization does not include rostering. Whoever sells you the product can add it."
            )
        )
    if not request.product_reach.may(Act.MANAGE_ROSTERING, organization):
        return str(_("Only an organization administrator can change this: you can look at it."))
    return ""


def changing(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Lets `view(request, organization, …)` answer a POST only of who may change the rostering; all others are told why not, with 403.

    It stands below `in_organization(Act.SEE_ROSTERING)`.
    """

    @wraps(view)
    def asked(request: HttpRequest, organization: Organization, **rest: Any) -> HttpResponse:
        reason = why_not(request, organization) if request.method == "POST" else ""
        if reason:
            return render(
                request, "organization/not_here.html", {"nav": "rostering", "why_not": reason}, status=403
            )
        return view(request, organization, **rest)

    return asked


def sign_in_offer(request: Any, connection: SyncConnection) -> Offer | None:
    """How the people of this source could sign in too, to who may set it up."""
    is_theirs = request.product_reach.may(Act.MANAGE_SIGN_IN, connection.organization)
    return offer_of(connection) if is_theirs and not why_not(request, connection.organization) else None


def rostering_page(
    request: HttpRequest,
    connection: SyncConnection,
    route: str,
    template: str,
    context: dict[str, Any],
    status: int = 200,
) -> HttpResponse:
    """A page of a connection: `template` extends `organization/rostering_frame.html` and fills its block `rostering`; `route` is its place."""
    frame = {
        "nav": "rostering",
        "connection": connection,
        "place": next((one for one in PLACES if one.route == route), None),
        "links": links(request, connection),
        "why_not": why_not(request, connection.organization),
    }
    return render(request, template, frame | context, status=status)
