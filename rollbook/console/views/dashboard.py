"""The dashboard of a district: its Tenant ID, what its roster holds, how the last import went, who read it lately."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from rollbook.console.access import Act, in_district
from rollbook.console.activity import recent_access
from rollbook.console.calendar import in_force_today
from rollbook.console.imports import last_import
from rollbook.console.tallies import Tally, tally_of
from rollbook.flows.holds import open_holds
from rollbook.flows.overdue import overdue
from rollbook.flows.post import unsent
from rollbook.flows.sync.inviting import open_for
from rollbook.store.models import District, Grant

RECENT = 5


@dataclass(frozen=True)
class Tile:
    """One count and the list it counts."""

    words: Any
    number: int
    url: str
    icon: str


@in_district(Act.SEE_DASHBOARD)
def show_dashboard(request: HttpRequest, district: District) -> HttpResponse:
    """Each part is shown to those who may open what it leads to."""
    shown: dict[str, Any] = {"nav": "dashboard"}
    for act, part in PARTS.items():
        if request.reach.may(act, district.pk):  # type: ignore[attr-defined]
            shown |= part(district)
    return render(request, "console/dashboard.html", shown)


def _roster(district: District) -> dict[str, Any]:
    tally = tally_of(district)
    tiles = {"tiles": _tiles(district, tally), "collections": _collections(district, tally)}
    return tiles | {"is_empty": tally.is_empty, "shows_roster": True}


def _imports(district: District) -> dict[str, Any]:
    return {"last_import": last_import(district), "held": open_holds(district), "shows_imports": True}


def _apps(district: District) -> dict[str, Any]:
    return {"apps": Grant.objects.filter(district=district, removed_at=None).count()}


PARTS: dict[Act, Callable[[District], dict[str, Any]]] = {
    Act.SEE_ROSTER: _roster,
    Act.SEE_IMPORTS: _imports,
    Act.SEE_SETTINGS: lambda district: {"unsent": list(unsent(district)[:1])},
    Act.MANAGE_CONNECTIONS: lambda district: {"late": overdue(district.pk, timezone.now())},
    Act.MANAGE_CALENDAR: lambda district: {"blackouts": in_force_today(district)},
    Act.SEE_APPS: _apps,
    Act.MANAGE_APPS: lambda district: {"invitations": open_for(district)},
    Act.SEE_ACCESS_HISTORY: lambda district: {
        "recent": recent_access(district, RECENT),
        "shows_access": True,
    },
}
"""What the page is made of, by the act that it leads to."""


def _tiles(district: District, tally: Tally) -> list[Tile]:
    people = _url(district, "users")
    return [
        Tile(_("Students"), tally.people.get("student", 0), f"{people}?kind=student", "student"),
        Tile(_("Teachers"), tally.people.get("teacher", 0), f"{people}?kind=teacher", "teacher"),
        Tile(_("Schools"), tally.schools, f"{_url(district, 'orgs')}?kind=school", "school"),
        Tile(_("Classes"), tally.records("classes"), _url(district, "classes"), "classes"),
    ]


def _collections(district: District, tally: Tally) -> list[Tile]:
    listed = (
        ("users", _("People"), "people"),
        ("enrollments", _("Enrollments"), "enrollments"),
        ("roles", _("Roles"), "roles"),
        ("courses", _("Courses"), "book"),
        ("academicSessions", _("Academic sessions"), "calendar"),
        ("orgs", _("Organizations"), "school"),
        ("demographics", _("Demographics"), "lock"),
        ("userProfiles", _("User profiles"), "key"),
    )
    return [Tile(words, tally.records(name), _url(district, name), icon) for name, words, icon in listed]


def _url(district: District, collection: str) -> str:
    return reverse("collection", kwargs={"tenant": district.pk, "collection": collection})
