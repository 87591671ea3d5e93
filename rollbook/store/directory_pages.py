"""Pages of a directory's lists. A page is found by entering an index behind a record, never by counting past rows.

A list of several states is walked in each of them by its own part of the index, and what comes first of all is the page. What is narrowed to
few is found by looking once at all there is, as far as needed, and sorted here: an index in the list's order would be walked for them in vain.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from django.db.models import Q, QuerySet

from rollbook.store.bulk import listed
from rollbook.store.models.directory import DirectoryRecord

SIZE = 50
FEW = 5_000

Row = TypeVar("Row", bound=DirectoryRecord)


@dataclass(frozen=True)
class Place:
    """Where a page begins: behind the record `after` or before the record `before`, by id; `start` is the number of its first row."""

    after: int | None = None
    before: int | None = None
    start: int = 1
    descending: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of a page, the number of the first, where the pages beside it begin, and how many rows there are in all; of a narrowed list
    that is too long to be counted None.
    """

    rows: list[Row]
    start: int
    next: Place | None
    previous: Place | None
    total: int | None

    @property
    def end(self) -> int:
        return self.start + len(self.rows) - 1


def page_of(
    found: QuerySet[Row], states: Sequence[str], key: str, place: Place, total: int | None = None
) -> Page[Row]:
    """The page at a place, of the rows of these states in the order of `key`, which an index (organization, state, key, id) has.

    `total` is how many there are, where that is known; where it is not, the list is a narrowed one.
    """
    if total is None:
        few = list(found.filter(state__in=states).order_by("id").values_list(key, "id")[: FEW + 1])
        if len(few) <= FEW:
            return _page_of_few(found, sorted(few, reverse=place.descending), place)
    return replace(_page_of_many(found, states, key, place), total=total)


# --- Few: all of them are known -----------------------------------------------------------------------------------------------------


def _page_of_few(found: QuerySet[Row], few: Sequence[tuple[str, int]], place: Place) -> Page[Row]:
    """`few` are key and id of all rows, in order."""
    first = _beginning([number for _, number in few], place)
    ids = [number for _, number in few[first : first + SIZE]]
    rows = {row.id: row for row in found.filter(id__in=listed(ids))}
    shown = [rows[number] for number in ids if number in rows]
    last = first + len(ids)
    onward = Place(after=ids[-1], start=last + 1, descending=place.descending) if last < len(few) else None
    back = (
        Place(before=ids[0], start=max(first - SIZE, 0) + 1, descending=place.descending)
        if first and ids
        else None
    )
    return Page(shown, first + 1, onward, back, len(few))


def _beginning(ids: Sequence[int], place: Place) -> int:
    """Which of the rows is the first of the page."""
    if place.before in ids:
        return max(ids.index(place.before) - SIZE, 0)
    return ids.index(place.after) + 1 if place.after in ids else 0


# --- Many: the index is entered -----------------------------------------------------------------------------------------------------


def _page_of_many(found: QuerySet[Row], states: Sequence[str], key: str, place: Place) -> Page[Row]:
    anchor = place.after if place.before is None else place.before
    at = None if anchor is None else _key_of(found, key, anchor)
    if anchor is None or at is None:
        # The beginning; also where whom the page began behind is not in the list any more.
        return _page(_walk(found, states, key, place.descending), place, is_first=True)
    if place.before is None:
        behind = _behind(key, at, anchor, place.descending)
        return _page(_walk(found.filter(behind), states, key, place.descending), place, is_first=False)
    before = _behind(key, at, anchor, not place.descending)
    rows = _walk(found.filter(before), states, key, not place.descending)
    if len(rows) <= SIZE:
        return _page(_walk(found, states, key, place.descending), place, is_first=True)
    return _page(rows[:SIZE][::-1], place, is_first=False, is_before=True)


def _page(rows: list[Row], asked: Place, is_first: bool, is_before: bool = False) -> Page[Row]:
    shown, start = rows[:SIZE], 1 if is_first else asked.start
    has_next = is_before or len(rows) > SIZE
    onward = replace(asked, before=None, after=shown[-1].id, start=start + len(shown)) if has_next else None
    back = replace(asked, after=None, before=shown[0].id, start=max(start - SIZE, 1)) if shown else None
    return Page(shown, start, onward, None if is_first else back, None)


def _key_of(found: QuerySet[Row], key: str, number: int) -> str | None:
    """What a row of the list is sorted by; None where it is not there."""
    at: str | None = next(iter(found.filter(id=number).values_list(key, flat=True)), None)
    return at


def _walk(found: QuerySet[Row], states: Sequence[str], key: str, descending: bool) -> list[Row]:
    """The first of all states, up to one more than a page."""
    sign = "-" if descending else ""
    rows = [
        row
        for state in states
        for row in found.filter(state=state).order_by(f"{sign}{key}", f"{sign}id")[: SIZE + 1]
    ]
    return sorted(rows, key=lambda row: (getattr(row, key), row.id), reverse=descending)[: SIZE + 1]


def _behind(key: str, at: str, anchor: int, descending: bool) -> Q:
    """Written so that an index can be entered at the place, which `key > at OR (key = at AND id > anchor)` prevents."""
    past = "lt" if descending else "gt"
    return Q(**{f"{key}__{past}e": at}) & (Q(**{f"{key}__{past}": at}) | Q(**{f"id__{past}": anchor}))
