"""Plans as they are looked at: their changes a page at a time, searched and narrowed, field by field. Nothing is written."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

FIRST_ACTIONS = ("delete", "update", "restore", "create", "relink")
FIRST_COLLECTIONS = (
    "users",
    "enrollments",
    "classes",
    "orgs",
    "courses",
    "academicSessions",
    "roles",
    "userProfiles",
    "demographics",
)
"""What a reader looks for first."""

COLUMNS = "number, collection, action, source_id, before, after, changed, reason, file, line"


@dataclass(frozen=True)
class Difference:
    """One field of a change; empty where there is no value."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class PlannedChange:
    """One change of a plan. `line` is None where no line of a file says it."""

    number: int
    collection: str
    action: str
    source_id: str
    differences: tuple[Difference, ...]
    reason: str
    file: str
    line: int | None


def find_changes(
    plan: Path, *, collection: str = "", action: str = "", search: str = "", after: int = 0, limit: int = 50
) -> list[PlannedChange]:
    """Changes in the order of the plan, from behind number `after` on; `search` is looked for in ids and values, whatever the case."""
    where, values = _narrowed(collection, action, search)
    with _reader() as reader:
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM read_parquet(?) WHERE number > ? {where} ORDER BY number LIMIT ?",
            [str(plan), after, *values, limit],
        ).fetchall()
    return [_change(row) for row in rows]


def first_changes(plan: Path, limit: int) -> list[PlannedChange]:
    """Some changes of every kind, removals and people in front."""
    with _reader() as reader:
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM read_parquet(?)"
            " QUALIFY row_number() OVER (PARTITION BY action, collection ORDER BY number) <= 3"
            " ORDER BY list_position(?, action), list_position(?, collection), number LIMIT ?",
            [str(plan), list(FIRST_ACTIONS), list(FIRST_COLLECTIONS), limit],
        ).fetchall()
    return [_change(row) for row in rows]


def every_change(
    plan: Path, *, collection: str = "", action: str = "", search: str = ""
) -> Iterator[PlannedChange]:
    """All of them, as a stream."""
    where, values = _narrowed(collection, action, search)
    with _reader() as reader:
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM read_parquet(?) WHERE true {where} ORDER BY number", [str(plan), *values]
        )
        while batch := rows.fetchmany(5_000):
            yield from map(_change, batch)


def _reader() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"memory_limit": "512MB", "threads": 2})


def _narrowed(collection: str, action: str, search: str) -> tuple[str, list[Any]]:
    """SQL behind WHERE, and its values. Demographics are never searched by what they say."""
    where, values = "", []
    for column, value in (("collection", collection), ("action", action)):
        if value:
            where += f" AND {column} = ?"
            values.append(value)
    if search:
        where += (
            " AND (contains(lower(source_id), ?) OR (collection <> 'demographics'"
            " AND contains(lower(concat_ws(' ', before, after)), ?)))"
        )
        values += [search.lower(), search.lower()]
    return where, values


def _change(row: tuple[Any, ...]) -> PlannedChange:
    number, collection, action, source_id, before, after, changed, reason, file, line = row
    was, will = json.loads(before) if before else {}, json.loads(after) if after else {}
    names = json.loads(changed) if changed else list(will or was)
    differences = (Difference(name, _text(was.get(name)), _text(will.get(name))) for name in names)
    shown = tuple(one for one in differences if one.before or one.after)
    return PlannedChange(number, collection, action, source_id, shown, reason, file, line)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
