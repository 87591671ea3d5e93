"""Sights: which records may be referred to, and which people are visible. `base_sight` is the whole roster's; `view_sight` is cut to the
temporary table `seen`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.store.bulk import among, many
from rollbook.store.models import RECORDS
from rollbook.store.visibility import GUARDIANS, seen


@dataclass(frozen=True)
class Sight:
    """What may be seen: served ids by record id of each small collection, where roles may be shown, and which people are visible.

    Orgs at which no roles may be shown are there for reference alone.
    """

    orgs: dict[int, str]
    role_orgs: Collection[int]
    sessions: dict[int, str]
    courses: dict[int, str]
    classes: dict[int, tuple[str, int]]
    resources: dict[int, str]
    people: Callable[[Iterable[int]], dict[int, str]]


def base_sight(cursor: CursorWrapper, district_id: int) -> Sight:
    """Everything a full grant sees: what is active and hangs on what is active, and no guardians for themselves."""
    orgs = _active(cursor, district_id, "store_org")
    courses = _active(cursor, district_id, "store_course")
    return Sight(
        orgs,
        orgs,
        _active(cursor, district_id, "store_academicsession"),
        courses,
        {
            number: (sourced_id, school)
            for number, sourced_id, school, course in rows_of(
                cursor,
                "SELECT id, sourced_id, school_id, course_id FROM store_class WHERE district_id = %s AND status = 'active'",
                [district_id],
            )
            if school in orgs and course in courses
        },
        _active(cursor, district_id, "store_resource"),
        lambda ids: _people_of_roster(cursor, district_id, ids),
    )


def view_sight(cursor: CursorWrapper, district_id: int) -> Sight:
    """What the temporary table `seen` lets through; roles only at the orgs in `chosen`."""
    orgs = _seen(cursor, district_id, "orgs")
    chosen = {row[0] for row in rows_of(cursor, "SELECT id FROM chosen", [])} & set(orgs)
    classes = rows_of(
        cursor,
        f"SELECT id, sourced_id, school_id FROM store_class WHERE district_id = %s AND {seen('classes', 'id')}",
        [district_id],
    )
    return Sight(
        orgs,
        chosen,
        _seen(cursor, district_id, "academicSessions"),
        _seen(cursor, district_id, "courses"),
        {number: (sourced_id, school) for number, sourced_id, school in classes},
        _seen(cursor, district_id, "resources"),
        lambda ids: dict(
            rows_of(
                cursor,
                f"SELECT id, sourced_id FROM store_user WHERE district_id = %s AND {among(cursor, 'id')} AND {seen('users', 'id')}",
                [district_id, many(cursor, ids)],
            )
        ),
    )


def _active(cursor: CursorWrapper, district_id: int, table: str) -> dict[int, str]:
    return dict(
        rows_of(
            cursor,
            f"SELECT id, sourced_id FROM {table} WHERE district_id = %s AND status = 'active'",
            [district_id],
        )
    )


def _seen(cursor: CursorWrapper, district_id: int, collection: str) -> dict[int, str]:
    table = RECORDS[collection]._meta.db_table
    return dict(
        rows_of(
            cursor,
            f"SELECT id, sourced_id FROM {table} WHERE district_id = %s AND {seen(collection, 'id')}",
            [district_id],
        )
    )


def _people_of_roster(cursor: CursorWrapper, district_id: int, ids: Iterable[int]) -> dict[int, str]:
    """Active people who have a role of their own, or sit in a class that is served. Asked in two steps, each by an index."""
    active = dict(
        rows_of(
            cursor,
            f"SELECT id, sourced_id FROM store_user WHERE district_id = %s AND {among(cursor, 'id')} AND status = 'active'",
            [district_id, many(cursor, ids)],
        )
    )
    of_their_own = {
        row[0]
        for row in rows_of(
            cursor,
            f"""SELECT user_id FROM store_role WHERE district_id = %s AND {among(cursor, "user_id")} AND status = 'active'
                AND role NOT IN ({", ".join(["%s"] * len(GUARDIANS))})""",
            [district_id, many(cursor, active), *GUARDIANS],
        )
    }
    enrolled = _enrolled(cursor, district_id, [number for number in active if number not in of_their_own])
    return {number: active[number] for number in active if number in of_their_own or number in enrolled}


def _enrolled(cursor: CursorWrapper, district_id: int, ids: Sequence[int]) -> set[int]:
    if not ids:
        return set()
    rows = rows_of(
        cursor,
        f"""SELECT e.user_id FROM store_enrollment e
            JOIN store_class k ON k.district_id = e.district_id AND k.id = e.class_id AND k.status = 'active'
            JOIN store_course c ON c.district_id = k.district_id AND c.id = k.course_id AND c.status = 'active'
            JOIN store_org o ON o.district_id = k.district_id AND o.id = k.school_id AND o.status = 'active'
            WHERE e.district_id = %s AND {among(cursor, "e.user_id")} AND e.status = 'active'""",
        [district_id, many(cursor, ids)],
    )
    return {row[0] for row in rows}


def rows_of(cursor: CursorWrapper, statement: str, parameters: Sequence[Any]) -> list[Any]:
    cursor.execute(statement, parameters)
    return cursor.fetchall()
