"""What a plan would write: its changes by collection, and each as a row of its table.

A plan is the Parquet of `engine.plan`: one row a change, with the canonical record after it and the record ids of its references.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from rollbook.engine.reading import reader
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.folding import fold
from rollbook.oneroster.spec import Field
from rollbook.store.columns import column_of
from rollbook.store.finished import literal
from rollbook.store.models import RECORDS, Connection
from rollbook.store.pouring import fetched

MEMORY = "512MB"

RELINKS, CREATES, UPDATES, DELETES = ("relink",), ("create",), ("update", "restore"), ("delete",)


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


def opened(plan: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """Puts beside the plan what does not fit into memory."""
    return reader(MEMORY, 2, plan.parent)


def parts_of(db: duckdb.DuckDBPyConnection, plan: Path) -> list[Part]:
    """All that the plan does, asked once: most plans have nothing for most collections."""
    found = db.execute(
        f"""SELECT collection, action, filename, min(record_id) AS first, max(record_id), count(*)
            FROM read_parquet({literal(str(plan))}, filename = true) GROUP BY ALL ORDER BY first"""
    )
    return [
        Part(collection, action, Path(file), *numbers)
        for collection, action, file, *numbers in found.fetchall()
    ]


def widths(db: duckdb.DuckDBPyConnection, plan: Path) -> dict[Path, float]:
    """By file, the bytes of one change: of the record and of what it refers to."""
    found = db.execute(
        """SELECT file_name, sum(total_uncompressed_size) FILTER (path_in_schema IN ('after', 'refs'))
                / sum(row_group_num_rows) FILTER (path_in_schema = 'after')
            FROM parquet_metadata(?) GROUP BY 1""",
        [str(plan / "*.parquet" if plan.is_dir() else plan)],
    )
    return {Path(file): width for file, width in found.fetchall()}


def touched(parts: Iterable[Part], actions: Sequence[str]) -> list[str]:
    """The collections with such changes, in load order."""
    there = {part.collection for part in parts if part.action in actions}
    return [collection for collection in LOAD_ORDER if collection in there]


def created_by(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """What creates records, by collection, in the order of ids.

    The largest collection comes last: while it is put together, no other answer needs the memory that it needs itself.
    """
    created: dict[str, list[Part]] = {}
    for part in parts:
        if part.action in CREATES:
            created.setdefault(part.collection, []).append(part)
    return {
        collection: created[collection]
        for collection in sorted(created, key=lambda one: total_of(created[one]))
    }


def total_of(parts: Iterable[Part]) -> int:
    return sum(part.number for part in parts)


def chosen(
    db: duckdb.DuckDBPyConnection,
    plan: Path,
    columns: str,
    collection: str,
    actions: Sequence[str],
    also: str = "",
) -> duckdb.DuckDBPyConnection:
    marks = ", ".join("?" * len(actions))
    return db.execute(
        f"SELECT {columns} FROM read_parquet(?) WHERE collection = ? AND action IN ({marks}) {also}",
        [str(plan), collection, *actions],
    )


def changes_of(
    db: duckdb.DuckDBPyConnection, plan: Path, collection: str, actions: Sequence[str], also: str = ""
) -> Iterator[Change]:
    rows = chosen(db, plan, "record_id, source_id, after, refs", collection, actions, also)
    for row in fetched(rows):
        yield _change(*row)


def _change(record_id: int, source_id: str, after: str, refs: str | None) -> Change:
    return Change(record_id, source_id, json.loads(after), json.loads(refs) if refs else {})


def changes_of_few(
    db: duckdb.DuckDBPyConnection, plan: Path, collections: Sequence[str]
) -> Iterator[tuple[str, Iterator[Change]]]:
    """What creates records of these collections, which are few, by collection: read at once, for each look at a plan opens all of its files."""
    rows = db.execute(
        "SELECT collection, record_id, source_id, after, refs FROM read_parquet(?)"
        " WHERE action IN ? AND collection IN ? ORDER BY list_position(?, collection), record_id",
        [str(plan), CREATES, collections, collections],
    )
    for collection, some in groupby(fetched(rows), key=itemgetter(0)):
        yield collection, (_change(*row) for _, *row in some)


def ids_of(db: duckdb.DuckDBPyConnection, plan: Path, collection: str, actions: Sequence[str]) -> list[int]:
    return [row[0] for row in chosen(db, plan, "record_id", collection, actions).fetchall()]


# --- Rows -----------------------------------------------------------------------------------------------------------------------------------


@cache
def fields_of(collection: str) -> tuple[Field, ...]:
    kept = {field.name for field in RECORDS[collection]._meta.get_fields()}
    fields = COLLECTION[collection].fields
    return tuple(field for field in fields if column_of(field.name) in kept)


@cache
def columns_of(collection: str) -> tuple[str, ...]:
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
    for field in fields_of(collection):
        column = column_of(field.name)
        names.append(column)
        if f"{column}_folded" in model:
            names.append(f"{column}_folded")
    return tuple(names)


def rows_of(connection: Connection, collection: str, changes: Iterable[Change]) -> Iterator[tuple[Any, ...]]:
    columns = set(columns_of(collection))
    plan = [(field, f"{column_of(field.name)}_folded" in columns) for field in fields_of(collection)]
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
