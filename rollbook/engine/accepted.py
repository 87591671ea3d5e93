"""The accepted snapshot: what is stored of one connection, as Parquet, one file a collection, so that the next delivery is compared
without asking the database. When it does not belong to the roster any more it is rebuilt from that.

Columns of every file: record_id, source_id, status, line, digest, id_digest, the canonical fields by their CSV 1.2 names, metadata.
All values are text as delivered (references are source ids), empty is NULL, metadata is a JSON object ordered by its keys.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rollbook.engine.reading import reader
from rollbook.engine.sql import literal, name
from rollbook.oneroster.collections import COLLECTION

KEYS = ("record_id", "source_id", "status", "line", "digest", "id_digest")
PARQUET = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 40960)"
SEPARATOR = "chr(31)"
REBUILD_MEMORY = "512MB"


def payload_columns(collection: str) -> tuple[str, ...]:
    """The canonical fields of a collection, metadata last."""
    return (*(field.name for field in COLLECTION[collection].fields), "metadata")


def payload(collection: str) -> str:
    """SQL: the canonical text of a record whose empty fields are empty strings."""
    return f"concat_ws({SEPARATOR}, {', '.join(map(name, payload_columns(collection)))})"


def md5(text: str) -> str:
    """SQL: the md5 of `text` in 16 bytes, which DuckDB reads as one number (so, last byte first) and Parquet keeps as a UUID."""
    return f"md5_number({text})::UUID"


def filled(collection: str) -> str:
    """SQL: the canonical fields, as they are stored, of a record whose empty fields are empty strings."""
    return ", ".join(
        f"nullif({name(column)}, '') AS {name(column)}" for column in payload_columns(collection)
    )


def record_json(side: str, collection: str) -> str:
    """SQL: the canonical record of the row `side` as a JSON object, as plans have it."""
    pairs = [
        f"{literal(column)}: nullif({side}.{name(column)}, '')" + ("::JSON" if column == "metadata" else "")
        for column in payload_columns(collection)
    ]
    return f"to_json({{{', '.join(pairs)}}})::VARCHAR"


def parquet_of(accepted: Path | None, collection: str) -> Path | None:
    """The file of a collection, None where nothing of it was ever accepted."""
    path = accepted / f"{collection}.parquet" if accepted else None
    return path if path and path.exists() else None


def scan(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def rebuild_accepted(folder: Path, collection: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a collection's file from what the database holds.

    A row has record_id, source_id, status and the canonical fields: references as source ids, lists as lists or comma lists, booleans
    as booleans or words, metadata as an object or its text; None is empty. An absent field is empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    columns = ("record_id", "source_id", "status", *payload_columns(collection))
    text = folder / f"{collection}.csv"
    with text.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(columns)
        writer.writerows([_text(column, row.get(column)) for column in columns] for row in rows)
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    source = (
        f"read_csv({literal(str(text))}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
        f" nullstr = '\x01\x02\x03', max_line_size = {8 << 20}, columns = {{{types}}})"
    )
    with reader(REBUILD_MEMORY, 2, folder) as connection:
        connection.execute(
            f"COPY (SELECT record_id::BIGINT AS record_id, source_id, status, NULL::BIGINT AS line,"
            f" {md5(payload(collection))} AS digest, {md5('source_id')} AS id_digest, {filled(collection)} FROM {source})"
            f" TO {literal(str(folder / f'{collection}.parquet'))} {PARQUET}"
        )
    text.unlink()


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    if column == "metadata":
        return metadata_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value)


def metadata_text(value: Any) -> str:
    """Metadata as the snapshot has it: compact, ordered by key, empty where there is none."""
    found = json.loads(value) if isinstance(value, str) and value else value
    if not found:
        return ""
    return json.dumps(dict(sorted(found.items())), ensure_ascii=False, separators=(",", ":"))
