"""A plan as it is looked at: its operations and remarks narrowed, searched and counted, a page at a time. `plan_file` has it as a stream.

A page begins behind a number and never counts from the start, so that the last of a million operations is as near as the first.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.reading import reader
from rollbook.engine.sql import name
from rollbook.engine.sync.operations import CREATE, MEMBERS, STATE, Operation, Remark, fields_json
from rollbook.engine.sync.plan_file import COLUMNS, OF_REMARKS, operation_of

MEMORY = "256MB"
CHUNK = 20_000
LONG = 1_000
"""So many numbers at least are one comparison, and not each looked up."""

SELECTED = ", ".join(map(name, COLUMNS))

Ranges = Sequence[tuple[int, int]]
"""Numbers of operations: (first, last) of each run of them."""


@dataclass(frozen=True)
class Narrow:
    """Which operations are meant; what is empty leaves all.

    `search` is looked for in the sourcedId and in what the operation says of its record, without case; or it is about one of `targets`,
    (kind, handle). `moves`: only of members whose sites become others. `within` and `without` are numbers.
    """

    kinds: Sequence[str] = ()
    actions: Sequence[str] = ()
    reason: str = ""
    bundle: str = ""
    moves: bool = False
    search: str = ""
    targets: Sequence[tuple[str, str]] = ()
    within: Ranges | None = None
    without: Ranges | None = None


@dataclass(frozen=True)
class Tally:
    """So many operations of one kind and action. `moves`: of members, whose sites become others. `bundle` as of `Operation`."""

    kind: str
    action: str
    bundle: str
    moves: bool
    number: int


ALL = Narrow()

MOVES = "(kind = 'members' AND action <> 'create' AND list_contains(string_split(changed, ','), 'sites'))"
"""Whether an operation takes a member who is there to other sites."""


def operations(plan: Path, narrow: Narrow = ALL, after: int = 0, limit: int = 50) -> list[Operation]:
    """The operations that are meant, in their order, from behind the number `after` on."""
    with _reader(plan) as db:
        where, values = _narrowed(db, narrow)
        # Only the numbers are sorted: what the operations say is read of those of the page alone.
        rows = db.execute(
            f"SELECT number FROM read_parquet(?) WHERE number > ?{where} ORDER BY number LIMIT {int(limit)}",
            [str(plan), after, *values],
        ).fetchall()
        return _numbered(db, plan, [int(number) for (number,) in rows])


def by_number(plan: Path, numbers: Sequence[int]) -> list[Operation]:
    """The operations of these numbers, in their order."""
    with _reader(plan) as db:
        return _numbered(db, plan, sorted(numbers))


def count(plan: Path, narrow: Narrow = ALL) -> int:
    """How many are meant."""
    with _reader(plan) as db:
        where, values = _narrowed(db, narrow)
        found = db.execute(f"SELECT count(*) FROM read_parquet(?) WHERE true{where}", [str(plan), *values])
        return int(found.fetchall()[0][0])


def tallies(plan: Path, narrow: Narrow = ALL) -> list[Tally]:
    """What the plan does, counted: by kind, action and bundle."""
    with _reader(plan) as db:
        where, values = _narrowed(db, narrow)
        rows = db.execute(
            f"SELECT kind, action, bundle, {MOVES} AS moves, count(*) FROM read_parquet(?) WHERE true{where} GROUP BY ALL ORDER BY ALL",
            [str(plan), *values],
        ).fetchall()
    return [Tally(kind, action, bundle, bool(moved), number) for kind, action, bundle, moved, number in rows]


def reasons(plan: Path) -> dict[str, int]:
    """How often each reason stands in the plan."""
    with _reader(plan) as db:
        return dict(
            db.execute(
                "SELECT reason, count(*) FROM read_parquet(?) WHERE reason <> '' GROUP BY 1 ORDER BY 2 DESC, 1",
                [str(plan)],
            ).fetchall()
        )


def new_in_state(plan: Path, state: str) -> int:
    """How many of the plan's new members begin in this state."""
    said = fields_json({STATE: state})[1:-1]  # a value has its quotes escaped: nothing else reads so
    with _reader(plan) as db:
        found = db.execute(
            "SELECT count(*) FROM read_parquet(?) WHERE kind = ? AND action = ? AND contains(after, ?)",
            [str(plan), MEMBERS, CREATE, said],
        ).fetchall()
    return int(found[0][0])


def targets(plan: Path, narrow: Narrow) -> Iterator[tuple[str, str]]:
    """What the operations that are meant are about: (bundle, handle), as a stream."""
    with _reader(plan) as db:
        where, values = _narrowed(db, narrow)
        rows = db.execute(
            f"SELECT bundle, target FROM read_parquet(?) WHERE true{where}", [str(plan), *values]
        )
        while some := rows.fetchmany(CHUNK):
            yield from ((str(bundle), str(target)) for bundle, target in some)


def names_in(plan: Path, handles: Mapping[str, Sequence[str]]) -> dict[tuple[str, str], Operation]:
    """Of each of these handles {kind: handles} the operation of this plan that says most of its record, if there is one."""
    wanted = [{"kind": kind, "handle": handle} for kind, some in handles.items() for handle in some]
    if not wanted:
        return {}
    with _reader(plan) as db:
        _pairs(db, "wanted", wanted)
        rows = db.execute(
            f"SELECT {SELECTED} FROM read_parquet(?) WHERE (kind, target) IN (FROM wanted)"
            " QUALIFY row_number() OVER (PARTITION BY kind, target ORDER BY length(after) + length(base) DESC, number) = 1",
            [str(plan)],
        ).fetchall()
    return {(one.kind, one.target): one for one in map(operation_of, rows)}


def remarks(
    path: Path, kinds: Sequence[str] = (), code: str = "", search: str = "", after: int = 0, limit: int = 50
) -> list[tuple[int, Remark]]:
    """Remarks with their places in the file, from behind the place `after` on; the first is 1. A search is one of sourcedIds."""
    with _reader(path) as db:
        rows = db.execute(
            f"SELECT * FROM (SELECT file_row_number + 1 AS place, {', '.join(OF_REMARKS)} FROM read_parquet(?, file_row_number = true))"
            " WHERE place > ? AND (? OR list_contains(?, kind)) AND (? = '' OR code = ?) AND contains(lower(source_id), ?)"
            f" ORDER BY place LIMIT {int(limit)}",
            [str(path), after, not kinds, list(kinds), code, code, search.lower()],
        ).fetchall()
    return [(int(place), Remark(*row)) for place, *row in rows]


def remarks_by_code(path: Path) -> dict[str, int]:
    """How many remarks there are of each code, the most frequent first."""
    with _reader(path) as db:
        return dict(
            db.execute(
                "SELECT code, count(*) FROM read_parquet(?) GROUP BY 1 ORDER BY 2 DESC, 1", [str(path)]
            ).fetchall()
        )


def _narrowed(db: duckdb.DuckDBPyConnection, narrow: Narrow) -> tuple[str, list[Any]]:
    """SQL behind WHERE, and its values."""
    where = ""
    values: list[Any] = []
    for column, wanted in (("reason", narrow.reason), ("bundle", narrow.bundle)):
        if wanted:
            where += f" AND {column} = ?"
            values.append(wanted)
    for column, several in (("kind", narrow.kinds), ("action", narrow.actions)):
        if several:
            where += f" AND list_contains(?, {column})"
            values.append(list(several))
    if narrow.moves:
        where += f" AND {MOVES}"
    if narrow.search:
        about = [{"kind": kind, "handle": handle} for kind, handle in narrow.targets]
        _pairs(db, "about", about)
        where += (
            " AND (contains(lower(source_id), ?) OR contains(lower(concat_ws(' ', before, after, base)), ?)"
            " OR (kind, target) IN (FROM about))"
        )
        values += [narrow.search.lower()] * 2
    if narrow.within is not None:
        where += f" AND {_among(db, 'numbers_in', narrow.within)}"
    if narrow.without is not None:
        where += f" AND NOT {_among(db, 'numbers_out', narrow.without)}"
    return where, values


def _numbered(db: duckdb.DuckDBPyConnection, plan: Path, numbers: Sequence[int]) -> list[Operation]:
    if not numbers:
        return []
    rows = db.execute(
        f"SELECT {SELECTED} FROM read_parquet(?) WHERE number BETWEEN ? AND ? AND list_contains(?, number) ORDER BY number",
        [str(plan), numbers[0], numbers[-1], list(numbers)],
    ).fetchall()
    return [operation_of(row) for row in rows]


def _pairs(db: duckdb.DuckDBPyConnection, table: str, pairs: Sequence[Mapping[str, str]]) -> None:
    db.execute(f"CREATE TABLE {table} (kind VARCHAR, handle VARCHAR)")
    if pairs:
        db.execute(
            f"INSERT INTO {table} SELECT one.kind, one.handle"
            " FROM (SELECT unnest(?::STRUCT(kind VARCHAR, handle VARCHAR)[]) AS one)",
            [list(pairs)],
        )


def _among(db: duckdb.DuckDBPyConnection, table: str, ranges: Ranges) -> str:
    """A condition: the number is in one of these ranges. Long ones are compared, the numbers of short ones looked up."""
    conditions = [
        f"number BETWEEN {int(first)} AND {int(last)}" for first, last in ranges if last - first >= LONG
    ]
    short = [one for first, last in ranges if last - first < LONG for one in range(first, last + 1)]
    if short:
        db.execute(f"CREATE TABLE {table} AS SELECT unnest(?::BIGINT[]) AS number", [short])
        conditions.append(f"number IN (FROM {table})")
    return f"({' OR '.join(conditions) or 'false'})"


def _reader(path: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return reader(MEMORY, 1, path.parent)
