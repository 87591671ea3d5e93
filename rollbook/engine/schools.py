"""Which school every change of a plan belongs to: a record's own, or that of the person it is about. It is made when somebody asks."""

import os
import uuid
from pathlib import Path

import duckdb

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.reading import reader
from rollbook.engine.sql import literal, name

SCHOOL_OF = {
    "enrollments": "schoolSourcedId",
    "classes": "schoolSourcedId",
    "courses": "orgSourcedId",
    "roles": "orgSourcedId",
}
"""The field that says which org a record belongs to."""

PERSON_OF = {"users": "", "demographics": "", "userProfiles": "userSourcedId"}
"""The field that says whose a record is; empty where the record's own id does."""

MEMORY = "512MB"


def write_schools(plan: Path, accepted: Path | None, target: Path) -> None:
    """Writes a Parquet file with number, school and name for every change; NULL where a change belongs to no school.

    `accepted` is the snapshot of before the plan, or any later one. A person's school is the main org, where that is a school; else
    the first, by id, of the schools in which the person has a role.
    """
    making = target.with_name(f"{target.name}.making-{uuid.uuid4().hex}")  # two threads may be asked at once
    with reader(MEMORY, 2, target.parent) as db:
        db.execute("SET preserve_insertion_order = false")
        db.execute(f"CREATE VIEW plan AS SELECT *, coalesce(after, before) AS said FROM {scan(plan)}")
        _make_schools(db, accepted)
        _make_people(db, accepted)
        parts = " UNION ALL ".join(_parts(db, accepted))
        db.execute(
            f"COPY (SELECT p.number, s.source_id AS school, s.name FROM ({parts}) p LEFT JOIN schools s ON s.source_id = p.org"
            f" ORDER BY p.number) TO {literal(str(making))} (FORMAT parquet, COMPRESSION zstd)"
        )
    os.replace(making, target)


def _make_schools(db: duckdb.DuckDBPyConnection, accepted: Path | None) -> None:
    """`schools` (source_id, name): the orgs of that type, as they will be."""
    db.execute(
        "CREATE TABLE schools AS SELECT source_id, said->>'name' AS name, said->>'type' AS type FROM plan"
        " WHERE collection = 'orgs' AND action <> 'relink'"
    )
    if stored := parquet_of(accepted, "orgs"):
        db.execute(
            f'INSERT INTO schools SELECT source_id, "name", "type" FROM {scan(stored)}'
            " WHERE source_id NOT IN (SELECT source_id FROM schools)"
        )
    db.execute("DELETE FROM schools WHERE type IS DISTINCT FROM 'school'")


def _make_people(db: duckdb.DuckDBPyConnection, accepted: Path | None) -> None:
    """`people` (person, org): the school of everybody the plan touches, by delivered id."""
    whose = " UNION ".join(
        f"SELECT {_field(field) if field else 'source_id'} AS person FROM plan WHERE collection = {literal(collection)}"
        for collection, field in PERSON_OF.items()
    )
    db.execute(f"CREATE TABLE touched AS SELECT DISTINCT person FROM ({whose}) WHERE person IS NOT NULL")
    main = [
        "SELECT source_id AS person, said->>'primaryOrgSourcedId' AS org, 0 AS turn FROM plan"
        " WHERE collection = 'users' AND action <> 'relink'"
    ]
    roles = [
        "SELECT said->>'userSourcedId' AS person, said->>'orgSourcedId' AS org, 2 AS turn FROM plan"
        " WHERE collection = 'roles' AND action <> 'relink'"
    ]
    if stored := parquet_of(accepted, "users"):
        main.append(f'SELECT source_id, "primaryOrgSourcedId", 1 FROM {scan(stored)}')
    if stored := parquet_of(accepted, "roles"):
        roles.append(f'SELECT "userSourcedId", "orgSourcedId", 2 FROM {scan(stored)}')
    db.execute(
        "CREATE TABLE people AS SELECT person, min_by(org, (turn, org)) AS org"
        f" FROM ({' UNION ALL '.join([*main, *roles])}) SEMI JOIN touched USING (person)"
        " WHERE org IN (SELECT source_id FROM schools) GROUP BY person"
    )


def _parts(db: duckdb.DuckDBPyConnection, accepted: Path | None) -> list[str]:
    """SQL of number and org, one collection after the other."""
    parts = ["SELECT number, NULL::VARCHAR AS org FROM plan WHERE collection = 'academicSessions'"]
    parts.append("SELECT number, source_id AS org FROM plan WHERE collection = 'orgs'")
    for collection, field in PERSON_OF.items():
        person = _field(field) if field else "source_id"
        parts.append(
            f"SELECT p.number, q.org FROM (SELECT number, {person} AS person FROM plan WHERE collection = {literal(collection)}) p"
            " LEFT JOIN people q USING (person)"
        )
    for collection, field in SCHOOL_OF.items():
        rest = f"FROM plan WHERE collection = {literal(collection)}"
        parts.append(f"SELECT number, {_field(field)} AS org {rest} AND action <> 'relink'")
        if stored := parquet_of(accepted, collection):
            parts.append(
                f"SELECT p.number, a.{name(field)} AS org FROM (SELECT number, record_id {rest} AND action = 'relink') p"
                f" LEFT JOIN {scan(stored)} a USING (record_id)"
            )
    return parts


def _field(field: str) -> str:
    return f"said->>{literal(field)}"
