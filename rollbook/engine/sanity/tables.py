"""Tables: the JSON an app is served, as tables of DuckDB. Files hold one JSON array each, named by their collection and a number.

Records are of OneRoster 1.2. What an app is not shown is NULL here, and so it is missing, as it is for the app.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from rollbook.engine.sql import literal

REFERENCE = "STRUCT(sourcedId VARCHAR)"
HEAD = {"sourcedId": "VARCHAR", "status": "VARCHAR"}

COLUMNS: dict[str, dict[str, str]] = {
    "orgs": {"name": "VARCHAR", "type": "VARCHAR", "parent": REFERENCE},
    "academicSessions": {
        "title": "VARCHAR", "type": "VARCHAR", "startDate": "VARCHAR", "endDate": "VARCHAR", "parent": REFERENCE,
        "schoolYear": "VARCHAR",
    },
    "courses": {"title": "VARCHAR", "courseCode": "VARCHAR", "schoolYear": REFERENCE, "org": REFERENCE},
    "classes": {
        "title": "VARCHAR", "classCode": "VARCHAR", "grades": "VARCHAR[]", "course": REFERENCE, "school": REFERENCE,
        "terms": f"{REFERENCE}[]", "periods": "VARCHAR[]",
    },
    "users": {
        "username": "VARCHAR", "enabledUser": "VARCHAR", "givenName": "VARCHAR", "familyName": "VARCHAR",
        "identifier": "VARCHAR", "email": "VARCHAR", "grades": "VARCHAR[]", "agents": f"{REFERENCE}[]",
        "roles": f"STRUCT(roleType VARCHAR, role VARCHAR, org {REFERENCE})[]",
    },
    "enrollments": {
        "user": REFERENCE, "class": REFERENCE, "role": "VARCHAR", "primary": "VARCHAR", "beginDate": "VARCHAR",
        "endDate": "VARCHAR",
    },
    "demographics": {"birthDate": "VARCHAR", "sex": "VARCHAR"},
    "resources": {"title": "VARCHAR", "vendorResourceId": "VARCHAR"},
}  # fmt: skip
"""The members that are looked at, and how they are read."""

MEMORY = "512MB"
LARGEST = 16 << 20
"""Bytes of one record, at most."""


def load(
    work: Path, wanted: Mapping[str, Iterable[str]], schools: Iterable[str] | None = None
) -> duckdb.DuckDBPyConnection:
    """Every collection as a table `all_<collection>` of active records, and what is asked of them again and again.

    `wanted` are members beyond `COLUMNS` by collection, read as JSON: what the app's maker says it needs. With `schools` (sourcedIds) only what
    belongs to them is kept.
    """
    database = duckdb.connect(str(work / "sanity.duckdb"))
    database.execute(f"SET memory_limit = '{MEMORY}'")
    database.execute(f"SET temp_directory = {literal(str(work / 'spill'))}")
    database.execute("SET preserve_insertion_order = false")
    for collection, columns in COLUMNS.items():
        more = {name: "JSON" for name in wanted.get(collection, ()) if name not in columns}
        _table(database, work, collection, HEAD | columns | more)
    if schools is not None:
        database.execute("CREATE TABLE mine AS SELECT unnest(CAST(? AS VARCHAR[])) AS org", [list(schools)])
        for statement in NARROWED:
            database.execute(statement)
    for statement in DERIVED:
        database.execute(statement)
    return database


def _table(
    database: duckdb.DuckDBPyConnection, work: Path, collection: str, columns: Mapping[str, str]
) -> None:
    files = sorted(work.glob(f"{collection}-*.json"))
    if not files:
        typed = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in columns.items())
        database.execute(f"CREATE TABLE all_{collection} AS SELECT {typed} WHERE false")
        return
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns.items())
    names = ", ".join(literal(str(file)) for file in files)
    database.execute(
        f"""CREATE TABLE all_{collection} AS SELECT * FROM read_json([{names}], format = 'array', columns = {{{typed}}},
            maximum_object_size = {LARGEST}) WHERE status = 'active'"""
    )


NARROWED = (
    "DELETE FROM all_classes WHERE coalesce(school.sourcedId NOT IN (SELECT org FROM mine), true)",
    'DELETE FROM all_enrollments WHERE "class".sourcedId NOT IN (SELECT sourcedId FROM all_classes)',
    """DELETE FROM all_users WHERE sourcedId NOT IN (SELECT "user".sourcedId FROM all_enrollments) AND sourcedId NOT IN
       (SELECT person FROM (SELECT sourcedId AS person, unnest(roles).org.sourcedId AS org FROM all_users) JOIN mine USING (org))""",
    "DELETE FROM all_demographics WHERE sourcedId NOT IN (SELECT sourcedId FROM all_users)",
    """DELETE FROM all_courses WHERE coalesce(org.sourcedId NOT IN (SELECT org FROM mine), true)
       AND sourcedId NOT IN (SELECT course.sourcedId FROM all_classes WHERE course IS NOT NULL)""",
    "DELETE FROM all_orgs WHERE sourcedId NOT IN (SELECT org FROM mine)",
)
"""What is taken out where somebody is bound to schools: all that has no part in `mine`."""

DERIVED = (
    # Who people are: what their roles say, and what they do in the classes that are seen.
    """CREATE TABLE posts AS SELECT DISTINCT person, post.role AS role, post.org.sourcedId AS org
       FROM (SELECT sourcedId AS person, unnest(roles) AS post FROM all_users)""",
    """CREATE TABLE seats AS SELECT sourcedId AS id, "user".sourcedId AS person, "class".sourcedId AS class, role,
       lower("primary") = 'true' AS is_primary, TRY_CAST(beginDate AS DATE) AS begins, TRY_CAST(endDate AS DATE) AS ends
       FROM all_enrollments""",
    """CREATE TABLE students AS SELECT u.sourcedId AS id, u.grades FROM all_users u WHERE u.sourcedId IN
       (SELECT person FROM posts WHERE role = 'student' UNION SELECT person FROM seats WHERE role = 'student')""",
    """CREATE TABLE teachers AS SELECT u.sourcedId AS id FROM all_users u WHERE u.sourcedId IN
       (SELECT person FROM posts WHERE role = 'teacher' UNION SELECT person FROM seats WHERE role = 'teacher')""",
    # A class in a row: how many teach, are primary and learn there, and when it is held.
    """CREATE TABLE terms AS
       SELECT class, term, TRY_CAST(s.startDate AS DATE) AS begins, TRY_CAST(s.endDate AS DATE) AS ends, s.schoolYear AS year
       FROM (SELECT sourcedId AS class, unnest(terms).sourcedId AS term FROM all_classes)
       LEFT JOIN all_academicSessions s ON s.sourcedId = term""",
    """CREATE TABLE taught AS SELECT k.sourcedId AS id, k.title, k.school.sourcedId AS school, k.course.sourcedId AS course,
       coalesce(p.teachers, 0) AS teachers, coalesce(p.primaries, 0) AS primaries, coalesce(p.students, 0) AS students,
       t.begins, t.ends
       FROM all_classes k
       LEFT JOIN (SELECT class, count(DISTINCT person) FILTER (role = 'teacher') AS teachers,
                  count(DISTINCT person) FILTER (role = 'teacher' AND is_primary) AS primaries,
                  count(DISTINCT person) FILTER (role = 'student') AS students FROM seats GROUP BY class) p ON p.class = k.sourcedId
       LEFT JOIN (SELECT class, min(begins) AS begins, max(ends) AS ends FROM terms GROUP BY class) t ON t.class = k.sourcedId""",
)
