"""The fields of each collection with what may be done to each before an app sees it, as a page of choices."""

from dataclasses import dataclass
from typing import Any

from rollbook.console.scopes import TREATMENTS
from rollbook.console.words import COLLECTIONS, field_words
from rollbook.engine.scope import Fields, Treatment
from rollbook.flows.catalogue import needs_of
from rollbook.oneroster.treatments import METADATA_PREFIX, fields_of, is_required, treatments_of
from rollbook.store.models import App

TREATED = ("users", "demographics", "classes", "courses", "orgs", "academicSessions", "enrollments")


@dataclass(frozen=True)
class FieldLine:
    """One field: what is chosen, what could be, whether the standard requires it, and what the app's maker says it is for."""

    name: str
    field: str
    words: Any
    chosen: str
    choices: list[tuple[str, Any]]
    is_required: bool
    need: str
    must: bool


@dataclass(frozen=True)
class FieldGroup:
    """The fields of one collection. `is_treated`: one of them is not shared as it is."""

    collection: str
    words: Any
    lines: list[FieldLine]

    @property
    def is_treated(self) -> bool:
        return any(line.chosen != Treatment.SHARE for line in self.lines)


def field_groups(app: App, fields: Fields) -> list[FieldGroup]:
    """Every collection with its fields, as this draft treats them."""
    chosen = {(collection, name): str(treatment) for collection, name, treatment in fields}
    needs = {(need.collection, need.field): need for need in needs_of(app)}
    return [
        FieldGroup(
            collection,
            COLLECTIONS[collection],
            [_line(collection, name, chosen, needs) for name in _names(collection, chosen)],
        )
        for collection in TREATED
    ]


def _names(collection: str, chosen: dict[tuple[str, str], str]) -> list[str]:
    """The fields that may be treated, then single metadata fields that are."""
    own = [name for of, name in chosen if of == collection and name.startswith(METADATA_PREFIX)]
    return [*fields_of(collection), *sorted(own)]


def _line(collection: str, name: str, chosen: dict[tuple[str, str], str], needs: dict[Any, Any]) -> FieldLine:
    need = needs.get((collection, name))
    return FieldLine(
        name=f"{collection}.{name}",
        field=name,
        words=field_words(name),
        chosen=chosen.get((collection, name), str(Treatment.SHARE)),
        choices=[(one, TREATMENTS[Treatment(one)]) for one in treatments_of(collection, name)],
        is_required=is_required(collection, name),
        need=need.reason if need else "",
        must=bool(need and need.is_required),
    )
