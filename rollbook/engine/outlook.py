"""The outlook: what is current on a day in a snapshot, and what begins and ends between two snapshots on two days. Nothing is written.

A day belongs to a session, a role or an enrollment from the day it begins on up to, and not with, the day it ends on (OneRoster 1.2 calls
the end exclusive). A class runs while any of its terms does; one without terms, or of a term that another connection has, always runs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal

CURRENT = ("academicSessions", "classes", "roles", "enrollments")
SEATED = ("student", "teacher")
"""The roles whose people are expected to have a class."""

BEGINS = {"academicSessions": "startDate"}
WANTED = {
    "academicSessions": ("startDate", "endDate"),
    "classes": ("termSourcedIds",),
    "users": (),
    "roles": ("userSourcedId", "role", "beginDate", "endDate"),
    "enrollments": ("userSourcedId", "classSourcedId", "beginDate", "endDate"),
}


@dataclass(frozen=True)
class Turn:
    """How many of a collection are current before and after, how many begin, and how many end."""

    before: int
    after: int
    begin: int
    end: int


@dataclass(frozen=True)
class Seats:
    """People of a role without any class that runs: before, after, and those of the latter who have one before."""

    before: int
    after: int
    lost: int


@dataclass(frozen=True)
class Outlook:
    """By collection, what turns; by role, who is without a class."""

    turns: dict[str, Turn]
    without_class: dict[str, Seats]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def look_ahead(before: tuple[Path, date], after: tuple[Path, date], work: Path) -> Outlook:
    """Compares two snapshots (folders as `accepted` has them), each on its day; `work` is a folder for what does not fit into memory."""
    with reader("512MB", 2, work) as db:
        for side, (snapshot, day) in (("before", before), ("after", after)):
            _find_current(db, side, snapshot, day)
        turns = {collection: _turn(db, collection) for collection in CURRENT}
        return Outlook(turns, {role: _seats(db, role) for role in SEATED})


def _find_current(db: duckdb.DuckDBPyConnection, side: str, snapshot: Path, day: date) -> None:
    """Tables of one side: `<side>_<collection>` (source_id) of what is current, `<side>_seated`, `<side>_expected`."""
    for collection, columns in WANTED.items():
        stored = parquet_of(snapshot, collection)
        source = f"{scan(stored)} WHERE status = 'active'" if stored else f"{_nothing(columns)} WHERE false"
        db.execute(f"CREATE OR REPLACE VIEW v_{collection} AS SELECT * FROM {source}")
    for collection in ("academicSessions", "roles"):
        _make(db, side, collection, f"SELECT source_id FROM v_{collection} WHERE {_on(collection, day)}")
    _make(
        db, side, "classes",
        "SELECT DISTINCT c.source_id FROM (SELECT source_id, unnest(string_split(coalesce(\"termSourcedIds\", ''), ',')) AS term"
        f" FROM v_classes) c WHERE term NOT IN (SELECT source_id FROM v_academicSessions WHERE NOT ({_on('academicSessions', day)}))",
    )  # fmt: skip
    _make(
        db, side, "enrollments",
        f'SELECT source_id, "userSourcedId" AS person FROM v_enrollments e WHERE {_on("enrollments", day)}'
        f' AND ("classSourcedId" IN (FROM {side}_classes) OR "classSourcedId" NOT IN (SELECT source_id FROM v_classes))',
    )  # fmt: skip
    _make(db, side, "seated", f"SELECT DISTINCT person FROM {side}_enrollments")
    _make(
        db, side, "expected",
        f'SELECT DISTINCT "userSourcedId" AS person, role FROM v_roles WHERE {_on("roles", day)}'
        ' AND "userSourcedId" IN (SELECT source_id FROM v_users)',
    )  # fmt: skip


def _nothing(columns: Sequence[str]) -> str:
    fields = ", ".join(f'NULL::VARCHAR AS "{column}"' for column in ("source_id", *columns))
    return f"(SELECT {fields})"


def _on(collection: str, day: date) -> str:
    """SQL condition: the day lies within; a date that is not there bounds nothing."""
    begins = BEGINS.get(collection, "beginDate")
    text = literal(day.isoformat())
    return f"coalesce(\"{begins}\", '') <= {text} AND coalesce(\"endDate\", '9999-12-31') > {text}"


def _make(db: duckdb.DuckDBPyConnection, side: str, table: str, query: str) -> None:
    db.execute(f"CREATE TABLE {side}_{table} AS {query}")


def _turn(db: duckdb.DuckDBPyConnection, collection: str) -> Turn:
    before, after = f"SELECT source_id FROM before_{collection}", f"SELECT source_id FROM after_{collection}"
    return Turn(
        before=_count(db, before),
        after=_count(db, after),
        begin=_count(db, f"{after} WHERE source_id NOT IN ({before})"),
        end=_count(db, f"{before} WHERE source_id NOT IN ({after})"),
    )


def _seats(db: duckdb.DuckDBPyConnection, role: str) -> Seats:
    def unseated(side: str) -> str:
        return f"SELECT person FROM {side}_expected WHERE role = {literal(role)} AND person NOT IN (FROM {side}_seated)"

    return Seats(
        before=_count(db, unseated("before")),
        after=_count(db, unseated("after")),
        lost=_count(db, f"{unseated('after')} AND person IN (FROM before_seated)"),
    )


def _count(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])
