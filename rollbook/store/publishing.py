"""Making a publication: what is served follows the roster, record by record, and only where the text served really changes.

Everything here happens in the transaction that changed the roster. The order is of dependence: whether an enrollment is served depends on its
class and user, whether a guardian is, on enrollments.
"""

from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.oneroster.json_binding import texts, tombstone
from rollbook.store.beginning import BEGUN, COLUMNS, Beginning, clear
from rollbook.store.bulk import among, batches, elements, load, many
from rollbook.store.looked import Looked
from rollbook.store.models import RECORDS, District
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.pouring import pour
from rollbook.store.records import Loaded, Roster
from rollbook.store.sights import Sight, base_sight

CHUNK, PIECE = 10_000, 2_000
"""So many records are looked at together: where all may have changed, and in a night, which lets readers go first between two of them."""

CLASSES = 500
"""So many classes' enrollments are looked through at a time."""

USERS = 100_000
"""So many users are read through at a time for whom they name."""

ORDER = (
    "orgs",
    "academicSessions",
    "resources",
    "courses",
    "classes",
    "users",
    "enrollments",
    "demographics",
)
"""The collections behind those whose coming and going they tell of."""

Changed = dict[str, set[int]]
"""Record ids by collection: those created, updated, deleted or restored since the last publication."""


@dataclass
class ServedNow:
    """The current served row of a record."""

    position: int
    since: int
    gone: bool
    kind: str
    stamp_v1p1: int
    stamp_v1p2: int
    text_v1p1: str
    text_v1p2: str | None


@dataclass
class Edition:
    """A publication in the making. `totals` are by collection, tombstones included, of which there are so many in `gone`; `written` counts
    rows; `flipped` are records that came into sight or left; `considered` are those that were looked at, None where all may have changed.
    """

    cursor: CursorWrapper
    district: District
    number: int
    today: str
    totals: dict[str, int]
    gone: dict[str, int]
    is_first: bool
    looked: Looked = field(default_factory=Looked)
    written: dict[str, int] = field(default_factory=dict)
    flipped: Changed = field(default_factory=dict)
    considered: Changed | None = None


def follow_roster(edition: Edition, changed: Changed | None, begun: Beginning | None = None) -> None:
    """Bring the served rows of the whole roster up to the roster. `changed` None means that everything may have changed.

    `begun` can serve most of a district's first publication by itself.
    """
    edition.considered = None if changed is None else {}
    if edition.is_first and (begun is None or begun.poured is None):
        clear(edition.cursor, edition.district.pk)
    if begun is not None:
        _begin(edition, begun)
    sight = base_sight(edition.cursor, edition.district.pk)
    roster = Roster(edition.cursor, edition.district.pk, sight, edition.today)
    for collection in ORDER:
        if begun is not None and collection in BEGUN:
            candidates: Iterable[int] = begun.others(collection)
        else:
            candidates = _candidates(edition, sight, collection, changed)
        _expect(edition, collection, candidates)
        _follow(edition, roster, collection, candidates)
        if collection == "users" and changed is not None:
            _follow(edition, roster, "users", _wards(edition))


def _expect(edition: Edition, collection: str, candidates: Iterable[int]) -> None:
    """Of all records of a collection it is known how many were served."""
    if isinstance(candidates, Sized):
        edition.looked.will(collection, len(candidates))
    elif not edition.is_first:
        edition.looked.will(collection, edition.totals[collection])


def _begin(edition: Edition, begun: Beginning) -> None:
    looked = edition.looked
    looked.will("begun", sum(looked.left.pop(collection, 0) for collection in BEGUN))
    poured = begun.poured
    if poured is None:
        pours = [one for _, one in begun.pours]
        poured = pour(
            edition.cursor, begun.reader, pours, lambda rows: looked.has("begun", rows), begun.first
        )
    looked.will("begun", 0)
    for (collection, _), served in zip(begun.pours, poured, strict=True):
        edition.totals[collection] += served
        edition.written[collection] = edition.written.get(collection, 0) + served


# --- Which records may be served differently now ------------------------------------------------------------------------------------


def _candidates(edition: Edition, sight: Sight, collection: str, changed: Changed | None) -> Iterable[int]:
    if edition.is_first and collection == "users":
        return _by_name(edition)
    if changed is None:
        return _all(edition, collection)
    return _DEPENDANTS[collection](edition, changed)


def _by_name(edition: Edition) -> Iterable[int]:
    """A district's first users take their positions by name: who asks for them in that order reads what lies together."""
    edition.cursor.execute(
        "SELECT id FROM store_user WHERE district_id = %s AND status = 'active' ORDER BY family_name_folded, given_name_folded, id",
        [edition.district.pk],
    )
    return [row[0] for row in edition.cursor.fetchall()]


def _all(edition: Edition, collection: str) -> Iterator[int]:
    """Every record id of the collection; ids are read in pieces, so that millions need no memory."""
    table, last = RECORDS[collection]._meta.db_table, 0
    while True:
        edition.cursor.execute(
            f"SELECT id FROM {table} WHERE district_id = %s AND id > %s ORDER BY id LIMIT %s",
            [edition.district.pk, last, CHUNK],
        )
        ids = [row[0] for row in edition.cursor.fetchall()]
        if not ids:
            return
        yield from ids
        last = ids[-1]


def _family(edition: Edition, changed: Changed, collection: str) -> Iterable[int]:
    """Orgs and sessions are few and tell of their parents and children: if one changed, all are looked at."""
    return _all(edition, collection) if changed.get(collection) else ()


def _changed_orgs(edition: Edition, changed: Changed) -> Iterable[int]:
    return _family(edition, changed, "orgs")


def _changed_sessions(edition: Edition, changed: Changed) -> Iterable[int]:
    return _family(edition, changed, "academicSessions")


def _changed_courses(edition: Edition, changed: Changed) -> Iterable[int]:
    if edition.flipped["orgs"] or edition.flipped["academicSessions"]:
        return _all(edition, "courses")
    return sorted({*changed.get("courses", ()), *_given(edition, changed, "courseResources", "course_id")})


def _changed_classes(edition: Edition, changed: Changed) -> Iterable[int]:
    if edition.flipped["orgs"] or edition.flipped["academicSessions"]:
        return _all(edition, "classes")
    flipped = _referring(edition, "store_class", "course_id", edition.flipped["courses"])
    given = _given(edition, changed, "classResources", "class_id")
    return sorted({*changed.get("classes", ()), *flipped, *given})


def _changed_users(edition: Edition, changed: Changed) -> Iterable[int]:
    """Users, before enrollments are looked at: an enrollment changes its user only by making a guardian visible, see `_enrolled`."""
    if edition.flipped["orgs"]:
        return _all(edition, "users")
    ids = set(changed.get("users", ()))
    ids |= _owners(edition, "store_role", changed.get("roles", ()))
    ids |= _owners(edition, "store_userprofile", changed.get("userProfiles", ()))
    ids |= _owners(edition, "store_enrollment", changed.get("enrollments", ()))
    if edition.flipped["classes"]:
        ids |= _owners_in_classes(edition, edition.flipped["classes"])
    ids |= _given(edition, changed, "userResources", "user_id")
    ids |= _told_by_class(edition, changed, "user_id", HAS_NO_ROLE)
    return sorted(ids)


def _changed_resources(edition: Edition, changed: Changed) -> Iterable[int]:
    return sorted(changed.get("resources", ()))


def _given(edition: Edition, changed: Changed, links: str, column: str) -> set[int]:
    """Whom a resource was given or taken from, or who has one that came into sight or left it."""
    table = RECORDS[links]._meta.db_table
    owners = _column(edition, column, table, "id", changed.get(links, ()))
    return owners | _column(edition, column, table, "resource_id", edition.flipped["resources"])


def _changed_enrollments(edition: Edition, changed: Changed) -> Iterable[int]:
    if edition.flipped["orgs"]:
        return _all(edition, "enrollments")
    ids = set(changed.get("enrollments", ()))
    ids |= _referring(edition, "store_enrollment", "class_id", edition.flipped["classes"])
    ids |= _referring(edition, "store_enrollment", "user_id", edition.flipped["users"])
    ids |= _told_by_class(edition, changed, "id", HAS_NO_SCHOOL)
    return sorted(ids)


HAS_NO_ROLE = """NOT EXISTS (SELECT 1 FROM store_role h JOIN store_org o ON o.district_id = h.district_id AND o.id = h.org_id
    AND o.status = 'active' WHERE h.district_id = e.district_id AND h.user_id = e.user_id AND h.status = 'active')"""
HAS_NO_SCHOOL = """NOT EXISTS (SELECT 1 FROM store_org o WHERE o.district_id = e.district_id AND o.id = e.school_id
    AND o.status = 'active')"""


def _told_by_class(edition: Edition, changed: Changed, column: str, condition: str) -> set[int]:
    """Of the enrollments in changed classes, those that are told with the class's school, because there is none of their own."""
    found: set[int] = set()
    for some in batches(sorted(changed.get("classes", ())), CLASSES):
        edition.cursor.execute(
            f"""SELECT e.{column} FROM store_enrollment e WHERE e.district_id = %s AND {among(edition.cursor, "e.class_id")}
                AND e.status = 'active' AND {condition}""",
            [edition.district.pk, many(edition.cursor, some)],
        )
        found.update(row[0] for row in edition.cursor.fetchall())
        edition.looked.goes_on()
    return found


def _changed_demographics(edition: Edition, changed: Changed) -> Iterable[int]:
    ids = set(changed.get("demographics", ()))
    ids |= _referring(edition, "store_demographics", "user_id", edition.flipped["users"])
    return sorted(ids)


_DEPENDANTS = {
    "orgs": _changed_orgs,
    "academicSessions": _changed_sessions,
    "courses": _changed_courses,
    "classes": _changed_classes,
    "users": _changed_users,
    "enrollments": _changed_enrollments,
    "demographics": _changed_demographics,
    "resources": _changed_resources,
}


def _wards(edition: Edition) -> Iterable[int]:
    """Users who name somebody as agent who came into sight or left it."""
    if not edition.flipped["users"]:
        return ()
    cursor, flipped = edition.cursor, many(edition.cursor, edition.flipped["users"])
    cursor.execute(
        "SELECT COALESCE(MAX(id), 0) FROM store_user WHERE district_id = %s", [edition.district.pk]
    )
    [last], found = cursor.fetchone(), []
    for first in range(1, last + 1, USERS):
        cursor.execute(
            f"""SELECT DISTINCT u.id FROM store_user u, {elements(cursor, "u.agent_ids")}
                WHERE u.district_id = %s AND u.id BETWEEN %s AND %s AND u.agent_ids IS NOT NULL AND {among(cursor, "element.value")}
                ORDER BY u.id""",
            [edition.district.pk, first, first + USERS - 1, flipped],
        )
        found += [row[0] for row in cursor.fetchall()]
        edition.looked.goes_on()
    return found


def _referring(edition: Edition, table: str, column: str, ids: Iterable[int]) -> set[int]:
    return _column(edition, "id", table, column, ids)


def _owners(edition: Edition, table: str, ids: Iterable[int]) -> set[int]:
    return _column(edition, "user_id", table, "id", ids)


def _owners_in_classes(edition: Edition, ids: Iterable[int]) -> set[int]:
    return _column(edition, "user_id", "store_enrollment", "class_id", ids)


def _column(edition: Edition, wanted: str, table: str, column: str, ids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    for some in batches(sorted(ids), PIECE):
        edition.cursor.execute(
            f"SELECT {wanted} FROM {table} WHERE district_id = %s AND {among(edition.cursor, column)}",
            [edition.district.pk, many(edition.cursor, some)],
        )
        found.update(row[0] for row in edition.cursor.fetchall())
        edition.looked.goes_on()
    return found


# --- Serving them ---------------------------------------------------------------------------------------------------------------------


def _follow(edition: Edition, roster: Roster, collection: str, ids: Iterable[int]) -> None:
    edition.flipped.setdefault(collection, set())
    edition.written.setdefault(collection, 0)
    for some in batches(ids, CHUNK if edition.considered is None else PIECE):
        now = {} if edition.is_first else served_now(edition, collection, some)
        rows = list(_successors(edition, collection, roster.load(collection, some), now))
        _close(edition, collection, [row for row in rows if row[5] in now], now)
        load(edition.cursor, "store_served", COLUMNS, rows)
        edition.written[collection] += len(rows)
        if edition.considered is not None:
            edition.considered.setdefault(collection, set()).update(some)
        edition.looked.has(collection, len(some))
    edition.looked.will(collection, 0)


def served_now(edition: Edition, collection: str, ids: Sequence[int]) -> dict[int, ServedNow]:
    cursor = edition.cursor
    cursor.execute(
        f"""SELECT record_id, position, from_publication, gone, kind, stamp_v1p1, stamp_v1p2, text_v1p1, text_v1p2
            FROM store_served WHERE district_id = %s AND collection = %s AND to_publication = %s
            AND {among(cursor, "record_id")}""",
        [edition.district.pk, NUMBER_OF[collection], FOREVER, many(cursor, ids)],
    )
    return {record_id: ServedNow(*values) for record_id, *values in cursor.fetchall()}


def _successors(
    edition: Edition, collection: str, loaded: Iterable[Loaded], now: dict[int, ServedNow]
) -> Iterator[tuple[Any, ...]]:
    for found in loaded:
        current = now.get(found.record_id)
        if found.record is not None:
            row = _live(edition, collection, found, current)
        elif current is not None and not current.gone:
            row = _gone(edition, collection, found, current)
        else:
            row = None
        if row is not None:
            yield row


def _live(
    edition: Edition, collection: str, found: Loaded, current: ServedNow | None
) -> tuple[Any, ...] | None:
    text_v1p1, text_v1p2 = texts(collection, found.record, edition.today)
    if current is None:
        edition.flipped[collection].add(found.record_id)
        edition.totals[collection] += 1
        return _row(edition, collection, edition.totals[collection], found, False, text_v1p1, text_v1p2, None)
    if (current.gone, current.kind, current.text_v1p1, current.text_v1p2) == (
        False,
        found.kind,
        text_v1p1,
        text_v1p2,
    ):
        return None
    if current.gone:
        edition.flipped[collection].add(found.record_id)
        edition.gone[collection] -= 1
    return _row(edition, collection, current.position, found, False, text_v1p1, text_v1p2, current)


def _gone(edition: Edition, collection: str, found: Loaded, current: ServedNow) -> tuple[Any, ...]:
    edition.flipped[collection].add(found.record_id)
    edition.gone[collection] += 1
    kept = found._replace(kind=current.kind)
    return _row(
        edition, collection, current.position, kept, True, *tombstones(collection, found.sourced_id), current
    )


def tombstones(collection: str, sourced_id: str) -> tuple[str, str | None]:
    """The tombstone of a record in 1.1 and, where it differs, in 1.2."""
    text_v1p1 = tombstone(collection, sourced_id, "1.1")
    text_v1p2 = tombstone(collection, sourced_id, "1.2")
    return text_v1p1, None if text_v1p2 == text_v1p1 else text_v1p2


def _row(
    edition: Edition,
    collection: str,
    position: int,
    found: Loaded,
    gone: bool,
    text_v1p1: str,
    text_v1p2: str | None,
    current: ServedNow | None,
) -> tuple[Any, ...]:
    stamp_v1p1 = stamp_v1p2 = edition.number
    if current is not None and current.text_v1p1 == text_v1p1:
        stamp_v1p1 = current.stamp_v1p1
    if current is not None and (current.text_v1p2 or current.text_v1p1) == (text_v1p2 or text_v1p1):
        stamp_v1p2 = current.stamp_v1p2
    return (
        edition.district.pk,
        NUMBER_OF[collection],
        position,
        edition.number,
        FOREVER,
        found.record_id,
        gone,
        found.kind,
        stamp_v1p1,
        stamp_v1p2,
        text_v1p1,
        text_v1p2,
    )


def _close(
    edition: Edition, collection: str, rows: Sequence[tuple[Any, ...]], now: dict[int, ServedNow]
) -> None:
    """End what is replaced: with this publication, or, where it was written in this very publication, as if it had never been."""
    places = [now[row[5]] for row in rows]
    key = [edition.district.pk, NUMBER_OF[collection]]
    mine = [place.position for place in places if place.since == edition.number]
    older = [place.position for place in places if place.since != edition.number]
    position = among(edition.cursor, "position")
    where = f"district_id = %s AND collection = %s AND to_publication = %s AND {position}"
    for some in batches(older, CHUNK):
        edition.cursor.execute(
            f"UPDATE store_served SET to_publication = %s WHERE {where}",
            [edition.number, *key, FOREVER, many(edition.cursor, some)],
        )
    for some in batches(mine, CHUNK):
        edition.cursor.execute(
            f"DELETE FROM store_served WHERE {where}", [*key, FOREVER, many(edition.cursor, some)]
        )
