"""The accepted snapshot that belongs to the roster as it is: from the shelf, or made anew from the rows where the shelf has another."""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection as database
from django.db.models import QuerySet

from rollbook.engine.accepted import parquet_of, rebuild_accepted, scan
from rollbook.engine.reading import reader
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.spec import Field
from rollbook.store import shelf
from rollbook.store.bulk import among, batches, many
from rollbook.store.columns import column_of
from rollbook.store.models import RECORDS, Connection

CHUNK = 5_000
KEYS = ("id", "source_id", "status", "metadata")


def accepted_for(connection: Connection, generation: int) -> Path:
    """The folder of the accepted snapshot of this generation; empty before the first delivery."""
    folder = shelf.accepted_folder(connection, generation)
    if folder.exists():
        return folder
    making = folder.with_name(f"{folder.name}.{uuid4().hex}.making")
    making.mkdir(parents=True, mode=0o700)
    ids = _SourceIds(connection)
    for collection in LOAD_ORDER if generation else ():
        rebuild_accepted(making, collection, _rows(connection, collection, ids))
    try:
        making.rename(folder)
    except OSError:  # somebody else was faster, with the same
        shutil.rmtree(making)
    return folder


def owned_ids(connection: Connection, generation: int, collection: str) -> list[int]:
    """The record ids of all that a connection owns of a collection, deleted too; read beside the roster, whose rows have no index for it."""
    stored = parquet_of(accepted_for(connection, generation), collection)
    if stored is None:
        return []
    with reader("256MB", 1) as db:
        return [number for (number,) in db.execute(f"SELECT record_id FROM {scan(stored)}").fetchall()]


def begin_owning_nothing(connection: Connection, generation: int) -> None:
    """A connection that was made just now has no records: they need not be looked for."""
    shelf.accepted_folder(connection, generation).mkdir(parents=True, exist_ok=True, mode=0o700)


class _SourceIds:
    """How this connection names referenced records, by record id: its own as delivered, those of other connections as served.

    Its own are read once a collection, when first asked for; those of others as they are met.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.of = cache(self._read_own)

    def learn(self, collection: str, numbers: Iterable[int]) -> None:
        """Reads what is not known yet of these records."""
        names = self.of(collection)
        missing = sorted({number for number in numbers if number not in names})
        for some in batches(missing, CHUNK):
            others = self._records(collection).filter(id__in=some)
            names.update(others.values_list("id", "sourced_id"))

    def _read_own(self, collection: str) -> dict[int, str]:
        own = self._records(collection).filter(connection_id=self._connection.pk)
        return dict(own.values_list("id", "source_id"))

    def _records(self, collection: str) -> QuerySet[Any]:
        return RECORDS[collection]._default_manager.filter(district=self._connection.district_id)


def delivered(connection: Connection, collection: str, record_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Some records of a connection as it would deliver them: record_id, source_id, status, metadata and the canonical fields."""
    return _rows(connection, collection, _SourceIds(connection), record_ids)


def _rows(
    connection: Connection, collection: str, ids: _SourceIds, only: Sequence[int] | None = None
) -> Iterator[dict[str, Any]]:
    fields = COLLECTION[collection].fields
    columns = [column_of(field.name) for field in fields]
    selected = ", ".join(f'"{column}"' for column in [*KEYS, *columns])
    last = 0
    while True:
        with database.cursor() as cursor:
            chosen = "" if only is None else f"AND {among(cursor, 'id')}"
            cursor.execute(
                f"""SELECT {selected} FROM {RECORDS[collection]._meta.db_table}
                    WHERE district_id = %s AND connection_id = %s AND id > %s {chosen} ORDER BY id LIMIT {CHUNK}""",
                [
                    connection.district_id,
                    connection.pk,
                    last,
                    *([] if only is None else [many(cursor, only)]),
                ],
            )
            found = cursor.fetchall()
        if not found:
            return
        last = found[-1][0]
        for place, field in enumerate(fields, len(KEYS)):
            if field.is_reference:
                ids.learn(field.target or "", _referred(field, [row[place] for row in found]))
        for record_id, source_id, status, metadata, *values in found:
            row = {"record_id": record_id, "source_id": source_id, "status": status, "metadata": metadata}
            for field, value in zip(fields, values, strict=True):
                row[field.name] = _delivered(field, value, ids)
            yield row


def _referred(field: Field, values: Iterable[Any]) -> Iterator[int]:
    """The record ids in a reference column."""
    for value in values:
        if value is not None:
            yield from json.loads(value) if field.is_list else [value]


def _delivered(field: Field, value: Any, ids: _SourceIds) -> Any:
    """A stored value as it was delivered: references as source ids, lists as lists."""
    if value is None:
        return None
    if field.is_reference:
        named = ids.of(field.target)
        return [named[number] for number in json.loads(value)] if field.is_list else named[value]
    if field.is_list:
        return json.loads(value)
    return bool(value) if field.type == "boolean" else value
