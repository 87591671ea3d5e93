"""The accepted snapshot that belongs to the roster as it is: from the shelf, or made anew from the rows where the shelf has another."""

import json
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection as database

from rollbook.engine.accepted import rebuild_accepted
from rollbook.oneroster.collections import COLLECTION, LOAD_ORDER
from rollbook.oneroster.spec import Field
from rollbook.store import shelf
from rollbook.store.columns import column_of
from rollbook.store.models import RECORDS, Connection

CHUNK = 5_000


def accepted_for(connection: Connection, generation: int) -> Path:
    """The folder of the accepted snapshot of this generation; empty before the first delivery."""
    folder = shelf.accepted_folder(connection, generation)
    if folder.exists():
        return folder
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True, mode=0o700)
    ids = _SourceIds(connection)
    for collection in LOAD_ORDER if generation else ():
        rebuild_accepted(making, collection, _rows(connection, collection, ids))
    making.rename(folder)
    return folder


class _SourceIds:
    """The delivered ids of referenced records, by record id; each collection is read once, when first asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.of = cache(self._read)

    def _read(self, collection: str) -> dict[int, str]:
        rows = RECORDS[collection].objects.filter(district=self._connection.district_id)
        return dict(rows.values_list("id", "source_id"))


def _rows(connection: Connection, collection: str, ids: _SourceIds) -> Iterator[dict[str, Any]]:
    fields = COLLECTION[collection].fields
    columns = [column_of(field.name) for field in fields]
    selected = ", ".join(f'"{column}"' for column in ["id", "source_id", "status", "metadata", *columns])
    last = 0
    while True:
        with database.cursor() as cursor:
            cursor.execute(
                f"""SELECT {selected} FROM {RECORDS[collection]._meta.db_table}
                    WHERE district_id = %s AND connection_id = %s AND id > %s ORDER BY id LIMIT {CHUNK}""",
                [connection.district_id, connection.pk, last],
            )
            found = cursor.fetchall()
        if not found:
            return
        last = found[-1][0]
        for record_id, source_id, status, metadata, *values in found:
            row = {"record_id": record_id, "source_id": source_id, "status": status, "metadata": metadata}
            for field, value in zip(fields, values, strict=True):
                row[field.name] = _delivered(field, value, ids)
            yield row


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
