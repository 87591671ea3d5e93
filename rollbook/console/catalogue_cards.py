"""The apps of the catalogue as a district chooses among them."""

from dataclasses import dataclass
from typing import Any

from rollbook.flows.applications import is_requested
from rollbook.flows.catalogue import browse, needs_of
from rollbook.store.models import App, District, Grant

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """An app of the catalogue; `grant` is the district's, where it was added or asked for. `needs` are those it does not work without."""

    app: App
    grant: Grant | None
    is_requested: bool
    needs: list[str]


@dataclass(frozen=True)
class Shelf:
    """A page of the catalogue."""

    entries: list[Entry]
    total: int
    start: int
    following: int | None
    search: str
    with_development: bool
    hidden: int


def shelf_of(district: District, typed: Any) -> Shelf:
    """The page that this address asks for: all by name, or what a search for the app or its company finds."""
    search, with_development = typed.get("q", "").strip()[:200], "dev" in typed
    found = browse(search, with_development=with_development)
    text = typed.get("from", "")
    start = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    total = found.count()
    some = list(found[start : start + PAGE])
    grants = {
        grant.app_id: grant
        for grant in Grant.objects.filter(district=district, app__in=some, removed_at=None).select_related(
            "app"
        )
    }
    hidden = 0 if with_development else browse(search, with_development=True).count() - total
    following = start + PAGE if start + PAGE < total else None
    return Shelf(
        [_entry(app, grants.get(app.pk)) for app in some],
        total,
        start,
        following,
        search,
        with_development,
        hidden,
    )


def _entry(app: App, grant: Grant | None) -> Entry:
    needs = [need.name for need in needs_of(app) if need.is_required]
    return Entry(app, grant, grant is not None and is_requested(grant), needs)
