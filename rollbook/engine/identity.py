"""Identity: records that share what should be one person's alone, or ids that only differ in upper and lower case.

Hashes are counted first, which is cheap; only those that meet are compared as text. Blank never matches blank.
"""

from pathlib import Path

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.findings import Findings
from rollbook.engine.offenders import known, sound, sound_records, tell_shared
from rollbook.engine.sql import literal, name
from rollbook.engine.stage import Staged, Staging

OWN = (
    ("username", "username-shared"),
    ("identifier", "identifier-shared"),
    ("userMasterIdentifier", "identifier-shared"),
    ("email", "email-shared"),
)
"""Columns of users whose values are one person's, whatever the case."""

NAMED_BY_HAND = ("orgs", "academicSessions", "courses", "classes", "users")
"""The collections whose ids people write, so that case slips in."""

STORED_TOO = "A record that is stored already has it as well. "


def judge_identity(staging: Staging, accepted: Path | None, findings: Findings) -> None:
    """Judges what the records of a file have in common, in a file of changes also with those that are stored."""
    users = staging.tables.get("users")
    if users and users.rows:
        for column, code in OWN:
            if users.has(column):
                _judge_shared(staging, users, accepted, column, code, findings)
        _judge_people(staging, users, accepted, findings)
    for table in NAMED_BY_HAND:
        staged = staging.tables.get(table)
        if staged and staged.rows:
            _judge_shared(staging, staged, accepted, "sourcedId", "id-case", findings)


def _judge_shared(
    staging: Staging, staged: Staged, accepted: Path | None, column: str, code: str, findings: Findings
) -> None:
    pool = _pool(staged, accepted, column)
    twins = f"SELECT hash(key) AS h FROM ({pool}) GROUP BY h HAVING count(*) > 1"
    if not staging.number(f"SELECT count(*) FROM ({twins})"):
        return
    tell_shared(
        staging,
        staged,
        findings,
        code,
        column,
        f"SELECT r, key AS value, CASE WHEN stored > 0 THEN {literal(STORED_TOO)} ELSE '' END AS said FROM"
        f" (SELECT r, key, count(DISTINCT own) OVER same AS different, count(*) FILTER (r IS NULL) OVER same AS stored"
        f" FROM ({pool}) WHERE hash(key) IN ({twins}) WINDOW same AS (PARTITION BY key))"
        " WHERE r IS NOT NULL AND different > 1",
    )


def _pool(staged: Staged, accepted: Path | None, column: str) -> str:
    """SQL: r, own (the sourcedId) and key of all records that count, r being NULL of those that are stored only."""
    x = name(column)
    pool = f"SELECT rowid AS r, \"sourcedId\" AS own, lower({x}) AS key FROM {staged.records} WHERE trim({x}) <> '' AND {sound(staged)}"
    stored = parquet_of(accepted, staged.name)
    if staged.mode == "bulk" or stored is None:
        return pool
    key = "source_id" if column == "sourcedId" else x
    return (
        f"{pool} UNION ALL SELECT NULL, source_id, lower({key}) FROM {scan(stored)} WHERE status = 'active' AND {key} IS NOT NULL"
        f' AND source_id NOT IN (SELECT "sourcedId" FROM {staged.records})'
    )


def _judge_people(staging: Staging, users: Staged, accepted: Path | None, findings: Findings) -> None:
    """The same name and birth date twice: one person, unless each has an identifier of their own."""
    born = known(staging, accepted, "demographics", ("birthDate",))
    identifier = "nullif(\"identifier\", '')" if users.has("identifier") else "NULL"
    person = 'lower("givenName"), lower("familyName"), "birthDate"'
    people = (
        f'SELECT r, "sourcedId" AS id, {identifier} AS identifier, hash({person}) AS h FROM {sound_records(users)}'
        f' JOIN ({born}) b ON b.source_id = "sourcedId" WHERE "birthDate" <> \'\''
    )
    staging.run(
        f"CREATE OR REPLACE TEMP TABLE people AS SELECT * FROM ({people}) QUALIFY count(*) OVER (PARTITION BY h) > 1"
    )
    tell_shared(
        staging,
        users,
        findings,
        "person-twice",
        "sourcedId",
        "SELECT r, min(id) OVER same AS value, '' AS said FROM people WINDOW same AS (PARTITION BY h)"
        " QUALIFY count(*) OVER same > count(DISTINCT identifier) OVER same",
        "have the same name and birth date",
    )
