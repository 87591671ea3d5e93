"""The pages of one app of a district: the table of its menu, and the frame in which each of them is shown.

A new page is one view, one route, and one line of `PLACES`.
"""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from rollbook.console.access import Act
from rollbook.store.models import District, Grant


@dataclass(frozen=True)
class Place:
    """One page of an app. `route` is its name in urls.py, where it takes `grant_id`; `says` is what is done there; who may `act` sees it."""

    route: str
    words: Any
    says: Any
    icon: str
    act: Act


PLACES = (
    Place("app", _("Overview"), _("How much it sees, and what it read lately."), "apps", Act.SEE_APPS),
    Place(
        "app-permissions",
        _("Permissions"),
        _("Which organizations, courses and people it sees, and which of their fields."),
        "lock",
        Act.SEE_PERMISSIONS,
    ),
    Place(
        "app-optouts",
        _("Opt-outs"),
        _("People whose records are kept from it, with the reason and the dates."),
        "removed",
        Act.OPT_OUT,
    ),
    Place("app-find", _("Find"), _("A person or a class, as this app sees it."), "search", Act.FIND),
    Place(
        "app-sanity",
        _("Run sanity check"),
        _("What it sees, counted, and what is likely to trouble it."),
        "check",
        Act.CHECK_SANITY,
    ),
    Place(
        "app-keys",
        _("API key and secret"),
        _("What it signs in with to read by REST, and the addresses it reads."),
        "key",
        Act.MANAGE_KEYS,
    ),
    Place(
        "app-export",
        _("Export (SFTP) settings"),
        _("Packages of CSV files, brought to it or fetched by it."),
        "up",
        Act.MANAGE_DELIVERIES,
    ),
    Place("app-access", _("Access history"), _("Every call and every delivery."), "clock", Act.SEE_ACCESS_HISTORY),
    Place("app-history", _("History"), _("Every version of its permissions."), "changed", Act.SEE_PERMISSIONS),
    Place("app-email", _("E-mail developer"), _("Write to who made it."), "people", Act.WRITE_TO_DEVELOPER),
    Place(
        "app-edit", _("Edit"), _("Start address, redirect addresses, and what its maker asks for."),
        "settings", Act.MANAGE_APPS,
    ),
    Place("app-rename", _("Rename"), _("What it is called here."), "classes", Act.MANAGE_APPS),
    Place(
        "app-remove", _("Remove"), _("Its keys die at once; its history stays."), "trash", Act.MANAGE_APPS
    ),
)  # fmt: skip


LASTING = ("app", "app-permissions", "app-access", "app-history", "app-remove")
"""What is left of an app that was removed."""


@dataclass(frozen=True)
class Link:
    """A place of one app, to be followed."""

    place: Place
    url: str


def place_of(route: str) -> Place:
    return next((one for one in PLACES if one.route == route), PLACES[0])


def links(request: Any, grant: Grant) -> list[Link]:
    """The places of this app that this operator may enter, in the menu's order; of one that was removed, those that show what was."""
    return [
        Link(place, reverse(place.route, kwargs={"tenant": grant.district_id, "grant_id": grant.pk}))
        for place in PLACES
        if request.reach.may(place.act, grant.district_id)
        and (grant.removed_at is None or place.route in LASTING)
    ]


def grant_or_404(district: District, grant_id: int) -> Grant:
    """The grant of this number, if it is this district's."""
    grant = Grant.objects.select_related("app").filter(district=district, pk=grant_id).first()
    if grant is None:
        raise Http404
    return grant


def app_page(
    request: HttpRequest, grant: Grant, route: str, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """A page of an app: `template` extends `console/app_frame.html` and fills its block `app_content`; `route` names its place."""
    frame = {"nav": "apps", "grant": grant, "place": place_of(route), "links": links(request, grant)}
    return render(request, template, frame | context, status=status)
