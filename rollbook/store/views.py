"""Views: what one rule lets through, with entries and exits stamped by the publication in which they happened.

A view is brought up to the roster in the transaction that made the publication. Its membership is worked out by `visibility.work_out`, once
for all views of one rule; here it is compared with the rows of each, and only the difference is written. Records the rule trims get texts of
their own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.engine.scope import NONE, Rule
from rollbook.oneroster.json_binding import texts
from rollbook.store.bulk import batches, elements, is_postgresql, load, temporary
from rollbook.store.circumstances import Circumstances
from rollbook.store.models import RECORDS, View
from rollbook.store.models.publication import COLLECTIONS, FOREVER, NUMBER_OF
from rollbook.store.publishing import CHUNK, Edition, served_now, tombstones
from rollbook.store.records import Roster
from rollbook.store.sights import Sight, view_sight
from rollbook.store.visibility import GUARDIAN_WORDS, WHOLE_ROSTER, seen, work_out

NEXT = "record_id, position, place, gone, kind, stamp_v1p1, stamp_v1p2, text_v1p1, text_v1p2"
NEXT_COLUMNS = tuple(NEXT.split(", "))
KEY_COLUMNS = ("district_id", "view_id", "collection", "from_publication", "to_publication")
ANALYZE_FROM = 10_000
"""Rows entering a view from which the database is told to look at the table anew before it answers questions about it."""

OWN_COLUMNS = ("collection", "record_id", "kind", "text_v1p1", "text_v1p2")

Trim = tuple[str, list[Any]]
"""A condition on a roster row `r`, with its parameters."""


def work(edition: Edition, rule: Rule, circumstances: Circumstances) -> None:
    """Work out what `rule` shows of the roster now, and how: the temporary tables `seen` and `own`, from which views are brought up."""
    shown = rule if circumstances.is_open else NONE
    work_out(edition.cursor, edition.district.pk, shown, sorted(circumstances.left_out))
    _trim(edition, rule, circumstances)


@dataclass(frozen=True)
class Edit:
    """What an edit of permissions did to a view, beside what it shows: in `touched` collections every record counts as changed, in `renamed`
    ones each has another id than before.
    """

    touched: frozenset[str] = frozenset()
    renamed: frozenset[str] = frozenset()


NO_EDIT = Edit()


def refresh(
    edition: Edition,
    view: View,
    totals: dict[str, int],
    gone: dict[str, int],
    circumstances: Circumstances,
    edit: Edit = NO_EDIT,
) -> set[str]:
    """Bring `view` up to what was worked out last; the collections in which a row of it changed. `totals` and `gone` follow."""
    before = sum(totals.values())
    changed = set()
    edition.looked.will(f"view {view.pk}", sum(edition.totals.values()))
    for name in COLLECTIONS:
        if name in edit.renamed and (left := _rename(edition, view, name, circumstances)):
            gone[name] += left
            changed.add(name)
        if _refresh_collection(edition, view, name, totals, gone, circumstances, name in edit.touched):
            changed.add(name)
        edition.looked.has(f"view {view.pk}", edition.totals[name])
    if sum(totals.values()) - before >= ANALYZE_FROM and is_postgresql(edition.cursor):
        edition.cursor.execute("ANALYZE store_viewrow")
    return changed


def count_gone(edition: Edition, view_id: int, collection: str) -> int:
    """How many tombstones a view holds of a collection."""
    table = "store_served" if view_id == WHOLE_ROSTER else "store_viewrow"
    view, parameters = ("", []) if view_id == WHOLE_ROSTER else ("AND view_id = %s", [view_id])
    edition.cursor.execute(
        f"SELECT count(*) FROM {table} WHERE district_id = %s {view} AND collection = %s AND to_publication = %s AND gone",
        [edition.district.pk, *parameters, NUMBER_OF[collection], FOREVER],
    )
    return int(edition.cursor.fetchone()[0])


def copy_rows(edition: Edition, source: int, copy: int) -> None:
    """Give the view `copy` the current rows of the view `source`: the same records at the same positions with the same stamps."""
    if source == WHOLE_ROSTER:
        texts_of = "CASE WHEN gone THEN text_v1p1 END, CASE WHEN gone THEN text_v1p2 END"
        origin, place, kind, where = (
            "store_served",
            "position",
            "CASE WHEN gone THEN kind END",
            "district_id = %s AND to_publication = %s",
        )
        parameters = [edition.district.pk, FOREVER]
    else:
        texts_of, kind, place, origin = "text_v1p1, text_v1p2", "kind", "place", "store_viewrow"
        where = "district_id = %s AND to_publication = %s AND view_id = %s"
        parameters = [edition.district.pk, FOREVER, source]
    edition.cursor.execute(
        f"""INSERT INTO store_viewrow (district_id, view_id, collection, position, from_publication, to_publication, record_id, place,
                gone, kind, stamp_v1p1, stamp_v1p2, text_v1p1, text_v1p2)
            SELECT district_id, %s, collection, position, from_publication, to_publication, record_id, {place}, gone,
                {kind}, stamp_v1p1, stamp_v1p2, {texts_of}
            FROM {origin} WHERE {where}""",
        [copy, *parameters],
    )


# --- Texts of its own -------------------------------------------------------------------------------------------------------------------


def _trim(edition: Edition, rule: Rule, circumstances: Circumstances) -> None:
    """Fill the temporary table `own` with the records this view shows otherwise than the whole roster does."""
    temporary(
        edition.cursor,
        "own",
        "collection smallint, record_id bigint, kind text, text_v1p1 text, text_v1p2 text, PRIMARY KEY (collection, record_id)",
    )
    sight = view_sight(edition.cursor, edition.district.pk)
    roster = Roster(edition.cursor, edition.district.pk, sight, edition.today)
    for collection in COLLECTIONS:
        treatments = rule.treatments.get(collection, {})
        all_of_it = bool(treatments) or circumstances.shows_ids_of(collection)
        ids = _looked_at(edition, sight, collection, all_of_it)
        for some in batches(ids, CHUNK):
            rows = _own(edition, roster, collection, some, circumstances, treatments)
            load(edition.cursor, "own", OWN_COLUMNS, list(rows))


def _looked_at(edition: Edition, sight: Sight, collection: str, all_of_it: bool) -> list[int]:
    """The records that may be shown otherwise; all of them where fields are treated."""
    if collection == "orgs":
        return sorted(sight.orgs)
    if collection == "academicSessions":
        return sorted(sight.sessions)
    if all_of_it:
        number = NUMBER_OF[collection]
        edition.cursor.execute(f"SELECT record_id FROM seen WHERE collection = {number} ORDER BY record_id")
        return [row[0] for row in edition.cursor.fetchall()]
    if collection == "enrollments":
        return _at_unseen_schools(edition)
    return _trimmed(edition, collection) if collection in TRIMMED else []


def _at_unseen_schools(edition: Edition) -> list[int]:
    """The enrollments seen whose school is out of sight, instead of which the class's is told."""
    edition.cursor.execute(
        f"SELECT id FROM seen_enrolled WHERE NOT ({seen('orgs', 'school_id')}) ORDER BY id"
    )
    return [row[0] for row in edition.cursor.fetchall()]


def _own(
    edition: Edition,
    roster: Roster,
    collection: str,
    ids: Sequence[int],
    circumstances: Circumstances,
    treatments: Mapping[str, str],
) -> Iterator[tuple[Any, ...]]:
    now = served_now(edition, collection, ids)
    for found in roster.load(collection, ids):
        if found.record is None:
            continue
        record = circumstances.treated(collection, found.record_id, found.record, treatments)
        shown = texts(collection, record, edition.today)
        everybody = now.get(found.record_id)
        if everybody is None or (everybody.text_v1p1, everybody.text_v1p2) != shown:
            yield NUMBER_OF[collection], found.record_id, found.kind, *shown


def _trimmed(edition: Edition, collection: str) -> list[int]:
    """The records seen that may have something to hide, or that the whole roster does not show."""
    cursor, number = edition.cursor, edition.district.pk
    condition, parameters = TRIMMED[collection](cursor, number)
    cursor.execute(
        f"""SELECT r.id FROM {RECORDS[collection]._meta.db_table} r
            JOIN seen s ON s.collection = {NUMBER_OF[collection]} AND s.record_id = r.id
            WHERE r.district_id = %s AND ({condition}) ORDER BY r.id""",
        [number, *parameters],
    )
    return [row[0] for row in cursor.fetchall()]


def _trimmed_courses(cursor: CursorWrapper, district_id: int) -> Trim:
    """An org out of sight, or a resource."""
    resources, parameters = _unseen_resource(district_id, "store_courseresource", "course_id")
    return f"r.org_id IS NOT NULL AND NOT ({seen('orgs', 'r.org_id')}) OR {resources}", parameters


def _trimmed_classes(cursor: CursorWrapper, district_id: int) -> Trim:
    return _unseen_resource(district_id, "store_classresource", "class_id")


def _trimmed_users(cursor: CursorWrapper, district_id: int) -> Trim:
    """A role or a primary org that is not chosen, no role that is, agents or resources that others see, or a guardian, who is not served
    otherwise.
    """
    agents = f"""EXISTS (SELECT 1 FROM {elements(cursor, "r.agent_ids")}
        WHERE ({seen("users", "element.value")}) <> (element.value IN (
            SELECT record_id FROM store_served WHERE district_id = %s AND collection = {NUMBER_OF["users"]}
            AND to_publication = %s AND NOT gone)))"""
    resources, parameters = _unseen_resource(district_id, "store_userresource", "user_id")
    return (
        f"""r.primary_org_id IS NOT NULL AND r.primary_org_id NOT IN (SELECT id FROM chosen)
            OR NOT EXISTS (SELECT 1 FROM store_role h WHERE h.district_id = r.district_id AND h.user_id = r.id AND h.status = 'active'
                           AND h.org_id IN (SELECT id FROM chosen))
            OR EXISTS (SELECT 1 FROM store_role h WHERE h.district_id = r.district_id AND h.user_id = r.id AND h.status = 'active'
                       AND (h.org_id NOT IN (SELECT id FROM chosen) OR h.role IN ({GUARDIAN_WORDS})))
            OR r.agent_ids IS NOT NULL AND {agents} OR {resources}""",
        [district_id, FOREVER, *parameters],
    )


def _trimmed_demographics(cursor: CursorWrapper, district_id: int) -> Trim:
    """Of somebody whom nobody else sees, a guardian, who was looked at before."""
    return f"r.user_id IN (SELECT record_id FROM own WHERE collection = {NUMBER_OF['users']})", []


def _unseen_resource(district_id: int, table: str, column: str) -> Trim:
    return (
        f"""r.id IN (SELECT l.{column} FROM {table} l WHERE l.district_id = %s AND l.status = 'active'
                     AND NOT ({seen("resources", "l.resource_id")}))""",
        [district_id],
    )


TRIMMED: dict[str, Callable[[CursorWrapper, int], Trim]] = {
    "courses": _trimmed_courses,
    "classes": _trimmed_classes,
    "users": _trimmed_users,
    "demographics": _trimmed_demographics,
}
"""Which records of a collection `_own` looks at; orgs and sessions are few and all looked at, resources never differ."""


# --- The difference -------------------------------------------------------------------------------------------------------------------


def _refresh_collection(
    edition: Edition,
    view: View,
    collection: str,
    totals: dict[str, int],
    gone: dict[str, int],
    circumstances: Circumstances,
    touched: bool,
) -> bool:
    temporary(
        edition.cursor,
        "successor",
        """record_id bigint PRIMARY KEY, position bigint, place bigint, gone boolean, kind text, stamp_v1p1 bigint, stamp_v1p2 bigint,
           text_v1p1 text, text_v1p2 text""",
    )
    gone[collection] -= _returned_or_retold(edition, view, collection, touched)
    gone[collection] += _left(edition, view, collection, circumstances)
    moved = _replace(edition, view, collection)
    entered = _enter(edition, view, collection, totals)
    return bool(moved or entered)


def _current(edition: Edition, view: View, collection: str) -> tuple[str, list[Any]]:
    condition = "v.district_id = %s AND v.view_id = %s AND v.collection = %s AND v.to_publication = %s"
    return condition, [edition.district.pk, view.pk, NUMBER_OF[collection], FOREVER]


def _returned_or_retold(edition: Edition, view: View, collection: str, touched: bool) -> int:
    """Records seen now that were gone, or whose own text came, changed or went, or all that are seen; how many were gone."""
    fresh = "TRUE" if touched else "v.gone"
    differs = "IS DISTINCT FROM" if is_postgresql(edition.cursor) else "IS NOT"
    current, parameters = _current(edition, view, collection)
    changed = f"{fresh} OR v.text_v1p1 {differs} o.text_v1p1 OR v.text_v1p2 {differs} o.text_v1p2 OR v.kind {differs} o.kind"
    edition.cursor.execute(
        f"""INSERT INTO successor ({NEXT})
            SELECT v.record_id, v.position, v.place, FALSE, o.kind,
                   CASE WHEN {fresh} OR v.text_v1p1 {differs} o.text_v1p1 THEN %s ELSE v.stamp_v1p1 END,
                   CASE WHEN {fresh} OR COALESCE(v.text_v1p2, v.text_v1p1) {differs} COALESCE(o.text_v1p2, o.text_v1p1)
                        THEN %s ELSE v.stamp_v1p2 END,
                   o.text_v1p1, o.text_v1p2
            FROM store_viewrow v
            JOIN seen s ON s.collection = v.collection AND s.record_id = v.record_id
            LEFT JOIN own o ON o.collection = v.collection AND o.record_id = v.record_id
            WHERE {current} AND ({changed})""",
        [edition.number, edition.number, *parameters],
    )
    if not edition.cursor.rowcount:
        return 0
    edition.cursor.execute(
        f"SELECT count(*) FROM store_viewrow v JOIN successor n ON n.record_id = v.record_id WHERE {current} AND v.gone",
        parameters,
    )
    return int(edition.cursor.fetchone()[0])


def _left(edition: Edition, view: View, collection: str, circumstances: Circumstances) -> int:
    """Records not seen any more become tombstones; how many."""
    current, parameters = _current(edition, view, collection)
    table = RECORDS[collection]._meta.db_table
    edition.cursor.execute(
        f"""SELECT v.record_id, v.position, v.place, COALESCE(v.kind, b.kind, ''), r.sourced_id
            FROM store_viewrow v
            JOIN {table} r ON r.district_id = v.district_id AND r.id = v.record_id
            LEFT JOIN store_served b ON b.district_id = v.district_id AND b.collection = v.collection
                AND b.record_id = v.record_id AND b.to_publication = %s
            WHERE {current} AND NOT v.gone
            AND NOT EXISTS (SELECT 1 FROM seen s WHERE s.collection = v.collection AND s.record_id = v.record_id)""",
        [FOREVER, *parameters],
    )
    rows = [
        (
            record_id,
            position,
            place,
            True,
            kind,
            edition.number,
            edition.number,
            *tombstones(collection, circumstances.shown_id(collection, sourced_id)),
        )
        for record_id, position, place, kind, sourced_id in edition.cursor.fetchall()
    ]
    return load(edition.cursor, "successor", NEXT_COLUMNS, rows)


def _rename(edition: Edition, view: View, collection: str, circumstances: Circumstances) -> int:
    """Records get other ids: under those they had they become tombstones, which are kept by the negative of the record id. Those that had
    been left behind under the new ids are taken up again. How many tombstones there are more.
    """
    current, parameters = _current(edition, view, collection)
    condition, cursor = current.replace("v.", ""), edition.cursor
    cursor.execute(f"UPDATE store_viewrow SET record_id = -record_id WHERE {condition} AND gone", parameters)
    cursor.execute(
        f"""SELECT v.record_id, v.position, v.place, COALESCE(v.kind, b.kind, ''), r.sourced_id
            FROM store_viewrow v
            JOIN {RECORDS[collection]._meta.db_table} r ON r.district_id = v.district_id AND r.id = v.record_id
            LEFT JOIN store_served b ON b.district_id = v.district_id AND b.collection = v.collection
                AND b.record_id = v.record_id AND b.to_publication = %s
            WHERE {current} AND NOT v.gone""",
        [FOREVER, *parameters],
    )
    left = cursor.fetchall()
    now = f"{condition} AND NOT gone"
    cursor.execute(
        f"DELETE FROM store_viewrow WHERE {now} AND from_publication = %s", [*parameters, edition.number]
    )
    cursor.execute(f"UPDATE store_viewrow SET to_publication = %s WHERE {now}", [edition.number, *parameters])
    key = (edition.district.pk, view.pk, NUMBER_OF[collection], edition.number, FOREVER)
    rows = (
        (
            *key,
            -record_id,
            position,
            place,
            True,
            kind,
            edition.number,
            edition.number,
            *tombstones(collection, circumstances.shown_id(collection, sourced_id, before=True)),
        )
        for record_id, position, place, kind, sourced_id in left
    )
    return load(cursor, "store_viewrow", (*KEY_COLUMNS, *NEXT_COLUMNS), rows)


def _replace(edition: Edition, view: View, collection: str) -> int:
    key = [edition.district.pk, view.pk, NUMBER_OF[collection]]
    where = "district_id = %s AND view_id = %s AND collection = %s AND to_publication = %s AND record_id IN (SELECT record_id FROM successor)"
    cursor = edition.cursor
    cursor.execute(
        f"DELETE FROM store_viewrow WHERE {where} AND from_publication = %s", [*key, FOREVER, edition.number]
    )
    cursor.execute(
        f"UPDATE store_viewrow SET to_publication = %s WHERE {where}", [edition.number, *key, FOREVER]
    )
    cursor.execute(
        f"""INSERT INTO store_viewrow (district_id, view_id, collection, from_publication, to_publication, {NEXT})
            SELECT %s, %s, %s, %s, %s, {NEXT} FROM successor""",
        [*key, edition.number, FOREVER],
    )
    return int(cursor.rowcount)


def _enter(edition: Edition, view: View, collection: str, totals: dict[str, int]) -> int:
    """What is seen for the first time, in the order of the whole roster: so a page of the view lies close together there."""
    number = NUMBER_OF[collection]
    cursor = edition.cursor
    known, parameters = "FALSE", []
    if totals[collection]:
        known = f"""EXISTS (SELECT 1 FROM store_viewrow v WHERE v.district_id = %s AND v.view_id = %s AND v.collection = {number}
                            AND v.record_id = s.record_id AND v.to_publication = %s)"""
        parameters = [edition.district.pk, view.pk, FOREVER]
    cursor.execute(
        f"""INSERT INTO store_viewrow (district_id, view_id, collection, from_publication, to_publication, {NEXT})
            SELECT %s, %s, %s, %s, %s, s.record_id, %s + row_number() OVER (ORDER BY b.position, s.record_id),
                   COALESCE(b.position, 0), FALSE, o.kind,
                   %s, %s, o.text_v1p1, o.text_v1p2
            FROM seen s LEFT JOIN own o ON o.collection = s.collection AND o.record_id = s.record_id
            LEFT JOIN store_served b ON b.district_id = %s AND b.collection = s.collection AND b.record_id = s.record_id
                AND b.to_publication = %s
            WHERE s.collection = {number} AND NOT {known}""",
        [
            edition.district.pk,
            view.pk,
            number,
            edition.number,
            FOREVER,
            totals[collection],
            edition.number,
            edition.number,
            edition.district.pk,
            FOREVER,
            *parameters,
        ],
    )
    entered = int(cursor.rowcount)
    totals[collection] += entered
    return entered
