"""Enrollments served for the first time, their texts put together by the database itself: three of four records of a district are these.

Only what needs no care: ids, words and dates of unreserved characters, no metadata. All others go the way of every record (`publishing`).
What the texts look like is taken from the standard's data, as `oneroster.json_binding` does; a test holds the two together.
"""

from django.db.backends.utils import CursorWrapper

from rollbook.oneroster.entities import BASE, ENTITIES
from rollbook.oneroster.json_binding import ADDRESS
from rollbook.oneroster.spec import Member
from rollbook.store.bulk import is_postgresql
from rollbook.store.models.publication import FOREVER, NUMBER_OF

SOURCES = {
    "userSourcedId": "u.sourced_id",
    "classSourcedId": "k.sourced_id",
    # A school out of sight is told as the class's own, which is always in sight.
    "schoolSourcedId": "COALESCE(s.sourced_id, o.sourced_id)",
    "role": "e.role",
    "primary": 'e."primary"',
    "beginDate": "e.begin_date",
    "endDate": "e.end_date",
}
"""Where each canonical field stands in `SERVED`."""

SERVED = """FROM store_enrollment e
    JOIN store_class k ON k.district_id = e.district_id AND k.id = e.class_id AND k.status = 'active'
    JOIN store_course c ON c.district_id = k.district_id AND c.id = k.course_id AND c.status = 'active'
    JOIN store_org o ON o.district_id = k.district_id AND o.id = k.school_id AND o.status = 'active'
    JOIN store_user u ON u.district_id = e.district_id AND u.id = e.user_id AND u.status = 'active'
    LEFT JOIN store_org s ON s.district_id = e.district_id AND s.id = e.school_id AND s.status = 'active'
    WHERE e.district_id = %s AND e.status = 'active'"""
"""The enrollments a full grant sees, as `records.base_sight` says."""


def serve(cursor: CursorWrapper, district_id: int, publication: int, served: int) -> int:
    """Serve every plain enrollment of a district that has served none; how many they are. Positions follow on `served`, class by class."""
    if is_postgresql(cursor):
        cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute(
        f"""INSERT INTO store_served (district_id, collection, from_publication, to_publication, gone, stamp_v1p1, stamp_v1p2,
                position, record_id, kind, text_v1p1)
            SELECT %s, %s, %s, %s, FALSE, %s, %s, %s + row_number() OVER (ORDER BY k.school_id, e.class_id, e.id), e.id, e.role, {_text()}
            {SERVED} AND {_is_plain(cursor)}""",
        [
            district_id,
            NUMBER_OF["enrollments"],
            publication,
            FOREVER,
            publication,
            publication,
            served,
            district_id,
        ],
    )
    return int(cursor.rowcount)


def others(cursor: CursorWrapper, district_id: int, served: int) -> list[int]:
    """The record ids of the enrollments that `serve` leaves to be looked at one by one, having served so many."""
    cursor.execute(
        "SELECT count(*) FROM store_enrollment WHERE district_id = %s AND status = 'active'", [district_id]
    )
    if cursor.fetchone() == (served,):
        return []
    cursor.execute(
        f"SELECT e.id {SERVED} AND NOT ({_is_plain(cursor)}) ORDER BY k.school_id, e.class_id, e.id",
        [district_id],
    )
    return [row[0] for row in cursor.fetchall()]


def _is_plain(cursor: CursorWrapper) -> str:
    texts = ["e.sourced_id", *(source for name, source in SOURCES.items() if name != "primary")]
    together = " || ".join(f"COALESCE({text}, '')" for text in texts)
    mark = "!~ '[^-0-9A-Za-z._~]'" if is_postgresql(cursor) else "NOT GLOB '*[^-0-9A-Za-z._~]*'"
    return f"e.metadata IS NULL AND ({together}) {mark}"


def _text() -> str:
    """SQL: the record from behind `dateLastModified` on, the same in both versions."""
    members = ENTITIES["1.1", "enrollments"].members[len(BASE) :]
    pieces = [
        """',"sourcedId":"' || e.sourced_id || '","status":"active"'""",
        *(_piece(member) for member in members),
        "'}'",
    ]
    return " || ".join(pieces)


def _piece(member: Member) -> str:
    key, source = f',"{member.name}":', SOURCES[member.source]
    if member.type == "boolean":
        missing = f'{key}"{member.default}"' if member.default is not None else ""
        return f"""CASE WHEN {source} THEN '{key}"true"' WHEN NOT {source} THEN '{key}"false"' ELSE '{missing}' END"""
    if member.type == "reference":
        start = f"""'{key}{{"href":"{ADDRESS}/{member.target}/' || {source}"""
        return f"""{start} || '","sourcedId":"' || {source} || '","type":"{member.word}"}}'"""
    nothing = f'{key}""' if member.required else ""
    return f"""CASE WHEN {source} <> '' THEN '{key}"' || {source} || '"' ELSE '{nothing}' END"""
