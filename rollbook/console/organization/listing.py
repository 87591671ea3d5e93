"""A directory's lists in the console: what an address asks for, the addresses of the pages beside, and whom who looks may see.

An address names the record a page begins behind, not its name, so that none holds a person's name for paging's sake.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from rollbook.console.organization.access import Act
from rollbook.store.directory_pages import Page, Place
from rollbook.store.models import Organization, SyncConnection

BY_HAND = "hand"


@dataclass(frozen=True)
class Asked:
    """What an address asks of a list: texts by name, and the place."""

    told: Mapping[str, str]
    place: Place

    def text(self, name: str) -> str:
        """What is said of this, or nothing. No `[…]`: templates would ask by it for everything else too."""
        return self.told.get(name, "")

    @property
    def is_narrow(self) -> bool:
        return bool(self.told)

    def number(self, name: str) -> int | None:
        return whole(self.text(name))

    @property
    def site(self) -> int | None:
        return self.number("site")

    @property
    def source(self) -> int | None:
        """The connection that is asked for; 0 stands for by hand."""
        return 0 if self.text("source") == BY_HAND else self.number("source")

    def address(self, place: Place | None = None) -> str:
        """The same list at another place; without one at its beginning, in the same order."""
        place = place or Place(descending=self.place.descending)
        query = QueryDict(mutable=True)
        parts = {
            **self.told,
            "sort": "-name" if place.descending else "",
            "after": place.after,
            "before": place.before,
            "from": place.start if place.start > 1 else "",
        }
        query.update({name: str(value) for name, value in parts.items() if value})
        return "?" + query.urlencode()

    @property
    def turned(self) -> str:
        """The same list in the other order."""
        return self.address(Place(descending=not self.place.descending))


def asked_of(query: QueryDict, names: tuple[str, ...]) -> Asked:
    """What is said wrongly counts as not said: a link of yesterday still shows something."""
    told = {name: query.get(name, "").strip()[:200].replace("\0", "") for name in names}
    place = Place(
        whole(query.get("after")),
        whole(query.get("before")),
        whole(query.get("from")) or 1,
        query.get("sort") == "-name",
    )
    return Asked({name: text for name, text in told.items() if text}, place)


def whole(text: str | None) -> int | None:
    """A whole number from 0 on that a database column can hold, or None."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def within(request: Any, organization: Organization) -> frozenset[int] | None:
    """The sites whose people and classes who looks may see; None: all."""
    found: frozenset[int] | None = request.product_reach.sites(Act.SEE_MEMBERS, organization)
    return found


def shown_list(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    """A list's page, or to htmx its results alone: `name` is that of the template, whose results stand in `…_results`."""
    swaps = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    answer = render(request, f"organization/{name}{'_results' if swaps else ''}.html", context)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def pages_beside(asked: Asked, page: Page[Any]) -> dict[str, str]:
    """The addresses of the pages before and behind, for the foot of a list."""
    return {
        "next_url": asked.address(page.next) if page.next else "",
        "previous_url": asked.address(page.previous) if page.previous else "",
    }


def source_names(organization: Organization) -> dict[int, str]:
    """{connection: name} of the rosters that keep the directory."""
    found = SyncConnection.objects.filter(organization=organization, target_kind="directory").order_by("pk")
    return dict(found.values_list("pk", "name"))
