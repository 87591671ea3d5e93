"""The one hand that writes roster rows, and it writes plans. Nothing else in Rollbook inserts, updates or deletes them.

A plan is the Parquet file of `engine.plan`: one row a change, with the canonical record after it and the record ids of its references.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
from django.db.backends.utils import CursorWrapper

from rollbook.store import planned
from rollbook.store.bulk import among, batches, emptied, load, many
from rollbook.store.finished import PLAIN, finished_rows, literal
from rollbook.store.indexing import indexed_afterwards
from rollbook.store.models import RECORDS, Connection
from rollbook.store.planned import CREATES, DELETES, RELINKS, UPDATES, Change, Part
from rollbook.store.pouring import ONE_THREAD, Pour, fetched, pour
from rollbook.store.publishing import Changed

CHUNK = 2_000
"""So many changes are written together; readers can go first between two of them."""

PIECE = 64 << 20
"""So many bytes of a plan at most are put together at a time: in order they take two or three times as much; the next begin meanwhile."""

LOOKED_UP = 20_000
"""Up to so many new ids are looked for one by one."""

TOLD = 3
"""So many ids that are taken are named."""

FEW = 300
"""So many new records of a collection are made to rows one by one sooner than DuckDB has thought about them."""

OWNERS = {"users": "userSourcedId", "classes": "classSourcedId", "courses": "courseSourcedId"}
"""The field by which records that are shown inside another say whose they are."""

Written = Callable[[int], None]


def _unheard(number: int) -> None:
    """Nobody listens."""


def apply(cursor: CursorWrapper, connection: Connection, plan: Path, written: Written = _unheard) -> None:
    """Write every change of `plan`, in the caller's transaction, with the basis checked. `written` hears how many were, each time some were."""
    with planned.opened(plan) as reader:
        parts = planned.parts_of(reader, plan)
        for collection in planned.touched(parts, RELINKS):
            _relink(cursor, connection, collection, reader, plan, written)
        _create(cursor, connection, reader, plan, planned.created_by(parts), written)
        for collection in planned.touched(parts, UPDATES):
            _update(
                cursor,
                connection,
                collection,
                _heard(planned.changes_of(reader, plan, collection, UPDATES), written),
            )
        for collection in reversed(planned.touched(parts, DELETES)):
            _delete(
                cursor, connection, collection, planned.ids_of(reader, plan, collection, DELETES), written
            )


def _heard(changes: Iterator[Change], written: Written) -> Iterator[Change]:
    number = 0
    for number, change in enumerate(changes, 1):
        yield change
        if number % CHUNK == 0:
            written(CHUNK)
    written(number % CHUNK)


def changed_by(cursor: CursorWrapper, connection: Connection, plan: Path) -> Changed:
    """The record ids that `plan` changes, by collection; owners also where a record was taken from one to be given to another."""
    with planned.opened(plan) as reader:
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


class Taken(NamedTuple):
    """Ids of one collection that are served already: how many, and the first of them."""

    collection: str
    number: int
    first: list[str]

    def __str__(self) -> str:
        more = f" and {self.number - len(self.first):,} more" if self.number > len(self.first) else ""
        return f"{self.collection}: {', '.join(self.first)}{more}"


def taken_ids(cursor: CursorWrapper, connection: Connection, plan: Path) -> Taken | None:
    """Where new records of `plan` would be served under ids that other records have, deleted ones too; else None."""
    with planned.opened(plan) as reader:
        created = planned.created_by(planned.parts_of(reader, plan))
        for collection in filter(created.__contains__, RECORDS):
            made = planned.total_of(created[collection])
            rows = fetched(planned.chosen(reader, plan, "source_id", collection, CREATES))
            ids = (connection.prefix + source_id for (source_id,) in rows)
            taken = _looked_up if made <= LOOKED_UP else _held_against_all
            if found := sorted(taken(cursor, connection, collection, ids)):
                return Taken(collection, len(found), found[:TOLD])
    return None


def _looked_up(
    cursor: CursorWrapper, connection: Connection, collection: str, ids: Iterable[str]
) -> Iterator[str]:
    """Those of these ids that are served already, each looked for by the index."""
    table = RECORDS[collection]._meta.db_table
    for some in batches(ids, 500):
        cursor.execute(
            f"SELECT sourced_id FROM {table} WHERE district_id = %s AND sourced_id IN ({', '.join(['%s'] * len(some))})",
            [connection.district_id, *some],
        )
        yield from (row[0] for row in cursor.fetchall())


def _held_against_all(
    cursor: CursorWrapper, connection: Connection, collection: str, ids: Iterable[str]
) -> Iterator[str]:
    """The same for many: all ids are read that a new record of this connection could meet."""
    cursor.execute(
        f"""SELECT sourced_id FROM {RECORDS[collection]._meta.db_table}
            WHERE district_id = %s AND (connection_id <> %s OR sourced_id <> %s || source_id)""",
        [connection.district_id, connection.pk, connection.prefix],
    )
    taken = {row[0] for row in cursor.fetchall()}
    return filter(taken.__contains__, ids)


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
    rows = planned.chosen(reader, plan, "record_id, source_id", collection, ["relink"])
    for some in batches(fetched(rows), CHUNK):
        emptied(cursor, "relinked", "id BIGINT, source_id TEXT")
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
    wanted = {collection: planned.total_of(parts) for collection, parts in created.items()}
    few = [collection for collection, number in wanted.items() if number < FEW]
    for collection, changes in planned.changes_of_few(reader, plan, few) if few else ():
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
    wanted = {collection: planned.total_of(parts) for collection, parts in created.items()}
    width = planned.widths(reader, plan)
    pieces = [
        (collection, piece)
        for collection, parts in created.items()
        for part in parts
        for piece in _pieces(connection, part, max(1, int(PIECE / width[part.file])))
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
                careful = planned.changes_of(reader, plan, collection, CREATES, f"AND NOT {PLAIN}")
                _load(cursor, connection, collection, _heard(careful, written))


def _load(cursor: CursorWrapper, connection: Connection, collection: str, changes: Iterable[Change]) -> None:
    rows = planned.rows_of(connection, collection, changes)
    load(cursor, RECORDS[collection]._meta.db_table, planned.columns_of(collection), rows)


def _pieces(connection: Connection, part: Part, size: int) -> Iterator[Pour]:
    """The plain rows of one file, those of `size` ids at a time."""
    collection, columns = part.collection, planned.columns_of(part.collection)
    for start in range(part.first, part.last + 1, size):
        which = f"record_id BETWEEN {start} AND {start + size - 1}"
        query = finished_rows(
            connection, collection, planned.fields_of(collection), columns, part.file, which
        )
        yield Pour(RECORDS[collection]._meta.db_table, columns, query)


def _update(
    cursor: CursorWrapper, connection: Connection, collection: str, changes: Iterator[Change]
) -> None:
    table, columns = RECORDS[collection]._meta.db_table, planned.columns_of(collection)
    settable = [
        column
        for column in columns
        if column not in ("district_id", "id", "sourced_id")  # what comes back may have been another's
    ]
    incoming = f"incoming_{table}"
    for some in batches(changes, CHUNK):
        emptied(cursor, incoming, _definition(cursor, collection, columns))
        load(cursor, incoming, columns, planned.rows_of(connection, collection, some))
        assignments = ", ".join(f'"{column}" = n."{column}"' for column in settable)
        cursor.execute(
            f"""UPDATE {table} SET {assignments} FROM {incoming} n
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
