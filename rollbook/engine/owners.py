"""Ids under which other connections of the district serve records.

Where such a record lives, the delivered one is held back, and what refers to it refers to the one that lives. Where it is deleted, it goes
to whoever delivers it now, and stays the record that it was.
"""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from rollbook.engine.accepted import KEYS, PARQUET, md5, parquet_of, payload_columns, scan
from rollbook.engine.changes import same_file
from rollbook.engine.desired import Desired
from rollbook.engine.elsewhere import ASKED_AT_ONCE
from rollbook.engine.findings import Findings
from rollbook.engine.offenders import sound, tell_each
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staging
from rollbook.oneroster.collections import LOAD_ORDER

FEW = 20_000
"""Up to so many ids are asked for one by one; for more, all there are is read."""


def judge_owners(staging: Staging, accepted: Path | None, findings: Findings) -> None:
    """Holds back what is delivered under the id of a living record that is another's."""
    for collection in LOAD_ORDER:
        staged = staging.tables.get(collection)
        if staging.neighbours.owners is None or staged is None or not staged.rows:
            continue
        stored = parquet_of(accepted, collection)
        unknown = f'SELECT rowid AS r, "sourcedId" AS value FROM {staged.records} WHERE {sound(staged)}'
        if stored:
            living = f"SELECT source_id FROM {scan(stored)} WHERE status = 'active'"
            unknown += f' AND "sourcedId" NOT IN ({living})'
        if _look(staging, collection, unknown):
            tell_each(
                staging,
                staged,
                findings,
                "id-taken",
                "sourcedId",
                "SELECT r, value, concat('The record of this id is of the connection “', whose, '”. ') AS said"
                f" FROM ({unknown}) JOIN owners ON source_id = value WHERE living",
            )


def with_taken_over(staging: Staging, desired: Iterable[Desired], accepted: Path | None) -> Path | None:
    """The accepted snapshot, in a folder of its own with the deleted records of others that are wanted anew, where there are any."""
    taken: dict[str, str] = {}
    for one in desired if staging.neighbours.owners else ():
        stored = parquet_of(accepted, one.collection)
        unknown = f"SELECT source_id AS value FROM {one.view} WHERE NOT deleted"
        if stored:
            unknown += f" AND source_id NOT IN (SELECT source_id FROM {scan(stored)})"
        if _look(staging, one.collection, unknown):
            table = name(f"t_{one.collection}")
            if staging.made(
                f"CREATE TABLE {table} AS SELECT source_id, record_id FROM owners WHERE NOT living"
            ):
                taken[one.collection] = table
    if not taken:
        return accepted
    folder = staging.work / "taken-over"
    folder.mkdir()
    for collection in LOAD_ORDER:
        stored, target = parquet_of(accepted, collection), folder / f"{collection}.parquet"
        if collection in taken:
            before = f"FROM {scan(stored)} UNION ALL BY NAME " if stored else ""
            rows = f"{before}SELECT {_deleted(collection)} FROM {taken[collection]}"
            staging.run(f"COPY ({rows}) TO {literal(str(target))} {PARQUET}")
        elif stored:
            same_file(stored, target)
    return folder


def _look(staging: Staging, collection: str, wanted: str) -> int:
    """Fills `owners` (source_id, record_id, living, whose) with what is served under the ids `wanted` (SQL with a column value); how many."""
    ask = staging.neighbours.owners
    assert ask is not None
    db = staging.connection
    staging.run(
        "CREATE OR REPLACE TEMP TABLE owners (source_id VARCHAR, record_id BIGINT, living BOOLEAN, whose VARCHAR)"
    )
    asked = staging.made(
        f"CREATE OR REPLACE TEMP TABLE asked AS SELECT DISTINCT value FROM ({wanted}) ORDER BY value"
    )
    if not asked:
        return 0
    ids = [one for (one,) in db.execute("FROM asked").fetchall()] if asked <= FEW else None
    answers = iter(ask(collection, ids))
    while some := list(islice(answers, ASKED_AT_ONCE)):
        columns = [list(column) for column in zip(*some, strict=True)]
        db.execute(
            "INSERT INTO owners FROM (SELECT unnest(?) AS source_id, unnest(?), unnest(?), unnest(?))"
            " WHERE source_id IN (FROM asked)",
            columns,
        )
    return staging.number("SELECT count(*) FROM owners")


def _deleted(collection: str) -> str:
    """SQL of a deleted record of which nothing more is known here, as a snapshot has it."""
    known = {
        "record_id": "record_id",
        "source_id": "source_id",
        "status": "'tobedeleted'",
        "line": "NULL::BIGINT",
        "digest": "NULL::UUID",
        "id_digest": md5("source_id"),
    }
    columns = [f"{known[column]} AS {column}" for column in KEYS]
    return ", ".join([*columns, *(f"NULL::VARCHAR AS {name(one)}" for one in payload_columns(collection))])
