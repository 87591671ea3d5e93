"""A read in figures, asked of its files without loading it: which roles there are, the grades of a school, its classes page by page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rollbook.engine.sql import name
from rollbook.engine.sync.read_file import living, reader_in


@dataclass(frozen=True, slots=True)
class ReadClass:
    """A class as it was read. `place` is where it stands in the list: what `after` takes for the page behind it."""

    source_id: str
    title: str
    code: str
    school: str
    course: str
    grades: tuple[str, ...]
    place: tuple[str, str]


def roles(folder: Path) -> dict[str, int]:
    """How many people have each role, the most frequent first."""
    with _asking(folder, "roles") as asked:
        rows = asked.execute(
            'SELECT role, count(DISTINCT "userSourcedId") AS people FROM roles'
            " WHERE role IS NOT NULL GROUP BY role ORDER BY people DESC, role"
        ).fetchall()
    return {str(role): int(people) for role, people in rows}


def grades_at(folder: Path, school: str) -> list[str]:
    """The grades of the pupils of a school, in order of their codes."""
    with _asking(folder, "roles", "users") as asked:
        rows = asked.execute(
            'SELECT DISTINCT u.grades FROM users u JOIN roles r ON r."userSourcedId" = u.source_id'
            " WHERE r.\"orgSourcedId\" = ? AND r.role = 'student' AND u.grades IS NOT NULL",
            [school],
        ).fetchall()
    return sorted({grade.strip() for (grades,) in rows for grade in grades.split(",")} - {""})


def classes(
    folder: Path, limit: int, *, search: str = "", school: str = "", after: tuple[str, str] = ("", "")
) -> list[ReadClass]:
    """Classes by title, `limit` of them from behind `after` on; those with all words of `search` in their title or code, of one school."""
    where, values = _wanted(search, school)
    with _asking(folder, "classes", "courses") as asked:
        rows = asked.execute(
            'SELECT c.source_id, c.title, c."classCode", c."schoolSourcedId", k.title, c.grades, lower(coalesce(c.title, \'\')) AS ordered'
            ' FROM classes c LEFT JOIN courses k ON k.source_id = c."courseSourcedId"'
            f" WHERE {where} AND (lower(coalesce(c.title, '')), c.source_id) > (?, ?)"
            " ORDER BY ordered, c.source_id LIMIT ?",
            [*values, *after, limit],
        ).fetchall()
    return [
        ReadClass(
            row[0],
            row[1] or "",
            row[2] or "",
            row[3] or "",
            row[4] or "",
            tuple(one.strip() for one in (row[5] or "").split(",") if one.strip()),
            (row[6], row[0]),
        )
        for row in rows
    ]


def class_of(folder: Path, source_id: str) -> ReadClass | None:
    """One class."""
    with _asking(folder, "classes") as asked:
        row = asked.execute(
            'SELECT title, "classCode", "schoolSourcedId", grades FROM classes WHERE source_id = ?',
            [source_id],
        ).fetchone()
    if row is None:
        return None
    title, code, school, grades = (one or "" for one in row)
    listed = tuple(one.strip() for one in grades.split(",") if one.strip())
    return ReadClass(source_id, title, code, school, "", listed, (title.lower(), source_id))


def count_classes(folder: Path, *, search: str = "", school: str = "") -> int:
    """How many classes are meant by this."""
    where, values = _wanted(search, school)
    with _asking(folder, "classes") as asked:
        found = asked.execute(f"SELECT count(*) FROM classes c WHERE {where}", values).fetchone()
    return int(found[0]) if found else 0


def _wanted(search: str, school: str) -> tuple[str, list[str]]:
    """A condition on the class `c`, with its values."""
    conditions, values = ["true"], list[str]()
    for word in search.split()[:10]:
        conditions.append(
            """(contains(lower(coalesce(c.title, '')), lower(?)) OR contains(lower(coalesce(c."classCode", '')), lower(?)))"""
        )
        values += [word, word]
    if school:
        conditions.append('c."schoolSourcedId" = ?')
        values.append(school)
    return " AND ".join(conditions), values


@contextmanager
def _asking(folder: Path, *collections: str) -> Iterator[duckdb.DuckDBPyConnection]:
    with reader_in(folder) as asked:
        for collection in collections:
            asked.execute(f"CREATE VIEW {name(collection)} AS {living(folder, collection)}")
        yield asked
