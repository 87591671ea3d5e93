"""Choosing records by tick: what a search finds, page by page, beside what is chosen already; all that is found can be chosen at once.

What is chosen travels with the form, so nothing is stored before the whole is saved, and it works without scripts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from rollbook.console.browse import Question, matching
from rollbook.console.sheets import SHEETS, name_of
from rollbook.console.words import vocabulary_words
from rollbook.store.bulk import listed
from rollbook.store.models import RECORDS, District, Record

PAGE = 50

MENTIONS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "orgs": (("parent_id", "orgs"),),
    "courses": (("org_id", "orgs"),),
    "classes": (("school_id", "orgs"), ("course_id", "courses")),
}
"""What stands beside a name, so that two of one name are told apart: {collection: ((column, collection it is a record of), …)}."""

CODES = {"orgs": "identifier", "courses": "course_code", "classes": "class_code"}


@dataclass(frozen=True)
class Ticks:
    """What is chosen by tick: records each for itself, and (of orgs) with all below them."""

    ids: frozenset[int] = frozenset()
    below: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.ids | self.below)


@dataclass(frozen=True)
class Line:
    """A record that can be ticked. `reference`: an org above what is chosen, told of for reference only."""

    id: int
    name: str
    about: str
    ticked: bool
    below: bool
    reference: bool = False


@dataclass(frozen=True)
class Picking:
    """A page of what can be ticked. `start` counts the records before it; `total` those found, `all` those there are."""

    collection: str
    lines: list[Line]
    search: str
    only: bool
    start: int
    total: int
    all: int
    chosen: int
    gone: int

    @property
    def shown(self) -> str:
        return ",".join(str(line.id) for line in self.lines)

    @property
    def end(self) -> int:
        return self.start + len(self.lines)

    @property
    def before(self) -> int | None:
        return max(self.start - PAGE, 0) if self.start else None

    @property
    def after(self) -> int | None:
        return self.end if self.end < self.total else None


def ticked(district: District, collection: str, ticks: Ticks, typed: QueryDict) -> Ticks:
    """What is chosen after this form: what it showed is as it was ticked there, the rest stays; or all that it found, or none of it."""
    shown = _numbers(typed.get("shown", "").split(","))
    chosen = Ticks(
        ticks.ids - shown | _numbers(typed.getlist("tick")) & shown,
        ticks.below - shown | _numbers(typed.getlist("below")) & shown,
    )
    act = typed.get("go", "")
    if act not in ("choose-found", "drop-found"):
        return chosen
    found = frozenset(_found(district, collection, chosen, typed).values_list("id", flat=True))
    if act == "drop-found":
        return Ticks(chosen.ids - found, chosen.below - found)
    return Ticks(chosen.ids | found, chosen.below)


def picking_of(
    district: District,
    collection: str,
    ticks: Ticks,
    typed: QueryDict,
    reference: frozenset[int] = frozenset(),
) -> Picking:
    """The page that this form asks for. `reference` are the orgs that what is chosen brings for reference only."""
    found = _found(district, collection, ticks, typed)
    total = found.count()
    start = _start(typed, total)
    sheet = SHEETS[collection]
    records = list(found.order_by(sheet.sorts[sheet.order], "id")[start : start + PAGE])
    there = RECORDS[collection]._default_manager.filter(district=district, status="active")
    chosen = ticks.ids | ticks.below
    living = there.filter(id__in=listed(chosen)).count() if chosen else 0
    return Picking(
        collection=collection,
        lines=_lines(district, collection, ticks, records, reference),
        search=_search(typed),
        only="only" in typed,
        start=start,
        total=total,
        all=there.count(),
        chosen=living,
        gone=len(chosen) - living,
    )


def _found(district: District, collection: str, ticks: Ticks, typed: QueryDict) -> Any:
    found = matching(district, SHEETS[collection], Question(search=_search(typed)))
    return found.filter(id__in=listed(ticks.ids | ticks.below)) if "only" in typed else found


def _search(typed: QueryDict) -> str:
    return typed.get("q", "").strip()[:200].replace("\0", "")


def _start(typed: QueryDict, total: int) -> int:
    """Where the page begins: at the first record, unless the button pressed says otherwise."""
    act, _, number = typed.get("go", "").partition(":")
    kept = typed.get("from", "") if act in ("choose-found", "drop-found") else ""
    text = number if act == "page" else kept
    start = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    return start if start < total else 0


def _lines(
    district: District, collection: str, ticks: Ticks, records: list[Any], reference: frozenset[int]
) -> list[Line]:
    names = {target: _names(district, column, target, records) for column, target in MENTIONS[collection]}
    return [
        Line(
            one.id,
            name_of(one),
            _about(collection, one, names),
            one.id in ticks.ids,
            one.id in ticks.below,
            collection == "orgs" and one.id in reference,
        )
        for one in records
    ]


def _names(district: District, column: str, target: str, records: Iterable[Record]) -> dict[int, str]:
    wanted = {getattr(record, column) for record in records} - {None}
    found = RECORDS[target]._default_manager.filter(district=district, id__in=wanted)
    return {record.id: name_of(record) for record in found}


def _about(collection: str, record: Any, names: dict[str, dict[int, str]]) -> str:
    kind = [str(vocabulary_words(record.type))] if collection == "orgs" else []
    code = getattr(record, CODES[collection]) or record.sourced_id
    mentioned = [names[target].get(getattr(record, column), "") for column, target in MENTIONS[collection]]
    return " · ".join(words for words in (*kind, code, *mentioned) if words)


def _numbers(texts: Iterable[str]) -> frozenset[int]:
    """Record ids; what is none is left out."""
    return frozenset(int(one) for one in texts if one.isascii() and one.isdecimal() and len(one) < 19)
