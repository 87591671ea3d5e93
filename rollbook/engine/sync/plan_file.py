"""A plan on the shelf: operations as rows of one Parquet file, in their order. It is written once, read as a stream, and searched by others."""

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.accepted import PARQUET
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal, name, words
from rollbook.engine.sync.operations import Operation, Remark, fields_json, fields_of

OPERATIONS, REMARKS = "operations.parquet", "remarks.parquet"
COLUMNS = (
    "number",
    "action",
    "kind",
    "source_id",
    "target",
    "before",
    "after",
    "changed",
    "reason",
    "base",
    "at",
    "grp",
    "bundle",
    "version",
    "line",
)
OF_REMARKS = ("kind", "source_id", "code", "field", "line")
NUMBERS = frozenset({"number", "line"})
MEMORY = "256MB"
CHUNK = 20_000
LONGEST_LINE = 8 << 20
READ_BUFFER = 2 * LONGEST_LINE
"""Of the text of a plan that is read at a time: left to itself, the reader takes sixteen of the longest lines, twice, which is all there is."""

NO_TEXT = "\x01\x02\x03"
"""What would stand for NULL: no value does, for nothing is empty text."""


class PlanWriter:
    """Takes operations one by one, numbered from 1 on; `close` leaves `operations.parquet` in the folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / OPERATIONS
        self._text = folder / "operations.csv"
        self._file = self._text.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        self._rows.writerow(COLUMNS)

    def __call__(self, operation: Operation) -> None:
        self._rows.writerow(_row(operation))

    def close(self) -> None:
        self._file.close()
        _as_parquet(self._text, COLUMNS, self.path)


def write_remarks(folder: Path, remarks: Iterable[Remark]) -> Path:
    """Leaves `remarks.parquet` (kind, source_id, code, field, line) in the folder."""
    text, path = folder / "remarks.csv", folder / REMARKS
    with text.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(OF_REMARKS)
        rows.writerows([one.kind, one.source_id, one.code, one.field, one.line] for one in remarks)
    _as_parquet(text, OF_REMARKS, path)
    return path


def read_remarks(path: Path) -> Iterator[Remark]:
    """The remarks, by kind and code."""
    with _reader(path.parent) as db:
        rows = db.execute(f"SELECT {', '.join(OF_REMARKS)} FROM {_scan(path)} ORDER BY kind, code, source_id")
        while some := rows.fetchmany(CHUNK):
            yield from (Remark(*row) for row in some)


def read_plan(path: Path, after: int = 0) -> Iterator[Operation]:
    """The operations behind the number `after`, in their order, a few at a time."""
    with _reader(path.parent) as db:
        last = _numbers(db, path)
        for begin in range(after, last, CHUNK):
            yield from _found(db, path, f"number > {begin} AND number <= {begin + CHUNK}")


def operations_of(path: Path, records: Iterable[tuple[str, str]]) -> Iterator[Operation]:
    """The operations on these records (kind, and target handle or sourcedId), in their order."""
    wanted = [{"kind": kind, "record": record} for kind, record in records]
    with _reader(path.parent) as db:
        db.execute("CREATE TEMP TABLE wanted (kind VARCHAR, record VARCHAR)")
        if wanted:
            db.execute(
                "INSERT INTO wanted SELECT one.kind, one.record FROM (SELECT unnest(?::STRUCT(kind VARCHAR, record VARCHAR)[]) AS one)",
                [wanted],
            )
        yield from _found(db, path, "(kind, target) IN (FROM wanted) OR (kind, source_id) IN (FROM wanted)")


def sample_of(path: Path, size: int, actions: Iterable[str]) -> list[tuple[str, str]]:
    """Some of the records (kind, target handle) that operations of these actions are about, spread over the whole plan."""
    with _reader(path.parent) as db:
        chosen = db.execute(
            f"SELECT kind, target FROM (SELECT DISTINCT kind, target FROM {_scan(path)}"
            f" WHERE action IN {words(tuple(actions))}) ORDER BY md5(concat(kind, '|', target)) LIMIT {size}"
        ).fetchall()
    return [(str(kind), str(target)) for kind, target in chosen]


def numbers_by(path: Path, column: str) -> dict[str, int]:
    """How many operations there are of each value of `column`."""
    with _reader(path.parent) as db:
        return dict(db.execute(f"SELECT {name(column)}, count(*) FROM {_scan(path)} GROUP BY 1").fetchall())


def repeated(path: Path) -> dict[tuple[str, str], int]:
    """The records (kind, target handle) that several operations are about, with the number of the first of these."""
    with _reader(path.parent) as db:
        found = db.execute(
            f"SELECT kind, target, min(number) FROM {_scan(path)} GROUP BY kind, target HAVING count(*) > 1"
        ).fetchall()
    return {(kind, target): number for kind, target, number in found}


def _row(operation: Operation) -> list[Any]:
    return [
        operation.number,
        operation.action,
        operation.kind,
        operation.source_id,
        operation.target,
        fields_json(operation.before) if operation.before else "",
        fields_json(operation.after) if operation.after else "",
        ",".join(operation.changed),
        operation.reason,
        fields_json(operation.base) if operation.base else "",
        json.dumps(operation.at, ensure_ascii=False) if operation.at else "",
        operation.group,
        operation.bundle,
        operation.version,
        operation.line,
    ]


def operation_of(row: tuple[Any, ...]) -> Operation:
    """The operation of a row of the file, its columns in the order of COLUMNS. Written out, for a plan may have a million."""
    (
        number,
        action,
        kind,
        source_id,
        target,
        before,
        after,
        changed,
        reason,
        base,
        at,
        group,
        bundle,
        version,
        line,
    ) = row
    return Operation(
        number,
        action,
        kind,
        source_id,
        target,
        fields_of(before) if before else {},
        fields_of(after) if after else {},
        _names(changed),
        reason,
        fields_of(base) if base else {},
        tuple(json.loads(at)) if at else (),
        group,
        bundle,
        version,
        line,
    )


@lru_cache(10_000)
def _names(text: str) -> tuple[str, ...]:
    """The same few stand in very many rows."""
    return tuple(filter(None, text.split(",")))


def _found(db: duckdb.DuckDBPyConnection, path: Path, condition: str) -> Iterator[Operation]:
    selected = ", ".join(map(name, COLUMNS))
    rows = db.execute(f"SELECT {selected} FROM {_scan(path)} WHERE {condition} ORDER BY number")
    while some := rows.fetchmany(CHUNK):
        yield from map(operation_of, some)


def _numbers(db: duckdb.DuckDBPyConnection, path: Path) -> int:
    return int(db.execute(f"SELECT coalesce(max(number), 0) FROM {_scan(path)}").fetchall()[0][0])


def _as_parquet(text: Path, columns: Iterable[str], path: Path) -> None:
    """The rows of a CSV file of ours, in their order; the file goes."""
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    source = (
        f"read_csv({literal(str(text))}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"',"
        f" nullstr = '{NO_TEXT}', max_line_size = {LONGEST_LINE}, buffer_size = {READ_BUFFER}, columns = {{{types}}})"
    )
    selected = ", ".join(
        f"{name(column)}::BIGINT AS {name(column)}" if column in NUMBERS else name(column)
        for column in columns
    )
    with _reader(path.parent) as db:
        db.execute(f"COPY (SELECT {selected} FROM {source}) TO {literal(str(path))} {PARQUET}")
    text.unlink()


def _scan(path: Path) -> str:
    return f"read_parquet({literal(str(path))})"


def _reader(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return reader(MEMORY, 1, folder)
