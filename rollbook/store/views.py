"""Views: what one rule lets through, with entries and exits stamped by the publication in which they happened.

A view is brought up to the roster in the transaction that made the publication. Its membership is worked out by `visibility.work_out`; here it
is compared with the rows of the view, and only the difference is written. Records the view trims get texts of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rollbook.oneroster.json_binding import texts
from rollbook.store.bulk import batches, is_postgresql, load, temporary
from rollbook.store.models import RECORDS, View
from rollbook.store.models.publication import COLLECTIONS, FOREVER, NUMBER_OF
from rollbook.store.publishing import CHUNK, Edition, served_now, tombstones
from rollbook.store.records import Roster
from rollbook.store.sights import view_sight
from rollbook.store.visibility import WHOLE_ROSTER, Rule, work_out

NEXT = "record_id, position, place, gone, kind, stamp_v1p1, stamp_v1p2, text_v1p1, text_v1p2"
NEXT_COLUMNS = tuple(NEXT.split(", "))
ANALYZE_FROM = 10_000
"""Rows entering a view from which the database is told to look at the table anew before it answers questions about it."""

OWN_COLUMNS = ("collection", "record_id", "kind", "text_v1p1", "text_v1p2")


def refresh(edition: Edition, view: View, totals: dict[str, int]) -> set[str]:
    """Bring `view` up to the roster for this publication; the collections in which a row of it changed. `totals` follow."""
    rule = Rule.parse(view.rule)
    work_out(edition.cursor, edition.district.pk, rule)
    _trim(edition, rule)
    before = sum(totals.values())
    changed = set()
    edition.looked.will(f"view {view.pk}", sum(edition.totals.values()))
    for name in COLLECTIONS:
        if _refresh_collection(edition, view, name, totals):
            changed.add(name)
        edition.looked.has(f"view {view.pk}", edition.totals[name])
    if sum(totals.values()) - before >= ANALYZE_FROM and is_postgresql(edition.cursor):
        edition.cursor.execute("ANALYZE store_viewrow")
    return changed


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


def _trim(edition: Edition, rule: Rule) -> None:
    """Fill the temporary table `own` with the records this view shows otherwise than the whole roster does."""
    temporary(
        edition.cursor,
        "own",
        "collection smallint, record_id bigint, kind text, text_v1p1 text, text_v1p2 text, PRIMARY KEY (collection, record_id)",
    )
    sight = view_sight(edition.cursor, edition.district.pk, rule)
    roster = Roster(edition.cursor, edition.district.pk, sight, edition.today)
    chosen = list(sight.role_orgs)
    for collection, ids in (
        ("orgs", sorted(sight.orgs)),
        ("academicSessions", sorted(sight.sessions)),
        ("users", _trimmed_users(edition, chosen)),
        ("enrollments", _trimmed_enrollments(edition)),
    ):
        for some in batches(ids, CHUNK):
            load(edition.cursor, "own", OWN_COLUMNS, list(_own(edition, roster, collection, some)))


def _own(edition: Edition, roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    now = served_now(edition, collection, ids)
    for found in roster.load(collection, ids):
        if found.record is None:
            continue
        shown = texts(collection, found.record, edition.today)
        everybody = now.get(found.record_id)
        if everybody is None or (everybody.text_v1p1, everybody.text_v1p2) != shown:
            yield NUMBER_OF[collection], found.record_id, found.kind, *shown


def _trimmed_users(edition: Edition, chosen: list[int]) -> Iterable[int]:
    """People seen who have a role or a primary org outside the chosen orgs, or name agents."""
    cursor, users = edition.cursor, NUMBER_OF["users"]
    temporary(cursor, "chosen", "id bigint PRIMARY KEY")
    load(cursor, "chosen", ["id"], [(number,) for number in chosen])
    cursor.execute(
        f"""SELECT u.id FROM store_user u JOIN seen s ON s.collection = {users} AND s.record_id = u.id
            WHERE u.district_id = %s AND (
                u.agent_ids IS NOT NULL
                OR (u.primary_org_id IS NOT NULL AND u.primary_org_id NOT IN (SELECT id FROM chosen))
                OR EXISTS (SELECT 1 FROM store_role r WHERE r.district_id = u.district_id AND r.user_id = u.id
                           AND r.status = 'active' AND r.org_id NOT IN (SELECT id FROM chosen)))
            ORDER BY u.id""",
        [edition.district.pk],
    )
    return [row[0] for row in cursor.fetchall()]


def _trimmed_enrollments(edition: Edition) -> Iterable[int]:
    """Enrollments seen whose school is out of sight, so that they tell the class's school instead."""
    cursor = edition.cursor
    cursor.execute(
        f"""SELECT e.id FROM store_enrollment e
            JOIN seen s ON s.collection = {NUMBER_OF["enrollments"]} AND s.record_id = e.id
            WHERE e.district_id = %s AND e.school_id NOT IN (SELECT record_id FROM seen WHERE collection = {NUMBER_OF["orgs"]})
            ORDER BY e.id""",
        [edition.district.pk],
    )
    return [row[0] for row in cursor.fetchall()]


# --- The difference -------------------------------------------------------------------------------------------------------------------


def _refresh_collection(edition: Edition, view: View, collection: str, totals: dict[str, int]) -> bool:
    temporary(
        edition.cursor,
        "successor",
        """record_id bigint PRIMARY KEY, position bigint, place bigint, gone boolean, kind text, stamp_v1p1 bigint, stamp_v1p2 bigint,
           text_v1p1 text, text_v1p2 text""",
    )
    _returned_or_retold(edition, view, collection)
    _left(edition, view, collection)
    moved = _replace(edition, view, collection)
    entered = _enter(edition, view, collection, totals)
    return bool(moved or entered)


def _current(edition: Edition, view: View, collection: str) -> tuple[str, list[Any]]:
    condition = "v.district_id = %s AND v.view_id = %s AND v.collection = %s AND v.to_publication = %s"
    return condition, [edition.district.pk, view.pk, NUMBER_OF[collection], FOREVER]


def _returned_or_retold(edition: Edition, view: View, collection: str) -> None:
    """Records seen now that were gone, or whose own text came, changed or went."""
    differs = "IS DISTINCT FROM" if is_postgresql(edition.cursor) else "IS NOT"
    current, parameters = _current(edition, view, collection)
    changed = f"v.gone OR v.text_v1p1 {differs} o.text_v1p1 OR v.text_v1p2 {differs} o.text_v1p2 OR v.kind {differs} o.kind"
    edition.cursor.execute(
        f"""INSERT INTO successor ({NEXT})
            SELECT v.record_id, v.position, v.place, FALSE, o.kind,
                   CASE WHEN v.gone OR v.text_v1p1 {differs} o.text_v1p1 THEN %s ELSE v.stamp_v1p1 END,
                   CASE WHEN v.gone OR COALESCE(v.text_v1p2, v.text_v1p1) {differs} COALESCE(o.text_v1p2, o.text_v1p1)
                        THEN %s ELSE v.stamp_v1p2 END,
                   o.text_v1p1, o.text_v1p2
            FROM store_viewrow v
            JOIN seen s ON s.collection = v.collection AND s.record_id = v.record_id
            LEFT JOIN own o ON o.collection = v.collection AND o.record_id = v.record_id
            WHERE {current} AND ({changed})""",
        [edition.number, edition.number, *parameters],
    )


def _left(edition: Edition, view: View, collection: str) -> None:
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
            *tombstones(collection, sourced_id),
        )
        for record_id, position, place, kind, sourced_id in edition.cursor.fetchall()
    ]
    load(edition.cursor, "successor", NEXT_COLUMNS, rows)


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
    cursor.execute(
        f"""INSERT INTO store_viewrow (district_id, view_id, collection, from_publication, to_publication, {NEXT})
            SELECT %s, %s, %s, %s, %s, s.record_id, %s + row_number() OVER (ORDER BY b.position, s.record_id),
                   COALESCE(b.position, 0), FALSE, o.kind,
                   %s, %s, o.text_v1p1, o.text_v1p2
            FROM seen s LEFT JOIN own o ON o.collection = s.collection AND o.record_id = s.record_id
            LEFT JOIN store_served b ON b.district_id = %s AND b.collection = s.collection AND b.record_id = s.record_id
                AND b.to_publication = %s
            WHERE s.collection = {number} AND NOT EXISTS (
                SELECT 1 FROM store_viewrow v WHERE v.district_id = %s AND v.view_id = %s AND v.collection = {number}
                AND v.record_id = s.record_id AND v.to_publication = %s)""",
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
            edition.district.pk,
            view.pk,
            FOREVER,
        ],
    )
    entered = int(cursor.rowcount)
    totals[collection] += entered
    return entered
