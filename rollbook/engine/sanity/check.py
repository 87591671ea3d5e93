"""A sanity check: the counts and the lines of what one app is served, worked out in DuckDB. It knows no database of ours and no clock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.needs import Need, required_of
from rollbook.engine.sanity.lines import LICENSED, LINES, NEED_CODE, NEED_MEANING, NEED_TITLE, Line
from rollbook.engine.sanity.tables import COLUMNS, load
from rollbook.engine.sql import name

EXAMPLES = 25
"""Records named of each line; the others are counted."""


@dataclass(frozen=True)
class Around:
    """What stands beside the records. `opted_out` counts people kept from the app; `unread` are the collections that it may
    read and has not for long. With `schools` (sourcedIds) only what belongs to them is looked at.

    `licences` is for how many of `licensed` (`lines.LICENSED`) the app is licensed, None where nobody said. `other_ids` is {collection:
    {id now: the id by which the app knew it at its last check}}. `full_unread` are the fields ("users.email") that a full grant shows and
    that were not read for long, of `full_shown`; nothing and 0 of other grants.
    """

    today: date
    domains: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    opted_out: int = 0
    unread: frozenset[str] = frozenset()
    schools: tuple[str, ...] | None = None
    licences: int | None = None
    licensed: str = "people"
    other_ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    full_unread: tuple[str, ...] = ()
    full_shown: int = 0


@dataclass(frozen=True)
class Example:
    """One record concerned. `said` is what is particular about it; never a name."""

    id: str
    said: str = ""


@dataclass(frozen=True)
class Told:
    """What one line came to: `count` of `among` records."""

    code: str
    group: str
    severity: str
    collection: str
    title: str
    meaning: str
    who: str
    count: int
    among: int
    examples: tuple[Example, ...] = ()

    @property
    def percent(self) -> float:
        """The share that is concerned, 0 to 100."""
        return 100 * self.count / self.among if self.among else 0.0


@dataclass(frozen=True)
class Report:
    """`counts` are records by collection, `roles` people by role, in the order of their number."""

    counts: dict[str, int] = field(default_factory=dict)
    roles: dict[str, int] = field(default_factory=dict)
    lines: tuple[Told, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Report":
        """The report of `as_dict`, or of JSON made from it."""
        lines = (
            Told(**{**line, "examples": tuple(Example(**one) for one in line["examples"])})
            for line in stored.get("lines", ())
        )
        return cls(dict(stored.get("counts", {})), dict(stored.get("roles", {})), tuple(lines))


def check(work: Path, around: Around, tell: Callable[[int, int], None] = lambda done, known: None) -> Report:
    """The report on the JSON files in `work` (see `tables`). `tell(lines looked at, lines)` is told on the way."""
    database = load(work, _wanted(around.needs), around.schools)
    try:
        counts = _counts(database)
        _surround(database, around, counts)
        lines = list(_needs(database, around.needs))
        told = []
        for number, line in enumerate(LINES):
            told.append(_told(database, line))
            tell(number + 1, len(LINES))
        before = [one for one in told if one.group != "privacy"]
        return Report(counts, _roles(database), (*before, *lines, *told[len(before) :]))
    finally:
        database.close()


def _wanted(needs: Iterable[Need]) -> dict[str, list[str]]:
    """The members that required fields ask for, by collection."""
    wanted: dict[str, list[str]] = {}
    for need in required_of(needs):
        member = need.field.partition(".")[0]
        if member and member not in wanted.setdefault(need.collection, []):
            wanted[need.collection].append(member)
    return wanted


def _counts(database: duckdb.DuckDBPyConnection) -> dict[str, int]:
    return {collection: _number(database, f"SELECT count(*) FROM all_{collection}") for collection in COLUMNS}


def _roles(database: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = database.execute(
        "SELECT role, count(DISTINCT person) AS people FROM posts WHERE role IS NOT NULL GROUP BY role ORDER BY people DESC, role"
    ).fetchall()
    return {str(role): int(people) for role, people in rows}


def _surround(database: duckdb.DuckDBPyConnection, around: Around, counts: Mapping[str, int]) -> None:
    """What stands beside the records, as tables."""
    database.execute("CREATE TABLE clock AS SELECT CAST(? AS DATE) AS today", [around.today.isoformat()])
    database.execute("CREATE TABLE opted_out AS SELECT CAST(? AS BIGINT) AS people", [around.opted_out])
    for table, column, values in (
        ("domains", "domain", [domain.lower() for domain in around.domains]),
        ("unread", "collection", sorted(around.unread)),
        ("full_unread", "field", sorted(around.full_unread)),
    ):
        database.execute(f"CREATE TABLE {table} AS SELECT unnest(CAST(? AS VARCHAR[])) AS {column}", [values])
    database.execute(
        "CREATE TABLE counted AS SELECT unnest(CAST(? AS VARCHAR[])) AS collection, unnest(CAST(? AS BIGINT[])) AS records",
        [list(counts), list(counts.values())],
    )
    database.execute("CREATE TABLE full_shown AS SELECT CAST(? AS BIGINT) AS fields", [around.full_shown])
    database.execute(
        f"CREATE TABLE licences AS SELECT CAST(? AS BIGINT) AS licences, CAST(? AS VARCHAR) AS kind,"
        f" (SELECT count(*) FROM ({LICENSED[around.licensed]})) AS licensed",
        [around.licences, around.licensed],
    )
    others = [(one, new, was) for one, ids in around.other_ids.items() for new, was in ids.items()]
    columns = list(zip(*others, strict=True)) or [(), (), ()]
    database.execute(
        "CREATE TABLE other_ids AS SELECT unnest(CAST(? AS VARCHAR[])) AS collection, unnest(CAST(? AS VARCHAR[])) AS id,"
        " unnest(CAST(? AS VARCHAR[])) AS was",
        [list(column) for column in columns],
    )


def _told(database: duckdb.DuckDBPyConnection, line: Line) -> Told:
    count, examples = _offenders(database, line.offenders)
    among = max(_number(database, line.among), count)
    return Told(
        line.code, line.group, line.severity, line.collection, line.title, line.meaning, line.who, count, among, examples
    )  # fmt: skip


def _offenders(database: duckdb.DuckDBPyConnection, sql: str) -> tuple[int, tuple[Example, ...]]:
    """How many there are, and the first of them by id."""
    rows = database.execute(
        f"SELECT count(*) OVER () AS found, id, said FROM ({sql}) ORDER BY id, said = '', said LIMIT {EXAMPLES}"
    ).fetchall()
    examples = tuple(Example(str(id_), str(said or "")) for _, id_, said in rows if id_ or said)
    return (int(rows[0][0]) if rows else 0), examples


def _number(database: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = database.execute(sql).fetchone()
    return int(row[0]) if row else 0


# --- What the app requires --------------------------------------------------------------------------------------------------------------------


def _needs(database: duckdb.DuckDBPyConnection, needs: Iterable[Need]) -> Iterable[Told]:
    for need in required_of(needs):
        among = _number(database, f"SELECT count(*) FROM all_{need.collection}")
        sql = f"SELECT sourcedId AS id, '' AS said FROM all_{need.collection} WHERE {_is_missing(need)}"
        count, examples = _offenders(database, sql) if need.field else (int(not among), ())
        yield Told(
            f"{NEED_CODE}:{need.name}", "needs", "error", need.collection, f"{NEED_TITLE}: {need.name}",
            f"{NEED_MEANING} Its reason: {need.reason}", "either", count, among if need.field else 1, examples,
        )  # fmt: skip


def _is_missing(need: Need) -> str:
    """SQL: the record does not have the field, or has it empty."""
    member, _, inner = need.field.partition(".")
    if not member:
        return "false"
    value = f"json_extract_string(to_json({name(member)}), {_path(inner)})"
    return f"coalesce({value}, '') IN ('', '[]', '{{}}', 'null')"


def _path(inner: str) -> str:
    """The JSON path of a member's own member; the member itself where there is none."""
    safe = inner.replace("'", "''").replace('"', "")
    return f"""'$."{safe}"'""" if inner else "'$'"
