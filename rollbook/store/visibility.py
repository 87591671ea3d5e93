"""The one road out: what a grant may see is one function of its rule. A reader is a required argument of every read, never an option.

Source of the sets: least privilege, orgs and courses intersected, enrolled people only, ancestors and sessions closed upward for reference.
"""

import json
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from rollbook.refusal import Refusal
from rollbook.store.bulk import among, elements, is_postgresql, many, temporary
from rollbook.store.models import Credential, Grant, Org
from rollbook.store.models.publication import FOREVER, NUMBER_OF

GUARDIANS = ("guardian", "parent", "relative")
"""Roles whose bearers are never served for themselves, only as guardians of a visible pupil where that is granted."""

WHOLE_ROSTER = 0
"""The view of a grant to everything."""


class NotVisible(Refusal):
    """There is no such record for this reader: it does not exist, or it is out of scope. The two are one answer."""


class UnknownSchool(Refusal):
    """This district has no org with this sourcedId: the console lists them under Roster, Orgs."""


@dataclass(frozen=True)
class Reader:
    """Who reads: one credential of one grant, and the view that the grant's rule makes."""

    district_id: int
    grant_id: int
    grant_version: int
    credential_id: int
    view_id: int


@dataclass(frozen=True)
class Rule:
    """What a grant lets through. `orgs` None means all, which follows new ones; otherwise the record ids chosen, each for itself alone."""

    orgs: tuple[int, ...] | None = None
    unenrolled: bool = True
    demographics: bool = True

    @property
    def is_everything(self) -> bool:
        return self == FULL

    def canonical(self) -> str:
        return json.dumps(
            {
                "orgs": None if self.orgs is None else sorted(set(self.orgs)),
                "unenrolled": self.unenrolled,
                "demographics": self.demographics,
            },
            sort_keys=True,
        )

    @classmethod
    def parse(cls, text: str) -> "Rule":
        stored = json.loads(text)
        orgs = stored["orgs"]
        return cls(None if orgs is None else tuple(orgs), stored["unenrolled"], stored["demographics"])


FULL = Rule()


def basic(district_id: int, schools: list[str]) -> Rule:
    """The rule of a basic grant to chosen schools, named by served sourcedId: all courses, enrolled people only, demographics."""
    found = dict(
        Org.objects.filter(district_id=district_id, sourced_id__in=schools).values_list("sourced_id", "id")
    )
    missing = sorted(set(schools) - set(found))
    if missing:
        raise UnknownSchool(", ".join(missing))
    return Rule(tuple(sorted(found.values())), unenrolled=False)


def reader_of(credential: Credential) -> Reader:
    grant: Grant = credential.grant
    return Reader(grant.district_id, grant.pk, grant.version, credential.pk, grant.view_id or WHOLE_ROSTER)


# --- The sets, worked out in SQL into one temporary table: seen(collection, record_id). -------------------------------------------


def work_out(cursor: CursorWrapper, district_id: int, rule: Rule) -> None:
    """Fill the temporary table `seen` with what `rule` lets through of the roster as it is now."""
    temporary(cursor, "seen", "collection smallint, record_id bigint, PRIMARY KEY (collection, record_id)")
    if rule.is_everything:
        return _everything(cursor, district_id)
    _orgs(cursor, district_id, rule)
    _courses(cursor, district_id)
    _classes(cursor, district_id, rule)
    _enrollments(cursor, district_id)
    _users(cursor, district_id, rule)
    _sessions(cursor, district_id)
    if rule.demographics:
        _demographics(cursor, district_id)
    if is_postgresql(cursor):
        cursor.execute("ANALYZE seen")


def _everything(cursor: CursorWrapper, district_id: int) -> None:
    """A grant to everything that keeps rows of its own, because it once saw less, sees what the whole roster shows."""
    cursor.execute(
        """INSERT INTO seen (collection, record_id) SELECT collection, record_id FROM store_served
           WHERE district_id = %s AND to_publication = %s AND NOT gone""",
        [district_id, FOREVER],
    )


def _see(cursor: CursorWrapper, collection: str, select: str, parameters: list[object]) -> None:
    cursor.execute(
        f"INSERT INTO seen (collection, record_id) SELECT DISTINCT {NUMBER_OF[collection]}, found.id FROM ({select}) AS found",
        parameters,
    )


def seen(collection: str, column: str) -> str:
    """A condition: `column` is a record id seen in `collection`."""
    return f"{column} IN (SELECT record_id FROM seen WHERE collection = {NUMBER_OF[collection]})"


def _orgs(cursor: CursorWrapper, district_id: int, rule: Rule) -> None:
    chosen, parameters = _chosen(cursor, "o", rule)
    _see(
        cursor,
        "orgs",
        f"""WITH RECURSIVE up(id, parent_id) AS (
                SELECT o.id, o.parent_id FROM store_org o
                WHERE o.district_id = %s AND o.status = 'active' AND {chosen}
                UNION
                SELECT o.id, o.parent_id FROM store_org o JOIN up ON o.id = up.parent_id
                WHERE o.district_id = %s AND o.status = 'active')
            SELECT id FROM up""",
        [district_id, *parameters, district_id],
    )


def _chosen(cursor: CursorWrapper, alias: str, rule: Rule, column: str = "id") -> tuple[str, list[object]]:
    if rule.orgs is None:
        return "1 = 1", []
    return among(cursor, f"{alias}.{column}"), [many(cursor, rule.orgs)]


def _courses(cursor: CursorWrapper, district_id: int) -> None:
    _see(
        cursor,
        "courses",
        f"""SELECT c.id FROM store_course c WHERE c.district_id = %s AND c.status = 'active'
            AND (c.org_id IS NULL OR {seen("orgs", "c.org_id")})""",
        [district_id],
    )


def _classes(cursor: CursorWrapper, district_id: int, rule: Rule) -> None:
    chosen, parameters = _chosen(cursor, "k", rule, "school_id")
    _see(
        cursor,
        "classes",
        f"""SELECT k.id FROM store_class k WHERE k.district_id = %s AND k.status = 'active' AND {chosen}
            AND {seen("orgs", "k.school_id")} AND {seen("courses", "k.course_id")}""",
        [district_id, *parameters],
    )


def _enrollments(cursor: CursorWrapper, district_id: int) -> None:
    _see(
        cursor,
        "enrollments",
        f"""SELECT e.id FROM store_enrollment e
            JOIN store_user u ON u.district_id = e.district_id AND u.id = e.user_id AND u.status = 'active'
            WHERE e.district_id = %s AND e.status = 'active' AND {seen("classes", "e.class_id")}""",
        [district_id],
    )


def _users(cursor: CursorWrapper, district_id: int, rule: Rule) -> None:
    enrolled = f"""SELECT e.user_id AS id FROM store_enrollment e
                   WHERE e.district_id = %s AND {seen("enrollments", "e.id")}"""
    if not rule.unenrolled:
        return _see(cursor, "users", enrolled, [district_id])
    chosen, parameters = _chosen(cursor, "r", rule, "org_id")
    unenrolled = f"""SELECT u.id FROM store_user u
        WHERE u.district_id = %s AND u.status = 'active'
        AND EXISTS (SELECT 1 FROM store_role r WHERE r.district_id = u.district_id AND r.user_id = u.id
                    AND r.status = 'active' AND r.role NOT IN ('guardian', 'parent', 'relative') AND {chosen})
        AND NOT EXISTS (SELECT 1 FROM store_enrollment e WHERE e.district_id = u.district_id AND e.user_id = u.id
                        AND e.status = 'active')"""
    _see(cursor, "users", f"{enrolled} UNION {unenrolled}", [district_id, district_id, *parameters])


def _sessions(cursor: CursorWrapper, district_id: int) -> None:
    _see(
        cursor,
        "academicSessions",
        f"""WITH RECURSIVE up(id, parent_id) AS (
                SELECT s.id, s.parent_id FROM store_academicsession s
                WHERE s.district_id = %s AND s.status = 'active' AND s.id IN (
                    SELECT element.value FROM store_class k, {elements(cursor, "k.term_ids")}
                    WHERE k.district_id = %s AND {seen("classes", "k.id")}
                    UNION
                    SELECT c.school_year_id FROM store_course c
                    WHERE c.district_id = %s AND {seen("courses", "c.id")})
                UNION
                SELECT s.id, s.parent_id FROM store_academicsession s JOIN up ON s.id = up.parent_id
                WHERE s.district_id = %s AND s.status = 'active')
            SELECT id FROM up""",
        [district_id, district_id, district_id, district_id],
    )


def _demographics(cursor: CursorWrapper, district_id: int) -> None:
    _see(
        cursor,
        "demographics",
        f"""SELECT d.id FROM store_demographics d
            WHERE d.district_id = %s AND d.status = 'active' AND {seen("users", "d.user_id")}""",
        [district_id],
    )
