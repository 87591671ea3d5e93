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

LENGTH = 4
"""They are read by runs, one lying behind the other, where a run has so many of them on average."""

LIKELY = 6
"""The stamps of a page are looked for among the first publication and so many of the latest, before they are looked up."""

Stamped = tuple[int, str]
Runs = list[tuple[int, int]]
"""First and last positions of what lies together among everybody's texts, in the order of a page."""


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


def _by_runs(places: Sequence[int]) -> Runs:
    """The runs in which the rows of a page lie among everybody's; none where there would be too many."""
    breaks = [at for at, (a, b) in enumerate(pairwise(places), 1) if b != a + 1]
    if not places or (len(breaks) + 1) * LENGTH > len(places):
        return []
    return [(places[a], places[b - 1]) for a, b in pairwise([0, *breaks, len(places)])]


# --- PostgreSQL -----------------------------------------------------------------------------------------------------------------------------


def _joined_by_python(located: Located) -> tuple[bytes, int]:
    if located.is_view:
        rows = _rows_in_runs(located) or _view_rows(located)
    else:
        rows = _base_rows(located)
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


def _rows_in_runs(located: Located) -> list[Stamped]:
    """The rows of a view's page where all of them are shown as everybody sees them, and came into the view together; else none."""
    first, last, gaps = _span(located.positions)
    if gaps:
        return []
    reader, at = located.reader, [located.publication] * 2
    keys = [reader.district_id, located.collection]
    [(places, entered, latest, own, records)] = fetch(
        connection,
        f"""SELECT array_agg(place), min(stamp), max(stamp), count(text_v1p1), array_agg(record_id)
            FROM (SELECT place, {located.stamp("r")} AS stamp, text_v1p1, record_id FROM store_viewrow r
                  WHERE district_id = %s AND collection = %s AND view_id = %s AND position BETWEEN %s AND %s
                    AND from_publication <= %s AND to_publication > %s ORDER BY position) AS page""",
        [*keys, reader.view_id, first, last, *at],
    )
    runs = _by_runs(places or []) if own == 0 and entered == latest else []
    if not runs:
        return []
    # OFFSET keeps PostgreSQL from reading the whole collection once and comparing every row with every run.
    rows = fetch(
        connection,
        f"""SELECT r.record_id, {located.stamp("r")}, {located.text("r")}
            FROM unnest(%s::bigint[], %s::bigint[]) AS run (first, last) CROSS JOIN LATERAL (
                SELECT * FROM store_served WHERE district_id = %s AND collection = %s AND position BETWEEN run.first AND run.last
                    AND from_publication <= %s AND to_publication > %s OFFSET 0) AS r""",
        [*map(list, zip(*runs, strict=True)), *keys, *at],
    )
    # What has moved since it came into the view is not where it was, and something else can be.
    if [record_id for record_id, _, _ in rows] != records:
        return []
    return [(stamp if stamp > entered else entered, text) for _, stamp, text in rows]


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
    if located.is_view and (found := _joined_in_runs(located)):
        return found
    joined, count = _page(located, "b.position = v.place AND +b.record_id = v.record_id")
    if count < len(located.positions):
        # A record that has moved since it entered the view is not where it was.
        joined, count = _page(located, "b.record_id = v.record_id")
    return joined, count


def _joined_in_runs(located: Located) -> tuple[bytes, int] | None:
    """A view's page where all of it is shown as everybody sees it, and came into the view together; else None."""
    first, last, gaps = _span(located.positions)
    if gaps:
        return None
    reader, at = located.reader, [located.publication] * 2
    keys = [reader.district_id, located.collection]
    stamp = located.stamp("r")
    # The + keeps SQLite from looking for what came in these publications: that is nearly all.
    [(places, entered, latest, own, records)] = fetch(
        connection,
        f"""SELECT group_concat(place), min(stamp), max(stamp), count(text_v1p1), group_concat(record_id)
            FROM (SELECT place, {stamp} AS stamp, text_v1p1, record_id FROM store_viewrow r
                  WHERE district_id = %s AND collection = %s AND view_id = %s AND position BETWEEN %s AND %s
                    AND +from_publication <= %s AND to_publication > %s ORDER BY position)""",
        [*keys, reader.view_id, first, last, *at],
    )
    is_plain = places is not None and own == 0 and entered == latest
    runs = _by_runs([int(place) for place in places.split(",")]) if is_plain else []
    if not runs:
        return None
    opening, openings = _opening_in_sql(located, entered)
    # A CROSS JOIN walks through the runs as they are given, and each by its index: to ask for that order would sort all the texts.
    [(joined, found)] = fetch(
        connection,
        f"""SELECT CAST(group_concat({opening} || page.body) AS BLOB), group_concat(page.record_id)
            FROM (SELECT max({stamp}, %s) AS stamp, {located.text("r")} AS body, r.record_id
                  FROM json_each(%s) AS run CROSS JOIN store_served r
                  WHERE r.district_id = %s AND r.collection = %s
                    AND r.position BETWEEN json_extract(run.value, '$[0]') AND json_extract(run.value, '$[1]')
                    AND +r.from_publication <= %s AND r.to_publication > %s) AS page""",
        [*openings, entered, json.dumps(runs), *keys, *at],
    )
    # What has moved since it came into the view is not where it was, and something else can be.
    return (joined, len(located.positions)) if found == records else None


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
    opening, openings = _opening_in_sql(located)
    [(joined, count)] = fetch(
        connection,
        f"""SELECT CAST(group_concat({opening} || page.body) AS BLOB), count(page.stamp)
            FROM (SELECT {stamp} AS stamp, {text} AS body FROM {before}{source} ORDER BY {order}) AS page""",
        [*openings, *parameters],
    )
    return joined or b"", count


def _opening_in_sql(located: Located, likeliest: int = 1) -> tuple[str, list[Any]]:
    """SQL: how a record with the page's stamp begins.

    The likely publications are given: the likeliest, the first, by which most came, and the latest.
    """
    district_id, latest = located.reader.district_id, located.publication
    likely = dict.fromkeys((likeliest, 1, *range(latest, max(0, latest - LIKELY), -1)))
    known = [(number, _opening(district_id, number)) for number in likely]
    looked_up = (
        '\'{"dateLastModified":"\' || COALESCE((SELECT p.instant_text FROM store_publication p'
        " WHERE p.district_id = %s AND p.number = page.stamp), '') || '\"'"
    )
    cases = "".join(" WHEN %s THEN %s" for _ in known)
    return f"CASE page.stamp{cases} ELSE {looked_up} END", [
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
    # The + keeps SQLite, which knows no figures about its tables, from looking records up by the publication, or where they did not lie.
    return (
        f"""store_viewrow v LEFT JOIN store_served b ON v.text_v1p1 IS NULL AND b.district_id = v.district_id
                AND b.collection = v.collection AND {meeting} AND +b.from_publication <= %s AND b.to_publication > %s
            WHERE v.district_id = %s AND v.view_id = %s AND v.collection = %s AND {wanted}
                AND v.from_publication <= %s AND v.to_publication > %s""",
        [*at, reader.district_id, reader.view_id, located.collection, *values, *at],
    )
