"""Plans as they are looked at: their changes a page at a time, searched and narrowed, field by field. Nothing is written."""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.reading import reader as opened
from rollbook.engine.report import harmless

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

GROUPS = {
    "added": ("create", "restore"),
    "changed": ("update", "relink"),
    "removed": ("delete", "archive"),
}
"""Actions that may be asked for by one word."""

NO_SCHOOL = "-"
"""What stands for no school where one is asked for."""

HIDDEN = "•••"
CSV_HEADING = [
    "number",
    "collection",
    "action",
    "sourcedId",
    "field",
    "before",
    "after",
    "reason",
    "file",
    "line",
]

COLUMNS = "number, collection, action, record_id, source_id, before, after, changed, reason, file, line"


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
    record_id: int
    source_id: str
    differences: tuple[Difference, ...]
    reason: str
    file: str
    line: int | None


@dataclass(frozen=True)
class Narrow:
    """Which changes are meant; what is empty leaves all. `action` is one, or a word of GROUPS; `search` is looked for in ids and values.

    `school` is a delivered id, or NO_SCHOOL; it needs `schools`, the file of `store.plan_schools`.
    """

    collection: str = ""
    action: str = ""
    search: str = ""
    school: str = ""
    schools: Path | None = None


ALL = Narrow()


def find_changes(plan: Path, narrow: Narrow = ALL, *, after: int = 0, limit: int = 50) -> list[PlannedChange]:
    """Changes in the order of the plan, from behind number `after` on."""
    where, values = _narrowed(narrow)
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


def find_change(plan: Path, number: int) -> PlannedChange | None:
    """The change of this number."""
    found = find_changes(plan, after=number - 1, limit=1)
    return found[0] if found and found[0].number == number else None


def every_change(plan: Path, narrow: Narrow = ALL) -> Iterator[PlannedChange]:
    """All of them, as a stream."""
    where, values = _narrowed(narrow)
    with _reader() as reader:
        rows = reader.execute(
            f"SELECT {COLUMNS} FROM read_parquet(?) WHERE true {where} ORDER BY number", [str(plan), *values]
        )
        while batch := rows.fetchmany(5_000):
            yield from map(_change, batch)


def masked(change: PlannedChange) -> PlannedChange:
    """The change without what demographics say."""
    if change.collection != "demographics" or change.action == "relink":
        return change
    hidden = (
        replace(one, before=one.before and HIDDEN, after=one.after and HIDDEN) for one in change.differences
    )
    return replace(change, differences=tuple(hidden))


def csv_rows(plan: Path, narrow: Narrow = ALL) -> Iterator[list[str]]:
    """The rows of a CSV of changes, one a field, the heading first; demographics are masked, and no cell is a formula to a spreadsheet."""
    yield CSV_HEADING
    for change in every_change(plan, narrow):
        head = [str(change.number), change.collection, change.action, change.source_id]
        tail = [change.reason, change.file, str(change.line or "")]
        for one in masked(change).differences:
            yield [harmless(cell) for cell in (*head, one.field, one.before, one.after, *tail)]


def grouped(actions: Mapping[str, int]) -> dict[str, int]:
    """Counts by action as counts by the words of GROUPS, without what is nothing."""
    counts = {group: sum(actions.get(one, 0) for one in members) for group, members in GROUPS.items()}
    return {group: number for group, number in counts.items() if number}


def _reader() -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return opened("512MB", 2)


def _narrowed(narrow: Narrow) -> tuple[str, list[Any]]:
    """SQL behind WHERE, and its values. Demographics are never searched by what they say."""
    where = ""
    values: list[Any] = []
    if narrow.collection:
        where += " AND collection = ?"
        values.append(narrow.collection)
    if narrow.action:
        where += " AND list_contains(?, action)"
        values.append(list(GROUPS.get(narrow.action, (narrow.action,))))
    if narrow.school and narrow.schools:
        right = "school IS NULL" if narrow.school == NO_SCHOOL else "school = ?"
        where += f" AND number IN (SELECT number FROM read_parquet(?) WHERE {right})"
        values += (
            [str(narrow.schools)] if narrow.school == NO_SCHOOL else [str(narrow.schools), narrow.school]
        )
    if narrow.search:
        where += (
            " AND (contains(lower(source_id), ?) OR (collection <> 'demographics'"
            f" AND contains(lower(concat_ws(chr(31), {_values('before')}, {_values('after')})), ?)))"
        )
        values += [narrow.search.lower(), narrow.search.lower()]
    return where, values


def _values(record: str) -> str:
    """SQL: what the fields of a JSON object say, without their names."""
    return f"array_to_string(json_extract_string({record}, '$.*'), chr(31))"


def _change(row: tuple[Any, ...]) -> PlannedChange:
    number, collection, action, record_id, source_id, before, after, changed, reason, file, line = row
    was, will = json.loads(before) if before else {}, json.loads(after) if after else {}
    names = json.loads(changed) if changed else list(will or was)
    if action == "restore":
        # It was gone: all of it comes back, and what it said before counts only where it says something else now.
        was, names = {name: was.get(name) for name in names}, list(will)
    differences = (Difference(name, _text(was.get(name)), _text(will.get(name))) for name in names)
    shown = tuple(one for one in differences if one.before or one.after)
    return PlannedChange(number, collection, action, record_id, source_id, shown, reason, file, line)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
