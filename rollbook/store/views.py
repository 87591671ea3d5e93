"""Views: what one rule lets through, with entries and exits stamped by the publication in which they happened.

A view is brought up to the roster in the transaction that made the publication. Its membership is worked out by `visibility.work_out`, once
for all views of one rule; here it is compared with the rows of each, and only the difference is written. Records the rule trims get texts of
their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rollbook.engine.scope import NONE, Rule
from rollbook.store.bulk import emptied, is_postgresql, load
from rollbook.store.circumstances import Circumstances
from rollbook.store.models import RECORDS, View
from rollbook.store.models.publication import COLLECTIONS, FOREVER, NUMBER_OF
from rollbook.store.own_texts import make_own_texts
from rollbook.store.publishing import Edition, tombstones
from rollbook.store.visibility import WHOLE_ROSTER, work_out

NEXT = "record_id, position, place, gone, kind, stamp_v1p1, stamp_v1p2, text_v1p1, text_v1p2"
NEXT_COLUMNS = tuple(NEXT.split(", "))
KEY_COLUMNS = ("district_id", "view_id", "collection", "from_publication", "to_publication")
ANALYZE_FROM = 10_000
"""Rows entering a view from which the database is told to look at the table anew before it answers questions about it."""


def work(edition: Edition, rule: Rule, circumstances: Circumstances, views: Sequence[View]) -> bool:
    """Work out what `rule` shows of the roster now, and how: the temporary tables `seen`, `moved` and `own`, from which `views` are brought up.

    True: only what may be shown otherwise than before was looked at, see `own_texts`.
    """
    shown = rule if circumstances.is_open else NONE
    work_out(edition.cursor, edition.district.pk, shown, sorted(circumstances.left_out))
    return make_own_texts(edition, rule, circumstances, views)


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
    is_partial: bool = False,
) -> set[str]:
    """Bring `view` up to what was worked out last; the collections in which a row of it changed. `totals` and `gone` follow.

    `is_partial`: only what `looked_at` names has been looked at.
    """
    before = sum(totals.values())
    changed = set()
    edition.looked.will(f"view {view.pk}", sum(edition.totals.values()))
    for name in COLLECTIONS:
        if name in edit.renamed and (left := _rename(edition, view, name, circumstances)):
            gone[name] += left
            changed.add(name)
        touched = name in edit.touched
        if _refresh_collection(edition, view, name, totals, gone, circumstances, touched, is_partial):
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


# --- The difference -------------------------------------------------------------------------------------------------------------------


def _refresh_collection(
    edition: Edition,
    view: View,
    collection: str,
    totals: dict[str, int],
    gone: dict[str, int],
    circumstances: Circumstances,
    touched: bool,
    is_partial: bool,
) -> bool:
    emptied(
        edition.cursor,
        "successor",
        """record_id bigint PRIMARY KEY, position bigint, place bigint, gone boolean, kind text, stamp_v1p1 bigint, stamp_v1p2 bigint,
           text_v1p1 text, text_v1p2 text""",
    )
    gone[collection] -= _returned_or_retold(edition, view, collection, touched, is_partial)
    gone[collection] += _left(edition, view, collection, circumstances)
    moved = _replace(edition, view, collection)
    entered = _enter(edition, view, collection, totals)
    return bool(moved or entered)


def _current(edition: Edition, view: View, collection: str) -> tuple[str, list[Any]]:
    condition = "v.district_id = %s AND v.view_id = %s AND v.collection = %s AND v.to_publication = %s"
    return condition, [edition.district.pk, view.pk, NUMBER_OF[collection], FOREVER]


def _returned_or_retold(
    edition: Edition, view: View, collection: str, touched: bool, is_partial: bool
) -> int:
    """Records seen now that were gone, or whose own text came, changed or went, or all that are seen; how many were gone."""
    rows, met = "store_viewrow v", ""
    if is_partial:
        rows = "looked_at l CROSS JOIN store_viewrow v"
        met = "l.collection = v.collection AND l.record_id = v.record_id AND "
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
            FROM {rows}
            JOIN seen s ON s.collection = v.collection AND s.record_id = v.record_id
            LEFT JOIN own o ON o.collection = v.collection AND o.record_id = v.record_id
            WHERE {met}{current} AND ({changed})""",
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
            FROM moved m CROSS JOIN store_viewrow v
            JOIN {table} r ON r.district_id = v.district_id AND r.id = v.record_id
            LEFT JOIN store_served b ON b.district_id = v.district_id AND b.collection = v.collection
                AND b.record_id = v.record_id AND b.to_publication = %s
            WHERE m.view_id = v.view_id AND m.collection = v.collection AND m.record_id = v.record_id AND NOT m.comes
            AND {current} AND NOT v.gone""",
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
    # Whatever is seen comes, by its new id.
    cursor.execute(
        "DELETE FROM moved WHERE view_id = %s AND collection = %s", [view.pk, NUMBER_OF[collection]]
    )
    cursor.execute(
        """INSERT INTO moved (view_id, collection, record_id, comes)
           SELECT %s, s.collection, s.record_id, TRUE FROM seen s WHERE s.collection = %s""",
        [view.pk, NUMBER_OF[collection]],
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
    number, cursor = NUMBER_OF[collection], edition.cursor
    # Into what is empty all comes that is seen.
    coming, condition, parameters = "seen", "", []
    if totals[collection]:
        coming = "moved"
        condition = f"""AND s.view_id = %s AND s.comes AND NOT EXISTS (
                SELECT 1 FROM store_viewrow v WHERE v.district_id = %s AND v.view_id = %s AND v.collection = {number}
                AND v.record_id = s.record_id AND v.to_publication = %s)"""
        parameters = [view.pk, edition.district.pk, view.pk, FOREVER]
    cursor.execute(
        f"""INSERT INTO store_viewrow (district_id, view_id, collection, from_publication, to_publication, {NEXT})
            SELECT %s, %s, %s, %s, %s, s.record_id, %s + row_number() OVER (ORDER BY b.position, s.record_id),
                   COALESCE(b.position, 0), FALSE, o.kind,
                   %s, %s, o.text_v1p1, o.text_v1p2
            FROM {coming} s LEFT JOIN own o ON o.collection = s.collection AND o.record_id = s.record_id
            LEFT JOIN store_served b ON b.district_id = %s AND b.collection = s.collection AND b.record_id = s.record_id
                AND b.to_publication = %s
            WHERE s.collection = {number} {condition}""",
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
