"""A read in files, as the planner asks for it (`engine.sync.roster.Roster`). `engine.sync.read` makes them."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property, lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from sys import intern
from typing import Any

import duckdb

from rollbook.engine.accepted import parquet_of, scan
from rollbook.engine.reading import OWN, reader
from rollbook.engine.sql import name
from rollbook.engine.sync.read import GONE, WANTED
from rollbook.engine.sync.roster import Enrollment, Org, Person, Post, TaughtClass, Term
from rollbook.engine.sync.sharing import shared_tuple
from rollbook.engine.sync.world import Focus

MEMORY = "256MB"
CHUNK = 10_000
GROUPS_AT_ONCE = 5_000


class StoredRoster:
    """A read in files, as a Roster (`engine.sync.roster`). With a focus it holds what that touches: its people, their classes, who is there.

    Records are read when they are first asked for, enrollments each time, as a stream. Close it when done.
    """

    def __init__(self, folder: Path, focus: Focus | None = None, work: Path | None = None) -> None:
        self._folder = folder
        self._ends = ExitStack()
        self._db = self._ends.enter_context(reader_in(work or folder))
        self._takes = 0
        for collection in WANTED:
            self._db.execute(f"CREATE VIEW {name(collection)} AS {living(folder, collection)}")
        self._in_focus = focus is not None
        if focus is not None:
            self._look_at(focus)

    def __enter__(self) -> "StoredRoster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._ends.close()

    @cached_property
    def orgs(self) -> dict[str, Org]:
        rows = self._rows('SELECT source_id, "name", "type", identifier, "parentSourcedId", line FROM orgs')
        return {row[0]: _org(row) for row in rows}

    @cached_property
    def terms(self) -> dict[str, Term]:
        rows = self._rows(
            'SELECT source_id, title, "startDate", "endDate", "parentSourcedId" FROM "academicSessions"'
        )
        return {row[0]: _term(row) for row in rows}

    @cached_property
    def classes(self) -> dict[str, TaughtClass]:
        only = "SEMI JOIN focused_classes f ON f.id = c.source_id" if self._in_focus else ""
        rows = self._rows(
            'SELECT c.source_id, c.title, c."schoolSourcedId", c."classCode", c."classType", c."courseSourcedId", k.title, k."courseCode",'
            ' c."termSourcedIds", c.grades, c.subjects, c.periods, c.location, c.line FROM classes c'
            f' LEFT JOIN courses k ON k.source_id = c."courseSourcedId" {only} ORDER BY c.source_id'
        )
        return {row[0]: _class(row) for row in rows}

    @cached_property
    def people(self) -> dict[str, Person]:
        posts = self._posts()
        only = "SEMI JOIN focused_people f ON f.id = u.source_id" if self._in_focus else ""
        rows = self._rows(
            'SELECT u.source_id, u."givenName", u."familyName", u.email, u.username, u.identifier, u.grades, u."enabledUser", u.line'
            f" FROM users u {only} ORDER BY u.source_id"
        )
        return {row[0]: _person(row, posts.pop(row[0], ())) for row in rows}

    @cached_property
    def gone(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        path = self._folder / GONE
        if path.exists():
            for collection, source_id, why in self._rows(
                f"SELECT collection, source_id, why FROM {scan(path)}"
            ):
                found.setdefault(collection, {})[source_id] = why
        return found

    def all_enrollments(self) -> Iterator[Enrollment]:
        only = 'SEMI JOIN focused_classes f ON f.id = e."classSourcedId"' if self._in_focus else ""
        for row in self._rows(f"SELECT {ENROLLMENT} FROM enrollments e {only}"):
            yield _enrollment(row)

    def enrollments_by(self, groups: Mapping[str, str]) -> Iterator[tuple[str, list[Enrollment]]]:
        """Some groups at a time: to sort all enrollments at once would take as much memory as all people do."""
        classes: dict[str, list[str]] = {}
        for taught_class, group in groups.items():
            classes.setdefault(group, []).append(taught_class)
        names = sorted(classes)
        for begin in range(0, len(names), GROUPS_AT_ONCE):
            some = names[begin : begin + GROUPS_AT_ONCE]
            yield from self._enrollments_of([(one, name) for name in some for one in classes[name]])

    def _enrollments_of(self, pairs: list[tuple[str, str]]) -> Iterator[tuple[str, list[Enrollment]]]:
        """`pairs` are (class, group)."""
        self._takes += 1
        table = f"groups_{self._takes}"
        self._db.execute(f"CREATE TABLE {table} (class VARCHAR, name VARCHAR)")
        self._db.execute(
            f"INSERT INTO {table} SELECT one.c, one.n FROM (SELECT unnest(?::STRUCT(c VARCHAR, n VARCHAR)[]) AS one)",
            [[{"c": taught_class, "n": group} for taught_class, group in pairs]],
        )
        rows = self._rows(
            f'SELECT {ENROLLMENT}, g.name FROM enrollments e JOIN {table} g ON g.class = e."classSourcedId"'
            " ORDER BY g.name, e.source_id"
        )
        for group, found in groupby(rows, key=itemgetter(-1)):
            yield group, [_enrollment(row) for row in found]
        self._db.execute(f"DROP TABLE {table}")

    def _posts(self) -> dict[str, tuple[Post, ...]]:
        only = 'SEMI JOIN focused_people f ON f.id = r."userSourcedId"' if self._in_focus else ""
        rows = self._rows(
            'SELECT r."userSourcedId", r.role, r."orgSourcedId", r."roleType", r."beginDate", r."endDate"'
            f' FROM roles r {only} ORDER BY r."userSourcedId", r.source_id'
        )
        return {
            person: shared_tuple(tuple(_post(*about) for _, *about in some))
            for person, some in groupby(rows, key=lambda row: str(row[0]))
        }

    def _look_at(self, focus: Focus) -> None:
        """`focused_classes` and `focused_people` (id): what the focus names, and what belongs to it."""
        for table, ids in (("f_people", focus.people), ("f_classes", focus.classes)):
            self._db.execute(f"CREATE TABLE {table} AS SELECT unnest(?::VARCHAR[]) AS id", [sorted(ids)])
        self._db.execute(
            "CREATE TABLE f_schools AS SELECT unnest(?::VARCHAR[]) AS id", [sorted(focus.schools)]
        )
        self._db.execute(
            "CREATE TABLE focused_classes AS FROM f_classes"
            ' UNION SELECT "classSourcedId" FROM enrollments WHERE "userSourcedId" IN (FROM f_people)'
            ' UNION SELECT source_id FROM classes WHERE "schoolSourcedId" IN (FROM f_schools)'
        )
        self._db.execute(
            "CREATE TABLE focused_people AS FROM f_people"
            ' UNION SELECT "userSourcedId" FROM enrollments WHERE "classSourcedId" IN (FROM focused_classes)'
            ' UNION SELECT "userSourcedId" FROM roles WHERE "orgSourcedId" IN (FROM f_schools)'
        )

    def _rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        with self._db.cursor() as cursor:
            cursor.execute(f"USE {OWN}")
            found = cursor.execute(query)
            while some := found.fetchmany(CHUNK):
                yield from some


ENROLLMENT = 'e.source_id, e."userSourcedId", e."classSourcedId", e.role, e."primary", e."beginDate", e."endDate", e.line'


def has_person(folder: Path, source_id: str) -> bool:
    """Whether the read in this folder has this person, living."""
    stored = parquet_of(folder, "users")
    if stored is None:
        return False
    with reader_in(folder) as db:
        asked = f"SELECT 1 FROM {scan(stored)} WHERE source_id = ? AND status = 'active' LIMIT 1"
        return db.execute(asked, [source_id]).fetchone() is not None


def living(folder: Path, collection: str) -> str:
    columns = ", ".join(map(name, ("source_id", "line", *WANTED[collection])))
    if stored := parquet_of(folder, collection):
        return f"SELECT {columns} FROM {scan(stored)} WHERE status = 'active'"
    nothing = ", ".join(f"NULL::VARCHAR AS {name(column)}" for column in WANTED[collection])
    return f"SELECT NULL::VARCHAR AS source_id, NULL::BIGINT AS line{', ' if nothing else ''}{nothing} WHERE false"


def _org(row: tuple[Any, ...]) -> Org:
    source_id, named, kind, identifier, parent, line = row
    return Org(source_id, _text(named), _text(kind), _text(identifier), _text(parent), line or 0)


def _term(row: tuple[Any, ...]) -> Term:
    source_id, title, begins, ends, parent = row
    return Term(source_id, _text(title), _text(begins), _text(ends), _text(parent))


def _class(row: tuple[Any, ...]) -> TaughtClass:
    source_id, title, school, code, kind, course, course_title, course_code, *rest = row
    terms, grades, subjects, periods, location, line = rest
    return TaughtClass(
        source_id,
        _text(title),
        _text(school),
        _text(code),
        _text(kind),
        _text(course),
        _text(course_title),
        _text(course_code),
        _listed(terms),
        _listed(grades),
        _listed(subjects),
        _listed(periods),
        _text(location),
        line or 0,
    )


@lru_cache(50_000)
def _post(role: str, org: str, kind: str, begins: str, ends: str) -> Post:
    """The same post for all who have it: most people of a school do."""
    return Post(_text(role), _text(org), kind == "primary", _text(begins), _text(ends))


def _person(row: tuple[Any, ...], posts: tuple[Post, ...]) -> Person:
    source_id, given, family, email, username, identifier, grades, enabled, line = row
    return Person(
        intern(source_id),
        _text(given),
        _text(family),
        posts,
        _text(email),
        _text(username),
        _text(identifier),
        _listed(grades),
        enabled != "false",
        line or 0,
    )


def _enrollment(row: tuple[Any, ...]) -> Enrollment:
    source_id, person, taught, role, primary, begins, ends, line = row[:8]
    return Enrollment(
        source_id,
        _text(person),
        _text(taught),
        _text(role),
        primary == "true",
        _text(begins),
        _text(ends),
        line or 0,
    )


def _text(value: Any) -> str:
    return intern(value) if value else ""


def _listed(value: Any) -> tuple[str, ...]:
    return _parted(value) if value else ()


@lru_cache(10_000)
def _parted(text: str) -> tuple[str, ...]:
    """The same few stand in very many records."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def reader_in(folder: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    return reader(MEMORY, 2, folder)
