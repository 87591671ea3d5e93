"""The texts served for what `pages` located, joined by commas, with each record's date filled in: one or two statements a page.

PostgreSQL hands over rows, which Python joins; SQLite joins them itself, because it hands rows over one at a time.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from itertools import pairwise
from typing import Any

from django.db import connection

from rollbook.oneroster.query import Question
from rollbook.store.models import Publication
from rollbook.store.models.publication import NUMBER_OF
from rollbook.store.prepared import fetch
from rollbook.store.visibility import WHOLE_ROSTER, Reader

SPREAD = 4
"""The texts of a view's page are read in one walk where they lie within this many times their number; else each by itself."""

LIKELY = 6
"""The stamps of a page are looked for among the first publication and so many of the latest, before they are looked up."""

Stamped = tuple[int, str]


@dataclass(frozen=True)
class Located:
    """Where the answer to a question lies. `positions` is a range, or the positions kept for the question; `total` counts all pages."""

    reader: Reader
    question: Question
    publication: int
    total: int
    positions: range | Sequence[int]
    changed: int

    @property
    def etag(self) -> str:
        """Names the answer: it stays while nothing of it can have changed."""
        question = self.question
        asked = (self.reader.view_id, self.reader.district_id, self.changed, question.digest, question.fields)
        return sha256(repr((*asked, question.limit, question.offset)).encode()).hexdigest()[:32]

    @property
    def collection(self) -> int:
        return NUMBER_OF[str(self.question.operation.collection)]

    @property
    def is_view(self) -> bool:
        return self.reader.view_id != WHOLE_ROSTER

    @property
    def version(self) -> str:
        return "v1p1" if self.question.operation.version == "1.1" else "v1p2"

    def text(self, row: str) -> str:
        """SQL: the text of `row` in the version asked."""
        return f"{row}.text_v1p1" if self.version == "v1p1" else f"COALESCE({row}.text_v1p2, {row}.text_v1p1)"

    def stamp(self, row: str) -> str:
        return f"{row}.stamp_{self.version}"


def joined_texts(located: Located) -> tuple[bytes, int]:
    """The located records' texts joined by commas, and how many they are."""
    return (_joined_by_python if connection.vendor == "postgresql" else _joined_by_sqlite)(located)


@lru_cache(maxsize=4096)
def _instant_text(district_id: int, publication: int) -> str:
    """The instant of a publication, empty where it is not kept any more; publications never change."""
    instants = Publication.objects.filter(district_id=district_id, number=publication)
    return instants.values_list("instant_text", flat=True).first() or ""


def _opening(district_id: int, publication: int) -> str:
    """How a record begins that last changed in this publication."""
    return f'{{"dateLastModified":"{_instant_text(district_id, publication)}"'


def forget_openings() -> None:
    _instant_text.cache_clear()


def _span(positions: range | Sequence[int]) -> tuple[int, int, int]:
    """The first and last position, and how many positions between them are not wanted; -1 where they do not ascend."""
    first, last = positions[0], positions[-1]
    if isinstance(positions, range):
        return first, last, 0
    ascends = all(a < b for a, b in pairwise(positions))
    return first, last, last - first + 1 - len(positions) if ascends else -1


# --- PostgreSQL -----------------------------------------------------------------------------------------------------------------------------


def _joined_by_python(located: Located) -> tuple[bytes, int]:
    rows = _view_rows(located) if located.is_view else _base_rows(located)
    opening = {stamp: _opening(located.reader.district_id, stamp) for stamp in {stamp for stamp, _ in rows}}
    if len(opening) == 1:
        [one] = opening.values()
        return (one + f",{one}".join([text for _, text in rows])).encode(), len(rows)
    return ",".join([opening[stamp] + text for stamp, text in rows]).encode(), len(rows)


def _in_order(located: Located, table: str, columns: str, keys: str, values: list[Any]) -> list[Any]:
    """`columns` of the rows of the located positions, in their order."""
    first, last, gaps = _span(located.positions)
    valid, at = "from_publication <= %s AND to_publication > %s", [located.publication] * 2
    if gaps == 0:
        return fetch(
            connection,
            f"SELECT {columns} FROM {table} r WHERE {keys} AND position BETWEEN %s AND %s AND {valid} ORDER BY position",
            [*values, first, last, *at],
        )
    # One walk along the index, even where it passes what is not wanted; else each by itself.
    is_walk = 0 < gaps <= len(located.positions)
    rows = fetch(
        connection,
        f"SELECT {columns}, position FROM {table} r WHERE {keys} AND {valid}"
        f" AND {'position BETWEEN %s AND %s' if is_walk else 'position = ANY(%s::bigint[])'}",
        [*values, *at, *([first, last] if is_walk else [list(located.positions)])],
    )
    found = {row[-1]: row[:-1] for row in rows}
    return [found[position] for position in located.positions]


def _base_rows(located: Located) -> list[Stamped]:
    columns = f"{located.stamp('r')}, {located.text('r')}"
    keys = "district_id = %s AND collection = %s"
    return _in_order(located, "store_served", columns, keys, [located.reader.district_id, located.collection])


def _view_rows(located: Located) -> list[Stamped]:
    columns = f"r.record_id, r.place, {located.stamp('r')}, {located.text('r')}"
    keys = "district_id = %s AND view_id = %s AND collection = %s"
    reader = located.reader
    rows = _in_order(
        located, "store_viewrow", columns, keys, [reader.district_id, reader.view_id, located.collection]
    )
    shared = {record_id: place for record_id, place, _, text in rows if text is None}
    texts = _shared_texts(located, shared)
    return [
        (stamp, text) if text is not None else (max(stamp, texts[record_id][0]), texts[record_id][1])
        for record_id, _, stamp, text in rows
    ]


def _shared_texts(located: Located, places: dict[int, int]) -> dict[int, Stamped]:
    """{record id: stamp and text} of what a view shows as everybody sees it, read where it lay when it entered, else looked up."""
    found: dict[int, Stamped] = {}
    if places:
        first, last = min(places.values()), max(places.values())
        if last - first < SPREAD * len(places):
            rows = _shared_rows(located, "position BETWEEN %s AND %s", [first, last])
            found = {record_id: stamped for record_id, stamped in rows if record_id in places}
    missing = [record_id for record_id in places if record_id not in found]
    if missing:
        found.update(_shared_rows(located, "record_id = ANY(%s::bigint[])", [missing]))
    return found


def _shared_rows(located: Located, wanted: str, values: list[Any]) -> Iterable[tuple[int, Stamped]]:
    rows = fetch(
        connection,
        f"""SELECT record_id, {located.stamp("r")}, {located.text("r")} FROM store_served r
            WHERE district_id = %s AND collection = %s AND {wanted} AND from_publication <= %s AND to_publication > %s""",
        [located.reader.district_id, located.collection, *values, located.publication, located.publication],
    )
    return [(record_id, (stamp, text)) for record_id, stamp, text in rows]


# --- SQLite ---------------------------------------------------------------------------------------------------------------------------------


def _joined_by_sqlite(located: Located) -> tuple[bytes, int]:
    joined, count = _page(located, "b.position = v.place AND b.record_id = v.record_id")
    if count < len(located.positions):
        # A record that has moved since it entered the view is not where it was.
        joined, count = _page(located, "b.record_id = v.record_id")
    return joined, count


def _page(located: Located, meeting: str) -> tuple[bytes, int]:
    """The page, and how many of its records have a text. As bytes: text would be decoded, encoded again and three times as slow."""
    first, last, gaps = _span(located.positions)
    row = "v" if located.is_view else "b"
    values: list[Any] = []
    before, wanted, order = "", f"{row}.position BETWEEN %s AND %s", f"{row}.position"
    if gaps == 0:
        values += [first, last]
    else:
        before, wanted, order = (
            "json_each(%s) AS wanted CROSS JOIN ",
            f"{row}.position = wanted.value",
            "wanted.key",
        )
    source, parameters = _source(located, wanted, values, meeting)
    if gaps:
        parameters = [json.dumps(list(located.positions)), *parameters]
    stamp, text = _shown(located)
    instant, instants = _instant(located)
    [(joined, count)] = fetch(
        connection,
        f"""SELECT CAST(group_concat({instant} || '"' || page.body, ',{{"dateLastModified":"') AS BLOB), count(page.body)
            FROM (SELECT {stamp} AS stamp, {text} AS body FROM {before}{source} ORDER BY {order}) AS page""",
        [*instants, *parameters],
    )
    return b'{"dateLastModified":"' + joined if joined else b"", count


def _instant(located: Located) -> tuple[str, list[Any]]:
    """SQL: the instant of the page's stamp. The likely publications are given: the first, by which most came, and the latest."""
    district_id, latest = located.reader.district_id, located.publication
    likely = sorted({1, *range(max(1, latest - LIKELY), latest + 1)})
    known = [(number, text) for number in likely if (text := _instant_text(district_id, number))]
    looked_up = (
        "SELECT p.instant_text FROM store_publication p WHERE p.district_id = %s AND p.number = page.stamp"
    )
    cases = "".join(" WHEN %s THEN %s" for _ in known)
    return f"CASE page.stamp{cases} ELSE ({looked_up}) END", [
        *(value for pair in known for value in pair),
        district_id,
    ]


def _shown(located: Located) -> tuple[str, str]:
    """SQL: the stamp and the text served, by the view's own text where it has one."""
    if not located.is_view:
        return located.stamp("b"), located.text("b")
    later = f"max({located.stamp('b')}, {located.stamp('v')})"
    own = "v.text_v1p1 IS NULL"
    return (
        f"CASE WHEN {own} THEN {later} ELSE {located.stamp('v')} END",
        f"CASE WHEN {own} THEN {located.text('b')} ELSE {located.text('v')} END",
    )


def _source(located: Located, wanted: str, values: list[Any], meeting: str) -> tuple[str, list[Any]]:
    reader, at = located.reader, [located.publication] * 2
    if not located.is_view:
        return (
            f"""store_served b WHERE b.district_id = %s AND b.collection = %s AND {wanted}
                AND b.from_publication <= %s AND b.to_publication > %s""",
            [reader.district_id, located.collection, *values, *at],
        )
    # The + keeps SQLite, which knows no figures about its tables, from looking records up by the publication.
    return (
        f"""store_viewrow v LEFT JOIN store_served b ON v.text_v1p1 IS NULL AND b.district_id = v.district_id
                AND b.collection = v.collection AND {meeting} AND +b.from_publication <= %s AND b.to_publication > %s
            WHERE v.district_id = %s AND v.view_id = %s AND v.collection = %s AND {wanted}
                AND v.from_publication <= %s AND v.to_publication > %s""",
        [*at, reader.district_id, reader.view_id, located.collection, *values, *at],
    )
