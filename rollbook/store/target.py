"""The one hand that writes roster rows, and it writes plans. Nothing else in Rollbook inserts, updates or deletes them.

A plan is the Parquet file of `engine.plan`: one row a change, with the canonical record after it and the record ids of its references.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
from django.db.backends.utils import CursorWrapper

from rollbook.engine.reading import reader as opened
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.folding import fold
from rollbook.oneroster.spec import Field
from rollbook.store.bulk import among, batches, load, many, temporary
from rollbook.store.columns import column_of
from rollbook.store.finished import PLAIN, finished_rows, literal
from rollbook.store.indexing import indexed_afterwards
from rollbook.store.models import RECORDS, Connection
from rollbook.store.pouring import ONE_THREAD, Pour, fetched, pour
from rollbook.store.publishing import Changed

CHUNK = 10_000
MEMORY = "512MB"
MANY = 2_000_000
PIECE = 500_000
"""Where a plan creates more than so many records, the rows of so many ids are put together and in order at a time."""

LOOKED_UP = 20_000
"""Up to so many new ids are looked for one by one."""

FEW = 300
"""So many new records of a collection are made to rows one by one sooner than DuckDB has thought about them."""

RELINKS, CREATES, UPDATES, DELETES = ("relink",), ("create",), ("update", "restore"), ("delete",)

OWNERS = {"users": "userSourcedId", "classes": "classSourcedId", "courses": "courseSourcedId"}
"""The field by which records that are shown inside another say whose they are."""

Written = Callable[[int], None]


class Part(NamedTuple):
    """What one file of a plan does by one action: the first and the last id of the records, and how many they are."""

    collection: str
    action: str
    file: Path
    first: int
    last: int
    number: int


class Change(NamedTuple):
    """One row of a plan, as far as writing needs it."""

    record_id: int
    source_id: str
    after: dict[str, Any]
    refs: dict[str, Any]


def _unheard(number: int) -> None:
    """Nobody listens."""


def apply(cursor: CursorWrapper, connection: Connection, plan: Path, written: Written = _unheard) -> None:
    """Write every change of `plan`, in the caller's transaction, with the basis checked. `written` hears how many were, each time some were."""
    with _reader(plan) as reader:
        parts = _parts(reader, plan)
        for collection in _touched(parts, RELINKS):
            _relink(cursor, connection, collection, reader, plan, written)
        _create(cursor, connection, reader, plan, _created(parts), written)
        for collection in _touched(parts, UPDATES):
            _update(
                cursor, connection, collection, _heard(_changes(reader, plan, collection, UPDATES), written)
            )
        for collection in reversed(_touched(parts, DELETES)):
            _delete(cursor, connection, collection, _ids(reader, plan, collection, DELETES), written)


def _heard(changes: Iterator[Change], written: Written) -> Iterator[Change]:
    number = 0
    for number, change in enumerate(changes, 1):
        yield change
        if number % CHUNK == 0:
            written(CHUNK)
    written(number % CHUNK)


def changed_by(cursor: CursorWrapper, connection: Connection, plan: Path) -> Changed:
    """The record ids that `plan` changes, by collection; owners also where a record was taken from one to be given to another."""
    with _reader(plan) as reader:
        rows = reader.execute(
            "SELECT collection, list(record_id) FROM read_parquet(?) WHERE action <> 'relink' GROUP BY 1",
            [str(plan)],
        ).fetchall()
        owners = _former(reader, plan)
    changed = {collection: set(ids) for collection, ids in rows}
    for owner, names in owners.items():
        changed.setdefault(owner, set()).update(_named(cursor, connection, owner, names))
    return changed


def _former(reader: duckdb.DuckDBPyConnection, plan: Path) -> dict[str, list[str]]:
    """Whom records belonged to that belong to another now."""
    owners = []
    for field in OWNERS.values():
        before, after = f"before->>{literal(field)}", f"after->>{literal(field)}"
        inside = "" if field == "userSourcedId" else "AND collection IN ('classResources', 'courseResources')"
        owners.append(f"list(DISTINCT {before}) FILTER ({before} <> {after} {inside})")
    [found] = reader.execute(
        f"SELECT {', '.join(owners)} FROM read_parquet(?) WHERE action IN ('update', 'restore')", [str(plan)]
    ).fetchall()
    return {owner: names or [] for owner, names in zip(OWNERS, found, strict=True)}


def taken_ids(cursor: CursorWrapper, connection: Connection, plan: Path) -> tuple[str, int] | None:
    """Where a new record of `plan` would be served under an id that another record has: the collection and how many; else None."""
    with _reader(plan) as reader:
        created = _created(_parts(reader, plan))
        for collection in filter(created.__contains__, RECORDS):
            made = _total(created[collection])
            rows = fetched(_select(reader, plan, "source_id", collection, CREATES))
            ids = (connection.prefix + source_id for (source_id,) in rows)
            taken = _looked_up if made <= LOOKED_UP else _held_against_all
            if count := taken(cursor, connection, collection, ids):
                return collection, count
    return None


def _looked_up(cursor: CursorWrapper, connection: Connection, collection: str, ids: Iterable[str]) -> int:
    """How many of these ids are served already, each looked for by the index."""
    table, count = RECORDS[collection]._meta.db_table, 0
    for some in batches(ids, 500):
        cursor.execute(
            f"SELECT count(*) FROM {table} WHERE district_id = %s AND sourced_id IN ({', '.join(['%s'] * len(some))})",
            [connection.district_id, *some],
        )
        count += int(cursor.fetchone()[0])
    return count


def _held_against_all(
    cursor: CursorWrapper, connection: Connection, collection: str, ids: Iterable[str]
) -> int:
    """The same for many: all ids are read that a new record of this connection could meet."""
    cursor.execute(
        f"""SELECT sourced_id FROM {RECORDS[collection]._meta.db_table}
            WHERE district_id = %s AND (connection_id <> %s OR sourced_id <> %s || source_id)""",
        [connection.district_id, connection.pk, connection.prefix],
    )
    taken = {row[0] for row in cursor.fetchall()}
    return sum(one in taken for one in ids) if taken else 0


def _named(
    cursor: CursorWrapper, connection: Connection, collection: str, names: Sequence[str]
) -> Iterator[int]:
    """The records that a connection refers to by these ids: its own as delivered, those of others as served."""
    for some in batches(names, 500):
        marks = ", ".join(["%s"] * len(some))
        cursor.execute(
            f"""SELECT id FROM {RECORDS[collection]._meta.db_table} WHERE district_id = %s AND (connection_id = %s AND source_id IN ({marks})
                OR connection_id <> %s AND sourced_id IN ({marks}))""",
            [connection.district_id, connection.pk, *some, connection.pk, *some],
        )
        yield from (row[0] for row in cursor.fetchall())


def first_free_ids(cursor: CursorWrapper, district_id: int) -> dict[str, int]:
    """The record id that the next new record of each collection gets."""
    free = {}
    for collection, model in RECORDS.items():
        cursor.execute(
            f"SELECT COALESCE(MAX(id), 0) + 1 FROM {model._meta.db_table} WHERE district_id = %s",
            [district_id],
        )
        free[collection] = int(cursor.fetchone()[0])
    return free


# --- Reading a plan -----------------------------------------------------------------------------------------------------------------------


def _reader(plan: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Puts beside the plan what does not fit into memory."""
    return opened(MEMORY, 2, plan.parent)


def _parts(reader: duckdb.DuckDBPyConnection, plan: Path) -> list[Part]:
    """All that the plan does, asked once: most plans have nothing for most collections."""
    found = reader.execute(
        f"""SELECT collection, action, filename, min(record_id) AS first, max(record_id), count(*)
            FROM read_parquet({literal(str(plan))}, filename = true) GROUP BY ALL ORDER BY first"""
    )
    return [
        Part(collection, action, Path(file), *numbers)
        for collection, action, file, *numbers in found.fetchall()
    ]


def _touched(parts: Iterable[Part], actions: Sequence[str]) -> list[str]:
    """The collections with such changes, in load order."""
    there = {part.collection for part in parts if part.action in actions}
    return [collection for collection in LOAD_ORDER if collection in there]


def _created(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """What creates records, by collection, in the order of ids.

    The largest collection comes last: while it is put together, no other answer needs the memory that it needs itself.
    """
    created: dict[str, list[Part]] = {}
    for part in parts:
        if part.action in CREATES:
            created.setdefault(part.collection, []).append(part)
    return {
        collection: created[collection]
        for collection in sorted(created, key=lambda one: _total(created[one]))
    }


def _total(parts: Iterable[Part]) -> int:
    return sum(part.number for part in parts)


def _select(
    reader: duckdb.DuckDBPyConnection,
    plan: Path,
    columns: str,
    collection: str,
    actions: Sequence[str],
    also: str = "",
) -> duckdb.DuckDBPyConnection:
    marks = ", ".join("?" * len(actions))
    return reader.execute(
        f"SELECT {columns} FROM read_parquet(?) WHERE collection = ? AND action IN ({marks}) {also}",
        [str(plan), collection, *actions],
    )


def _changes(
    reader: duckdb.DuckDBPyConnection, plan: Path, collection: str, actions: Sequence[str], also: str = ""
) -> Iterator[Change]:
    rows = _select(reader, plan, "record_id, source_id, after, refs", collection, actions, also)
    for row in fetched(rows):
        yield _change(*row)


def _change(record_id: int, source_id: str, after: str, refs: str | None) -> Change:
    return Change(record_id, source_id, json.loads(after), json.loads(refs) if refs else {})


def _changes_of(
    reader: duckdb.DuckDBPyConnection, plan: Path, collections: Sequence[str]
) -> Iterator[tuple[str, Iterator[Change]]]:
    """What creates records of these collections, which are few, by collection: read at once, for each look at a plan opens all of its files."""
    rows = reader.execute(
        "SELECT collection, record_id, source_id, after, refs FROM read_parquet(?)"
        " WHERE action IN ? AND collection IN ? ORDER BY list_position(?, collection), record_id",
        [str(plan), CREATES, collections, collections],
    )
    for collection, some in groupby(fetched(rows), key=itemgetter(0)):
        yield collection, (_change(*row) for _, *row in some)


def _ids(reader: duckdb.DuckDBPyConnection, plan: Path, collection: str, actions: Sequence[str]) -> list[int]:
    return [row[0] for row in _select(reader, plan, "record_id", collection, actions).fetchall()]


# --- Rows -----------------------------------------------------------------------------------------------------------------------------------


@cache
def _fields(collection: str) -> tuple[Field, ...]:
    kept = {field.name for field in RECORDS[collection]._meta.get_fields()}
    fields = COLLECTION[collection].fields
    return tuple(field for field in fields if column_of(field.name) in kept)


@cache
def _columns(collection: str) -> tuple[str, ...]:
    """Every column written, in the order of `_row`."""
    model = {field.name for field in RECORDS[collection]._meta.get_fields()}
    names = [
        "district_id",
        "id",
        "connection_id",
        "source_id",
        "sourced_id",
        "status",
        "metadata",
        "metadata_folded",
    ]
    if collection == "demographics":
        names.append("user_id")
    for field in _fields(collection):
        column = column_of(field.name)
        names.append(column)
        if f"{column}_folded" in model:
            names.append(f"{column}_folded")
    return tuple(names)


def _rows(connection: Connection, collection: str, changes: Iterable[Change]) -> Iterator[tuple[Any, ...]]:
    columns = set(_columns(collection))
    plan = [(field, f"{column_of(field.name)}_folded" in columns) for field in _fields(collection)]
    for change in changes:
        metadata = _metadata(change.after.get("metadata"))
        row = [
            connection.district_id,
            change.record_id,
            connection.pk,
            change.source_id,
            connection.prefix + change.source_id,
            "active",
            _text(metadata) if metadata else None,
            _text(_folded(metadata)) if metadata else None,
        ]
        if collection == "demographics":
            row.append(change.refs["sourcedId"])
        for field, has_twin in plan:
            value = _value(field, change)
            row.append(value)
            if has_twin:
                row.append(_twin(field, value))
        yield tuple(row)


def _twin(field: Field, value: str | None) -> str | None:
    """The value without case; a list item by item, for folding its JSON could melt an escape into the letter behind it."""
    if value and field.is_list and not value.isascii():
        return json.dumps([fold(item) for item in json.loads(value)], ensure_ascii=False)
    return value and fold(value)


def _metadata(value: Any) -> dict[str, Any] | None:
    """Metadata as an object, whether the plan holds it as one or as its text."""
    found = json.loads(value) if isinstance(value, str) and value else value
    return found or None


def _folded(metadata: dict[str, Any]) -> dict[str, Any]:
    return {name: fold(value) if isinstance(value, str) else value for name, value in metadata.items()}


def _text(metadata: dict[str, Any]) -> str:
    """As DuckDB writes an object."""
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"))


def _value(field: Field, change: Change) -> Any:
    if field.is_reference:
        return _reference(field, change.refs.get(field.name))
    value = change.after.get(field.name)
    if value is None or value == "":
        return None
    if field.type == "boolean":
        return value in (True, "true")
    if field.is_list:
        return json.dumps(value if isinstance(value, list) else value.split(","), ensure_ascii=False)
    return value


def _reference(field: Field, ids: Any) -> Any:
    if not field.is_list:
        return ids
    if not ids:
        return None if field.required == "no" else "[]"
    return json.dumps(ids)


# --- Writing --------------------------------------------------------------------------------------------------------------------------------


def _relink(
    cursor: CursorWrapper,
    connection: Connection,
    collection: str,
    reader: duckdb.DuckDBPyConnection,
    plan: Path,
    written: Written,
) -> None:
    """Let records be delivered under other ids from now on. What is served of them stays."""
    table = RECORDS[collection]._meta.db_table
    rows = _select(reader, plan, "record_id, source_id", collection, ["relink"])
    for some in batches(fetched(rows), CHUNK):
        temporary(cursor, "relinked", "id BIGINT, source_id TEXT")
        load(cursor, "relinked", ("id", "source_id"), some)
        cursor.execute(
            f"""UPDATE {table} SET source_id = n.source_id FROM relinked n
                WHERE {table}.district_id = %s AND {table}.connection_id = %s AND {table}.id = n.id""",
            [connection.district_id, connection.pk],
        )
        written(len(some))


def _create(
    cursor: CursorWrapper,
    connection: Connection,
    reader: duckdb.DuckDBPyConnection,
    plan: Path,
    created: dict[str, list[Part]],
    written: Written,
) -> None:
    """Few records one by one; of many the plain ones as DuckDB puts their rows together, and all others one by one."""
    wanted = {collection: _total(parts) for collection, parts in created.items()}
    few = [collection for collection, number in wanted.items() if number < FEW]
    for collection, changes in _changes_of(reader, plan, few) if few else ():
        _load(cursor, connection, collection, _heard(changes, written))
    _create_many(
        cursor,
        connection,
        reader,
        plan,
        {collection: parts for collection, parts in created.items() if collection not in few},
        written,
    )


def _create_many(
    cursor: CursorWrapper,
    connection: Connection,
    reader: duckdb.DuckDBPyConnection,
    plan: Path,
    created: dict[str, list[Part]],
    written: Written,
) -> None:
    if not created:
        return
    wanted = {collection: _total(parts) for collection, parts in created.items()}
    total = sum(wanted.values())
    pieces = [
        (collection, piece)
        for collection, parts in created.items()
        for part in parts
        for piece in _pieces(connection, part, PIECE if total > MANY else None)
    ]
    reader.execute(ONE_THREAD)
    made: Counter[str] = Counter()
    tables = {RECORDS[collection]._meta.db_table: number for collection, number in wanted.items()}
    with indexed_afterwards(cursor, tables):
        poured = pour(cursor, reader, [piece for _, piece in pieces], written)
        for (collection, _), number in zip(pieces, poured, strict=True):
            made[collection] += number
        for collection, number in wanted.items():
            if made[collection] < number:
                careful = _changes(reader, plan, collection, CREATES, f"AND NOT {PLAIN}")
                _load(cursor, connection, collection, _heard(careful, written))


def _load(cursor: CursorWrapper, connection: Connection, collection: str, changes: Iterable[Change]) -> None:
    rows = _rows(connection, collection, changes)
    load(cursor, RECORDS[collection]._meta.db_table, _columns(collection), rows)


def _pieces(connection: Connection, part: Part, size: int | None) -> Iterator[Pour]:
    """The plain rows of one file, those of `size` ids at a time."""
    collection, columns = part.collection, _columns(part.collection)
    size = size or part.last + 1 - part.first
    for start in range(part.first, part.last + 1, size):
        which = f"record_id BETWEEN {start} AND {start + size - 1}"
        query = finished_rows(connection, collection, _fields(collection), columns, part.file, which)
        yield Pour(RECORDS[collection]._meta.db_table, columns, query)


def _update(
    cursor: CursorWrapper, connection: Connection, collection: str, changes: Iterator[Change]
) -> None:
    table, columns = RECORDS[collection]._meta.db_table, _columns(collection)
    settable = [
        column
        for column in columns
        if column not in ("district_id", "id", "connection_id", "source_id", "sourced_id")
    ]
    for some in batches(changes, CHUNK):
        temporary(cursor, "incoming", _definition(cursor, collection, columns))
        load(cursor, "incoming", columns, _rows(connection, collection, some))
        assignments = ", ".join(f'"{column}" = n."{column}"' for column in settable)
        cursor.execute(
            f"""UPDATE {table} SET {assignments} FROM incoming n
                WHERE {table}.district_id = n.district_id AND {table}.id = n.id"""
        )


def _definition(cursor: CursorWrapper, collection: str, columns: Sequence[str]) -> str:
    model = RECORDS[collection]._meta
    by_column = {field.column: field for field in model.concrete_fields}
    types = {column: by_column[column].db_type(cursor.db) for column in columns}
    return ", ".join(f'"{column}" {kind}' for column, kind in types.items())


def _delete(
    cursor: CursorWrapper, connection: Connection, collection: str, ids: Sequence[int], written: Written
) -> None:
    table = RECORDS[collection]._meta.db_table
    for some in batches(ids, CHUNK):
        cursor.execute(
            f"UPDATE {table} SET status = 'tobedeleted' WHERE district_id = %s AND connection_id = %s AND {among(cursor, 'id')}",
            [connection.district_id, connection.pk, many(cursor, some)],
        )
        written(len(some))
