"""Making a read: a package of a source, judged and compared with the read before, becomes the source's whole state, only what is kept of it.

A read is a folder of Parquet in the shape of an accepted snapshot, and in it `gone.parquet` (collection, source_id, why): what is gone.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import duckdb

from rollbook.engine.accepted import KEYS, PARQUET, parquet_of, payload_columns, scan
from rollbook.engine.changes import same_file
from rollbook.engine.findings import Findings
from rollbook.engine.judgement import judge
from rollbook.engine.plan import make_plan
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staging
from rollbook.engine.succession import COMPLETE
from rollbook.engine.sync.roster import MARKED, MISSING
from rollbook.engine.telling import Tell, untold
from rollbook.oneroster.collections import LOAD_ORDER

GONE = "gone.parquet"
MEMORY = "384MB"

WANTED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "orgs": ("name", "type", "identifier", "parentSourcedId"),
        "academicSessions": ("title", "startDate", "endDate", "parentSourcedId"),
        "courses": ("title", "courseCode"),
        "classes": (
            "title",
            "grades",
            "courseSourcedId",
            "classCode",
            "classType",
            "location",
            "schoolSourcedId",
            "termSourcedIds",
            "subjects",
            "periods",
        ),
        "users": (
            "enabledUser",
            "username",
            "givenName",
            "familyName",
            "identifier",
            "email",
            "grades",
            "primaryOrgSourcedId",
        ),
        "userProfiles": (),
        "roles": ("userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId"),
        "enrollments": ("classSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate"),
    }
)
"""What is kept, by collection. Of user profiles only that they are there, for roles refer to them."""

UNREFERRED = ("demographics", "resources")
"""What no record that is kept refers to: it is not asked for."""


@dataclass(frozen=True)
class Read:
    """What came of a package. With `fatal` there is no read; `whole` names the tables of which absence counts, `held` what was held back.

    `unread` are tables of which the package said that all there is comes, and it did not.
    """

    findings: Findings
    fatal: bool
    whole: frozenset[str] = frozenset()
    held: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()


def make_read(package: Path, work: Path, before: Path | None, folder: Path, tell: Tell = untold) -> Read:
    """Writes the read into `folder`. `before` is the folder of the read before, if there is one; `work` is empty. Raises NotAPackage."""
    staged, nothing, planned = work / "staged", work / "nothing", work / "planned"
    for place in (staged, nothing, folder):
        place.mkdir(parents=True, exist_ok=True)
    accepted = before or nothing
    with judge(package, staged, lenient=True, accepted=accepted, tell=tell) as judgement:
        if judgement.fatal:
            return Read(judgement.findings, fatal=True)
        db = judgement.staging.connection
        free = first_free_ids(db, accepted, LOAD_ORDER)
        summary = make_plan(judgement, accepted, planned, free, tell=tell)
        made = planned / "accepted"
        narrow(db, made, folder, before, frozenset(summary.counts))
        keep_gone(judgement.staging, made, before, folder)
        counts = _counts(db, folder)
    whole = _whole(judgement.staging, summary.modes)
    unread = (judgement.promised & frozenset(WANTED)) - whole
    return Read(judgement.findings, False, whole, summary.held, counts, unread)


def _whole(staging: Staging, modes: Mapping[str, str]) -> frozenset[str]:
    """In 1.1 roles stand in the rows of users, and are as whole as these."""
    whole = frozenset(table for table, mode in modes.items() if mode == COMPLETE)
    derives_roles = staging.binding is not None and staging.binding.version == "1.1" and "users" in whole
    return whole | {"roles"} if derives_roles else whole


def first_free_ids(
    db: duckdb.DuckDBPyConnection, accepted: Path, collections: Sequence[str]
) -> dict[str, int]:
    """The first record id of each collection that the read before has not given out."""
    return {
        collection: _number(db, f"SELECT coalesce(max(record_id), 0) + 1 FROM {scan(stored)}")
        if (stored := parquet_of(accepted, collection))
        else 1
        for collection in collections
    }


def narrow(
    db: duckdb.DuckDBPyConnection, made: Path, folder: Path, before: Path | None, changed: frozenset[str]
) -> None:
    """Copies what is wanted of the collections in the folder `made` of a plan; all other columns are empty. What has not changed since
    the read before is the same file, by a second name.

    Digests stay those of the whole records, so that what changes besides is not taken for a change of what is kept, nor forgotten.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for collection, kept in WANTED.items():
        if (stored := parquet_of(made, collection)) is None:
            continue
        if collection not in changed and (same := parquet_of(before, collection)):
            same_file(same, folder / f"{collection}.parquet")
            continue
        columns = [
            name(column) if column in kept else f"NULL::VARCHAR AS {name(column)}"
            for column in payload_columns(collection)
        ]
        db.execute(
            f"COPY (SELECT {', '.join([*KEYS, *columns])} FROM {scan(stored)})"
            f" TO {literal(str(folder / f'{collection}.parquet'))} {PARQUET}"
        )


def keep_gone(staging: Staging, made: Path, before: Path | None, folder: Path) -> None:
    """Writes `gone.parquet` into `folder`, while the judged package is still open. `made` is the folder of its plan's `accepted`.

    Gone is what is stored and deleted, and what the package marks, stored or not. Why is what was said of it last: MARKED stays.
    """
    earlier = before / GONE if before else None
    was = (
        f"FROM {scan(earlier)}"
        if earlier and earlier.exists()
        else "SELECT '' AS collection, '' AS source_id, '' AS why WHERE false"
    )
    staging.run("CREATE TABLE marked_gone (collection VARCHAR, source_id VARCHAR)")
    staging.run("CREATE TABLE stored_now (collection VARCHAR, source_id VARCHAR, living BOOLEAN)")
    for collection in WANTED:
        if collection in staging.tables:
            staging.run(
                f"INSERT INTO marked_gone SELECT {literal(collection)}, source_id FROM {name(f'd_{collection}')} WHERE deleted"
            )
        if stored := parquet_of(made, collection):
            marked = f"SELECT source_id FROM marked_gone WHERE collection = {literal(collection)}"
            staging.run(
                f"INSERT INTO stored_now SELECT {literal(collection)}, source_id, status = 'active' FROM {scan(stored)}"
                f" WHERE status <> 'active' OR source_id IN ({marked})"
            )
    why = f"CASE WHEN m.source_id IS NOT NULL THEN {literal(MARKED)} ELSE coalesce(w.why, {literal(MISSING)}) END"
    staging.run(
        f"COPY (SELECT g.collection, g.source_id, {why} AS why FROM"
        " (SELECT collection, source_id FROM stored_now WHERE NOT living UNION FROM marked_gone) g"
        " LEFT JOIN marked_gone m USING (collection, source_id)"
        f" LEFT JOIN ({was}) w USING (collection, source_id)"
        " WHERE NOT EXISTS (FROM stored_now s WHERE s.collection = g.collection AND s.source_id = g.source_id AND s.living))"
        f" TO {literal(str(folder / GONE))} {PARQUET}"
    )


def counts_of(folder: Path) -> dict[str, int]:
    """How many records of each collection are there and not gone."""
    with _reader(folder) as db:
        return _counts(db, folder)


def _counts(db: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    return {
        collection: _number(db, f"SELECT count(*) FROM {scan(stored)} WHERE status = 'active'")
        for collection in WANTED
        if (stored := parquet_of(folder, collection))
    }


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(db.execute(query).fetchall()[0][0])


def _reader(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return reader(MEMORY, 2, folder)
