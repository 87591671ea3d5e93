"""Looking into what one reader sees, for people who look over its shoulder: the answers to a question, narrowed, and the record ids behind.

It asks as the reader asks and sees nothing else; a narrowing only ever takes away.
"""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from rollbook.oneroster.query import Question
from rollbook.store.aliases import turned
from rollbook.store.bulk import among, many
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.pages import read
from rollbook.store.prepared import fetch
from rollbook.store.querysets import positions
from rollbook.store.texts import Located
from rollbook.store.unseen import refuse_unseen
from rollbook.store.visibility import WHOLE_ROSTER, Reader

Record = dict[str, Any]
Narrow = Callable[[Collection[int]], set[int]]
"""Which of these record ids are kept."""


@dataclass(frozen=True)
class Seen:
    """A page of what a reader sees: its records as it gets them, and how many there are on all pages."""

    records: list[Record]
    total: int


def look(reader: Reader, question: Question, narrow: Narrow | None = None) -> Seen:
    """The page that `question` asks for, of what is served now. Raises NotVisible where the reader does not see what the path goes
    through, BadQuery where it asks by what the reader does not see.
    """
    refuse_unseen(reader, question)
    question = turned(reader, question)
    publication, found = _found(reader, question)
    if narrow is not None:
        kept = narrow(set(found.values()))
        found = {position: record_id for position, record_id in found.items() if record_id in kept}
    page = list(found)[question.offset : question.offset + question.limit]
    located = Located(
        reader,
        replace(question, offset=0, limit=max(len(page), 1)),
        publication,
        len(found),
        page,
        publication,
    )
    text, _ = read(located, "")
    return Seen(json.loads(b"[%s]" % text), len(found))


def real_id(reader: Reader, question: Question) -> str:
    """The sourcedId in the roster of the one record that the question names as its reader knows it."""
    return turned(reader, question).parents[-1]


def _found(reader: Reader, question: Question) -> tuple[int, dict[int, int]]:
    """The publication, and {position: record id} in the order asked for; tombstones are left out. Again if the publication was
    replaced meanwhile.
    """
    while True:
        publication = _current(reader)
        if not publication:
            return 0, {}
        with connection.cursor() as cursor:
            found = positions(cursor, reader, question, publication)
        living = _record_ids(reader, str(question.operation.collection), found)
        if _current(reader) == publication:
            return publication, {place: living[place] for place in found if place in living}


def _current(reader: Reader) -> int:
    rows = fetch(connection, "SELECT publication FROM store_district WHERE id = %s", [reader.district_id])
    return int(rows[0][0]) if rows else 0


def _record_ids(reader: Reader, collection: str, places: Sequence[int]) -> dict[int, int]:
    """{position: record id} of those that are alive."""
    table, view = (
        ("store_served", "") if reader.view_id == WHOLE_ROSTER else ("store_viewrow", "AND view_id = %s")
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT position, record_id FROM {table} WHERE district_id = %s AND collection = %s AND to_publication = %s {view}
                AND {among(cursor, "position")} AND NOT gone""",
            [
                reader.district_id,
                NUMBER_OF[collection],
                FOREVER,
                *([reader.view_id] if view else []),
                many(cursor, places),
            ],
        )
        return dict(cursor.fetchall())


def at_schools(district_id: int, collection: str, schools: Collection[int]) -> Narrow:
    """Keeps people who have a role or a class at one of these schools, and classes of theirs. Everything else is kept whole."""

    def narrow(ids: Collection[int]) -> set[int]:
        if collection not in OF_SCHOOLS:
            return set(ids)
        with connection.cursor() as cursor:
            kept: set[int] = set()
            for statement, school in OF_SCHOOLS[collection]:
                asked = statement.format(mine=among(cursor, "o.id"), there=among(cursor, school))
                cursor.execute(asked, [district_id, many(cursor, ids), many(cursor, schools)])
                kept.update(row[0] for row in cursor.fetchall())
        return kept

    return narrow


OF_SCHOOLS = {
    "users": (
        (
            """SELECT o.id FROM store_user o JOIN store_role x ON x.district_id = o.district_id AND x.user_id = o.id
               WHERE o.district_id = %s AND {mine} AND x.status = 'active' AND {there}""",
            "x.org_id",
        ),
        (
            """SELECT o.id FROM store_user o JOIN store_enrollment e ON e.district_id = o.district_id AND e.user_id = o.id
               JOIN store_class k ON k.district_id = e.district_id AND k.id = e.class_id
               WHERE o.district_id = %s AND {mine} AND e.status = 'active' AND {there}""",
            "k.school_id",
        ),
    ),
    "classes": (
        ("SELECT o.id FROM store_class o WHERE o.district_id = %s AND {mine} AND {there}", "o.school_id"),
    ),
}
"""How the schools of a record are known: a statement, and the column of the school in it."""
