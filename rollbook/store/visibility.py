"""The one road out: what a grant may see is one function of its rule. A reader is a required argument of every read, never an option.

Source of the sets: least privilege, orgs and courses intersected, enrolled people only, ancestors and sessions closed upward for reference.
The rule itself is data (`engine.scope`); here it is worked out in the roster as it is now.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.engine import scope
from rollbook.engine.scope import ALL, EVERYTHING, Choice, Level, Rule, Scope
from rollbook.refusal import Refusal
from rollbook.store.bulk import among, elements, emptied, is_postgresql, load, many
from rollbook.store.chosen import ancestors, chosen, parents_of, taught
from rollbook.store.models import RECORDS, Credential, Grant
from rollbook.store.models.publication import FOREVER, NUMBER_OF

GUARDIANS = ("guardian", "parent", "relative")
"""Roles whose bearers are never served for themselves, only as guardians of a visible pupil where that is granted."""

GUARDIAN_WORDS = ", ".join(f"'{role}'" for role in GUARDIANS)
"""The same as SQL."""

WHOLE_ROSTER = 0
"""The view of a grant to everything."""


class NotVisible(Refusal):
    """There is no such record for this reader: it does not exist, or it is out of scope. The two are one answer."""


class UnknownSchool(Refusal):
    """This district has no org with this sourcedId: the console lists them under Roster, Orgs."""


class UnknownCourse(Refusal):
    """This district has no course with this sourcedId: the console lists them under Roster, Courses."""


class UnknownClass(Refusal):
    """This district has no class with this sourcedId: the console lists them under Roster, Classes."""


UNKNOWN: dict[str, type[Refusal]] = {
    "orgs": UnknownSchool,
    "courses": UnknownCourse,
    "classes": UnknownClass,
}


@dataclass(frozen=True)
class Reader:
    """Who reads: one credential of one grant, and the view that the grant's rule makes.

    `deleted` says whether it is told of what was there, by tombstones; without it only what is there exists.
    """

    district_id: int
    grant_id: int
    grant_version: int
    credential_id: int
    view_id: int
    deleted: bool


def basic(district_id: int, schools: list[str], *, deleted: bool = False, **toggles: Any) -> Rule:
    """The rule of a basic grant to chosen schools, named by served sourcedId, and all courses. Raises UnknownSchool."""
    orgs = Choice(ids=record_ids(district_id, "orgs", schools))
    return scope.basic(replace(Scope(orgs, ALL), **toggles), deleted=deleted)


def record_ids(district_id: int, collection: str, sourced_ids: Iterable[str]) -> tuple[int, ...]:
    """The record ids of what is served under these ids. Raises UnknownSchool, UnknownCourse, UnknownClass."""
    wanted = sorted(set(sourced_ids))
    records = RECORDS[collection]._default_manager.filter(district_id=district_id, sourced_id__in=wanted)
    found = dict(records.values_list("sourced_id", "id"))
    missing = [one for one in wanted if one not in found]
    if missing:
        raise UNKNOWN[collection](", ".join(missing))
    return tuple(sorted(found.values()))


def reader_of(credential: Credential) -> Reader:
    grant: Grant = credential.grant
    return reader_of_grant(grant, credential.pk)


def reader_of_grant(grant: Grant, credential_id: int) -> Reader:
    return Reader(
        grant.district_id,
        grant.pk,
        grant.version,
        credential_id,
        grant.view_id or WHOLE_ROSTER,
        grant.shows_deleted,
    )


# --- The sets, worked out in SQL into temporary tables -----------------------------------------------------------------------------------
#
# seen(collection, record_id) is all that is let through; chosen(id) are the orgs at which people may be shown with a role. Scopes stack: the
# sets of each are worked out in a table of their own and put together, so that no scope reaches what only another one opens. Enrollments are
# by far the most: beside their set stands who is meant and at which school, so that each is looked up once.

SETS = "collection smallint, record_id bigint, PRIMARY KEY (collection, record_id)"
ENROLLED = "id bigint PRIMARY KEY, user_id bigint, school_id bigint"


@dataclass(frozen=True)
class Working:
    """The sets of one scope in the making, in the temporary table `sets`. `without` are people who are never seen."""

    cursor: CursorWrapper
    district_id: int
    scope: Scope
    sets: str
    without: Sequence[int]

    @property
    def enrolled(self) -> str:
        return f"{self.sets}_enrolled"

    def see(self, collection: str, select: str, parameters: Sequence[Any]) -> None:
        """Put what `select` gives as `id` into the set of `collection`; what is there already stays."""
        self.cursor.execute(
            f"""INSERT INTO {self.sets} (collection, record_id)
                SELECT DISTINCT {NUMBER_OF[collection]}, found.id FROM ({select}) AS found WHERE found.id IS NOT NULL
                ON CONFLICT DO NOTHING""",
            parameters,
        )

    def put(self, collection: str, ids: Iterable[int]) -> None:
        rows = ((NUMBER_OF[collection], number) for number in sorted(ids))
        load(self.cursor, self.sets, ("collection", "record_id"), rows)

    def has(self, collection: str, column: str) -> str:
        """A condition: `column` is a record id in the set of `collection`."""
        return seen(collection, column, self.sets)

    def is_allowed(self, column: str) -> tuple[str, list[Any]]:
        """A condition with its parameters: `column` is none of those who are never seen."""
        if not self.without:
            return "1 = 1", []
        return f"NOT ({among(self.cursor, column)})", [many(self.cursor, self.without)]


def seen(collection: str, column: str, sets: str = "seen") -> str:
    """A condition: `column` is a record id seen in `collection`."""
    return f"{column} IN (SELECT record_id FROM {sets} WHERE collection = {NUMBER_OF[collection]})"


def work_out(cursor: CursorWrapper, district_id: int, rule: Rule, without: Sequence[int] = ()) -> None:
    """Fill the temporary tables `seen` and `chosen` with what `rule` lets through of the roster as it is now, and `seen_enrolled`, where it
    is less than the roster, with its enrollments.

    `without` are the record ids of people who are not shown whatever the rule says, neither themselves nor where they are enrolled.
    """
    emptied(cursor, "seen", SETS)
    emptied(cursor, "seen_enrolled", ENROLLED)
    emptied(cursor, "chosen", "id bigint PRIMARY KEY")
    if rule.level is Level.FULL:
        everything = next(iter(rule.scopes), EVERYTHING)
        _everything(Working(cursor, district_id, everything, "seen", without))
    else:
        _stack(cursor, district_id, rule.scopes, without)
    if is_postgresql(cursor):
        cursor.execute("ANALYZE seen")
        cursor.execute("ANALYZE chosen")


def _stack(cursor: CursorWrapper, district_id: int, scopes: Sequence[Scope], without: Sequence[int]) -> None:
    if len(scopes) == 1:
        return _scope(Working(cursor, district_id, scopes[0], "seen", without))
    for one in scopes:
        emptied(cursor, "one_scope", SETS)
        emptied(cursor, "one_scope_enrolled", ENROLLED)
        _scope(Working(cursor, district_id, one, "one_scope", without))
        for kind in ("", "_enrolled"):
            cursor.execute(
                f"INSERT INTO seen{kind} SELECT * FROM one_scope{kind} WHERE TRUE ON CONFLICT DO NOTHING"
            )


def _everything(work: Working) -> None:
    """What the whole roster shows, and guardians where they are let through."""
    allowed, parameters = work.is_allowed("record_id")
    people = f"(collection <> {NUMBER_OF['users']} OR {allowed})"
    work.cursor.execute(
        f"""INSERT INTO seen (collection, record_id) SELECT collection, record_id FROM store_served
            WHERE district_id = %s AND to_publication = %s AND NOT gone AND {people}""",
        [work.district_id, FOREVER, *parameters],
    )
    if work.without:
        _forget(work)
    work.cursor.execute(
        f"INSERT INTO chosen (id) SELECT record_id FROM seen WHERE collection = {NUMBER_OF['orgs']}"
    )
    if work.scope.guardians:
        _guardians(work)
        if work.scope.demographics:
            _demographics(work)


def _forget(work: Working) -> None:
    """Take out what belongs to people who are not shown."""
    for collection, table in (("enrollments", "store_enrollment"), ("demographics", "store_demographics")):
        work.cursor.execute(
            f"""DELETE FROM seen WHERE collection = {NUMBER_OF[collection]} AND record_id IN (
                    SELECT r.id FROM {table} r WHERE r.district_id = %s AND {among(work.cursor, "r.user_id")})""",
            [work.district_id, many(work.cursor, work.without)],
        )


def _scope(work: Working) -> None:
    orgs = _places(work)
    _chosen(work, orgs)
    parents = parents_of(work.cursor, work.district_id)
    work.put("orgs", orgs | ancestors(parents, orgs))
    if work.scope.classes is None:
        _courses(work)
        _classes(work, orgs)
    _enrollments(work)
    _users(work, orgs)
    _sessions(work)
    if work.scope.demographics:
        _demographics(work)
    if work.scope.resources:
        _resources(work)


def _places(work: Working) -> set[int]:
    """The orgs chosen; where classes are, those classes' schools, with the classes and their courses put into their sets."""
    scope_, cursor = work.scope, work.cursor
    if scope_.classes is None:
        return chosen(cursor, work.district_id, "orgs", scope_.orgs)
    rows = taught(cursor, work.district_id, scope_.classes)
    work.put("classes", {row[0] for row in rows})
    work.put("courses", {row[1] for row in rows})
    return {row[2] for row in rows}


def _chosen(work: Working, orgs: set[int]) -> None:
    work.cursor.execute("SELECT id FROM chosen")
    known = {row[0] for row in work.cursor.fetchall()}
    load(work.cursor, "chosen", ["id"], ((number,) for number in sorted(orgs - known)))


def _courses(work: Working) -> None:
    """Chosen courses of chosen orgs, of those above them, or of none."""
    choice = work.scope.courses
    parameters: list[Any] = []
    if choice.is_nothing:
        return
    condition = "1 = 1"
    if not choice.all:
        condition = among(work.cursor, "c.id")
        parameters = [many(work.cursor, chosen(work.cursor, work.district_id, "courses", choice))]
    work.see(
        "courses",
        f"""SELECT c.id FROM store_course c WHERE c.district_id = %s AND c.status = 'active' AND {condition}
            AND (c.org_id IS NULL OR {work.has("orgs", "c.org_id")})""",
        [work.district_id, *parameters],
    )


def _classes(work: Working, orgs: set[int]) -> None:
    work.see(
        "classes",
        f"""SELECT k.id FROM store_class k WHERE k.district_id = %s AND k.status = 'active'
            AND {among(work.cursor, "k.school_id")} AND {work.has("courses", "k.course_id")}""",
        [work.district_id, many(work.cursor, orgs)],
    )


def _enrollments(work: Working) -> None:
    allowed, parameters = work.is_allowed("e.user_id")
    work.cursor.execute(
        f"""INSERT INTO {work.enrolled} (id, user_id, school_id) SELECT e.id, e.user_id, e.school_id FROM store_enrollment e
            JOIN store_user u ON u.district_id = e.district_id AND u.id = e.user_id AND u.status = 'active'
            WHERE e.district_id = %s AND e.status = 'active' AND {work.has("classes", "e.class_id")} AND {allowed}""",
        [work.district_id, *parameters],
    )
    work.cursor.execute(
        f"INSERT INTO {work.sets} (collection, record_id) SELECT {NUMBER_OF['enrollments']}, id FROM {work.enrolled}"
    )


def _users(work: Working, orgs: set[int]) -> None:
    """People enrolled; then, where the toggles say so, people in no class at all, and guardians."""
    work.see("users", f"SELECT user_id AS id FROM {work.enrolled}", [])
    if work.scope.guardians:
        _guardians(work)
    if work.scope.unenrolled:
        _unenrolled(work, orgs)


def _unenrolled(work: Working, orgs: set[int]) -> None:
    """People of the chosen orgs who are in no class of the district, or, with `elsewhere`, in no class that is shared."""
    nowhere = (
        ""
        if work.scope.elsewhere
        else """AND NOT EXISTS (SELECT 1 FROM store_enrollment e WHERE e.district_id = u.district_id AND e.user_id = u.id
                                AND e.status = 'active')"""
    )
    allowed, parameters = work.is_allowed("u.id")
    work.see(
        "users",
        f"""SELECT u.id FROM store_user u WHERE u.district_id = %s AND u.status = 'active' AND {allowed} {nowhere}
            AND EXISTS (SELECT 1 FROM store_role r WHERE r.district_id = u.district_id AND r.user_id = u.id
                        AND r.status = 'active' AND r.role NOT IN ({GUARDIAN_WORDS}) AND {among(work.cursor, "r.org_id")})""",
        [work.district_id, *parameters, many(work.cursor, orgs)],
    )


def _guardians(work: Working) -> None:
    """Guardians whom a student names as agent who is seen in a class."""
    allowed, parameters = work.is_allowed("g.id")
    named = elements(work.cursor, "u.agent_ids")
    work.see(
        "users",
        f"""SELECT g.id FROM store_user g WHERE g.district_id = %s AND g.status = 'active' AND {allowed}
            AND EXISTS (SELECT 1 FROM store_role r WHERE r.district_id = g.district_id AND r.user_id = g.id
                        AND r.status = 'active' AND r.role IN ({GUARDIAN_WORDS}))
            AND g.id IN (SELECT element.value FROM store_user u, {named}
                         WHERE u.district_id = %s AND u.agent_ids IS NOT NULL AND u.id IN (
                             SELECT e.user_id FROM store_enrollment e WHERE e.district_id = %s AND e.role = 'student'
                             AND {work.has("enrollments", "e.id")}))""",
        [work.district_id, *parameters, work.district_id, work.district_id],
    )


def _sessions(work: Working) -> None:
    """The terms of the classes and the school years of the courses, with all above them."""
    number = work.district_id
    work.see(
        "academicSessions",
        f"""WITH RECURSIVE up(id, parent_id) AS (
                SELECT s.id, s.parent_id FROM store_academicsession s
                WHERE s.district_id = %s AND s.status = 'active' AND s.id IN (
                    SELECT element.value FROM store_class k, {elements(work.cursor, "k.term_ids")}
                    WHERE k.district_id = %s AND {work.has("classes", "k.id")}
                    UNION
                    SELECT c.school_year_id FROM store_course c
                    WHERE c.district_id = %s AND {work.has("courses", "c.id")})
                UNION
                SELECT s.id, s.parent_id FROM store_academicsession s JOIN up ON s.id = up.parent_id
                WHERE s.district_id = %s AND s.status = 'active')
            SELECT id FROM up""",
        [number, number, number, number],
    )


def _demographics(work: Working) -> None:
    work.see(
        "demographics",
        f"""SELECT d.id FROM store_demographics d
            WHERE d.district_id = %s AND d.status = 'active' AND {work.has("users", "d.user_id")}""",
        [work.district_id],
    )


def _resources(work: Working) -> None:
    """The resources of the classes and of the courses."""
    number = work.district_id
    work.see(
        "resources",
        f"""SELECT r.id FROM store_resource r WHERE r.district_id = %s AND r.status = 'active' AND r.id IN (
                SELECT l.resource_id FROM store_classresource l
                WHERE l.district_id = %s AND l.status = 'active' AND {work.has("classes", "l.class_id")}
                UNION
                SELECT l.resource_id FROM store_courseresource l
                WHERE l.district_id = %s AND l.status = 'active' AND {work.has("courses", "l.course_id")})""",
        [number, number, number],
    )
