"""What a choice of orgs, courses or classes comes to in the roster as it is now: record ids of active records, queries answered anew each time.

The values that a query compares never become a part of SQL: its records are read, and `engine.choosing` decides.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.engine.choosing import METADATA, Query, is_chosen
from rollbook.engine.scope import Choice
from rollbook.oneroster.collections import COLLECTION
from rollbook.oneroster.spec import Field
from rollbook.store.bulk import among, many
from rollbook.store.columns import column_of
from rollbook.store.models import RECORDS


def chosen(cursor: CursorWrapper, district_id: int, collection: str, choice: Choice) -> set[int]:
    """The active records of `collection` that the choice chooses."""
    if choice.is_nothing:
        return set()
    active = _active(cursor, district_id, collection)
    if choice.all:
        return active
    found = set(choice.ids) & active
    if choice.below:
        found |= _with_below(parents_of(cursor, district_id), set(choice.below) & active)
    return found | set(found_by(cursor, district_id, collection, choice.queries))


def _active(cursor: CursorWrapper, district_id: int, collection: str) -> set[int]:
    cursor.execute(
        f"SELECT id FROM {RECORDS[collection]._meta.db_table} WHERE district_id = %s AND status = 'active'",
        [district_id],
    )
    return {row[0] for row in cursor.fetchall()}


def taught(cursor: CursorWrapper, district_id: int, classes: Iterable[int]) -> list[tuple[int, int, int]]:
    """(class, course, school) of those of these classes that are active, as are their course and school."""
    cursor.execute(
        f"""SELECT k.id, k.course_id, k.school_id FROM store_class k
            JOIN store_course c ON c.district_id = k.district_id AND c.id = k.course_id AND c.status = 'active'
            JOIN store_org o ON o.district_id = k.district_id AND o.id = k.school_id AND o.status = 'active'
            WHERE k.district_id = %s AND k.status = 'active' AND {among(cursor, "k.id")}""",
        [district_id, many(cursor, classes)],
    )
    return cursor.fetchall()


# --- The tree of orgs ------------------------------------------------------------------------------------------------------------------


def parents_of(cursor: CursorWrapper, district_id: int) -> dict[int, int | None]:
    """Every active org with its parent, None where that is not active or there is none."""
    cursor.execute(
        "SELECT id, parent_id FROM store_org WHERE district_id = %s AND status = 'active'", [district_id]
    )
    rows = dict(cursor.fetchall())
    return {org: parent if parent in rows else None for org, parent in rows.items()}


def ancestors(parents: Mapping[int, int | None], orgs: Iterable[int]) -> set[int]:
    """The orgs above these, without them; a circle of parents ends where it closes."""
    found, known = set(), set(orgs)
    for org in known:
        above = parents.get(org)
        while above is not None and above not in found:
            found.add(above)
            above = parents.get(above)
    return found - known


def _with_below(parents: Mapping[int, int | None], orgs: set[int]) -> set[int]:
    children: dict[int, list[int]] = defaultdict(list)
    for org, parent in parents.items():
        if parent is not None:
            children[parent].append(org)
    found, waiting = set(orgs), list(orgs)
    while waiting:
        below = [child for child in children[waiting.pop()] if child not in found]
        found.update(below)
        waiting += below
    return found


# --- Queries ---------------------------------------------------------------------------------------------------------------------------


def found_by(
    cursor: CursorWrapper, district_id: int, collection: str, queries: Sequence[Query]
) -> Iterator[int]:
    """The active records that at least one of the queries finds."""
    if not queries:
        return
    asked = {condition.field for query in queries for condition in query}
    for record_id, record in _records(cursor, district_id, collection, asked):
        if is_chosen(queries, record):
            yield record_id


def _records(
    cursor: CursorWrapper, district_id: int, collection: str, asked: set[str]
) -> Iterator[tuple[int, dict[str, Sequence[str]]]]:
    """Every active record with the values of the fields asked for; references as served ids."""
    fields = [field for field in COLLECTION[collection].fields if field.name in asked]
    columns = ["id", "sourced_id", "metadata", *(column_of(field.name) for field in fields)]
    cursor.execute(
        f"""SELECT {", ".join(f'"{column}"' for column in columns)} FROM {RECORDS[collection]._meta.db_table}
            WHERE district_id = %s AND status = 'active' ORDER BY id""",
        [district_id],
    )
    rows = cursor.fetchall()
    named = {field.target: _served_ids(cursor, district_id, field) for field in fields if field.is_reference}
    for record_id, sourced_id, metadata, *values in rows:
        record: dict[str, Sequence[str]] = {"sourcedId": [sourced_id]}
        for field, value in zip(fields, values, strict=True):
            record[field.name] = _texts(field, value, named.get(field.target))
        if metadata:
            record |= {METADATA + name: [_text(one)] for name, one in json.loads(metadata).items()}
        yield record_id, record


def _served_ids(cursor: CursorWrapper, district_id: int, field: Field) -> dict[int, str]:
    cursor.execute(
        f"SELECT id, sourced_id FROM {RECORDS[str(field.target)]._meta.db_table} WHERE district_id = %s",
        [district_id],
    )
    return dict(cursor.fetchall())


def _texts(field: Field, value: Any, named: Mapping[int, str] | None) -> Sequence[str]:
    if value is None or value == "":
        return ()
    if named is not None:
        numbers = json.loads(value) if field.is_list else [value]
        return [named[number] for number in numbers if number in named]
    return [str(one) for one in json.loads(value)] if field.is_list else [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
