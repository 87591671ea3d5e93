"""What an edit of a grant would add and take away, worked out on the roster as it is now. It writes nothing but temporary tables.

`held` is what the grant sees now, `seen` what it would see (`visibility.work_out`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.engine.scope import Rule
from rollbook.oneroster.json_binding import opened, texts
from rollbook.store.bulk import among, emptied, many
from rollbook.store.circumstances import Circumstances
from rollbook.store.models import Grant
from rollbook.store.models.publication import FOREVER, NUMBER_OF
from rollbook.store.records import Roster
from rollbook.store.sights import rows_of, view_sight
from rollbook.store.visibility import SETS, WHOLE_ROSTER, work_out

EXAMPLES = 3
LOOKED_AT = 60
"""Among so many people of a kind the examples are looked for."""

USERS, CLASSES, ENROLLMENTS = NUMBER_OF["users"], NUMBER_OF["classes"], NUMBER_OF["enrollments"]

Json = dict[str, Any]


@dataclass(frozen=True)
class Counts:
    """One collection: how many records the app sees now, how many it would, how many come and go."""

    collection: str
    now: int
    then: int
    added: int
    removed: int


@dataclass(frozen=True)
class Place:
    """One school: how many people and classes of it come and go. People in no class are counted where they have a role."""

    sourced_id: str
    name: str
    people_added: int = 0
    people_removed: int = 0
    classes_added: int = 0
    classes_removed: int = 0


@dataclass(frozen=True)
class Example:
    """A person as the app sees them now and as it would; None where it does not see them."""

    sourced_id: str
    before: Json | None
    after: Json | None


def work_out_both(cursor: CursorWrapper, grant: Grant, rule: Rule, around: Circumstances) -> None:
    """Fill `held` and `seen`. Needs a transaction, as temporary tables do."""
    emptied(cursor, "held", SETS)
    if not grant._state.adding:
        _hold(cursor, grant)
    work_out(cursor, grant.district_id, rule, sorted(around.left_out))
    if not around.is_open:
        cursor.execute("DELETE FROM seen")


def _hold(cursor: CursorWrapper, grant: Grant) -> None:
    view = grant.view_id or WHOLE_ROSTER
    table, of_view = ("store_viewrow", "AND view_id = %s") if view else ("store_served", "")
    cursor.execute(
        f"""INSERT INTO held (collection, record_id) SELECT collection, record_id FROM {table}
            WHERE district_id = %s {of_view} AND to_publication = %s AND NOT gone""",
        [grant.district_id, *([view] if view else []), FOREVER],
    )


# --- How many ---------------------------------------------------------------------------------------------------------------------------


def counts(cursor: CursorWrapper) -> tuple[Counts, ...]:
    """Every collection, in the order of the standard's dependence."""
    now, then = _by_collection(cursor, "held"), _by_collection(cursor, "seen")
    added, removed = (_by_collection(cursor, *tables) for tables in (("seen", "held"), ("held", "seen")))
    return tuple(
        Counts(name, *(found.get(number, 0) for found in (now, then, added, removed)))
        for name, number in NUMBER_OF.items()
    )


def _by_collection(cursor: CursorWrapper, table: str, but_not: str = "") -> dict[int, int]:
    without = f"WHERE {_not_in(but_not)}" if but_not else ""
    return dict(
        rows_of(cursor, f"SELECT s.collection, COUNT(*) FROM {table} s {without} GROUP BY s.collection", [])
    )


def _not_in(table: str) -> str:
    return f"NOT EXISTS (SELECT 1 FROM {table} o WHERE o.collection = s.collection AND o.record_id = s.record_id)"


# --- Where ------------------------------------------------------------------------------------------------------------------------------


def places(cursor: CursorWrapper, district_id: int) -> tuple[Place, ...]:
    """The schools in which something comes or goes, by name."""
    found = {
        "people_added": _people(cursor, district_id, "seen", "held"),
        "people_removed": _people(cursor, district_id, "held", "seen"),
        "classes_added": _classes(cursor, district_id, "seen", "held"),
        "classes_removed": _classes(cursor, district_id, "held", "seen"),
    }
    schools = sorted({school for counted in found.values() for school in counted})
    named = rows_of(
        cursor,
        f"SELECT id, sourced_id, name FROM store_org WHERE district_id = %s AND {among(cursor, 'id')} ORDER BY name, sourced_id",
        [district_id, many(cursor, schools)],
    )
    return tuple(
        Place(sourced_id, name or "", **{what: counted.get(number, 0) for what, counted in found.items()})
        for number, sourced_id, name in named
    )


def _people(cursor: CursorWrapper, district_id: int, table: str, but_not: str) -> dict[int, int]:
    """By school, those who are in `table` and not in the other: in each school of their classes there, else where they have a role."""
    people = f"SELECT s.record_id FROM {table} s WHERE s.collection = {USERS} AND {_not_in(but_not)}"
    enrolled = f"""SELECT e.user_id, k.school_id FROM store_enrollment e
        JOIN {table} t ON t.collection = {ENROLLMENTS} AND t.record_id = e.id
        JOIN store_class k ON k.district_id = e.district_id AND k.id = e.class_id
        WHERE e.district_id = %s AND e.user_id IN ({people})"""
    elsewhere = f"""SELECT r.user_id, r.org_id FROM store_role r WHERE r.district_id = %s AND r.status = 'active'
        AND r.user_id IN ({people}) AND r.user_id NOT IN (SELECT inside.user_id FROM ({enrolled}) AS inside)"""
    return dict(
        rows_of(
            cursor,
            f"SELECT f.school_id, COUNT(DISTINCT f.user_id) FROM ({enrolled} UNION {elsewhere}) AS f GROUP BY f.school_id",
            [district_id] * 3,
        )
    )


def _classes(cursor: CursorWrapper, district_id: int, table: str, but_not: str) -> dict[int, int]:
    return dict(
        rows_of(
            cursor,
            f"""SELECT k.school_id, COUNT(*) FROM {table} s JOIN store_class k ON k.district_id = %s AND k.id = s.record_id
                WHERE s.collection = {CLASSES} AND {_not_in(but_not)} GROUP BY k.school_id""",
            [district_id],
        )
    )


# --- Three of them ----------------------------------------------------------------------------------------------------------------------


def examples(
    cursor: CursorWrapper, grant: Grant, rule: Rule, around: Circumstances, today: str
) -> tuple[Example, ...]:
    """Two students and a teacher, or whoever there is: those first who come or go, then those who are told otherwise than now."""
    chosen = _chosen(cursor, grant.district_id)
    before = _served(cursor, grant, chosen)
    after = _rendered(cursor, grant.district_id, rule, around, today, chosen)
    told = [(number, before.get(number), after.get(number)) for number in chosen]
    told.sort(key=lambda one: _rank(one[1], one[2]))
    best: list[Any] = []
    for one in told:
        if len(best) < EXAMPLES and _kinds(best).count(_kind(one)) < EXAMPLES - 1:
            best.append(one)
    best += [one for one in told if one not in best][: EXAMPLES - len(best)]
    return tuple(Example(_id(before or after), before, after) for _, before, after in best)


def _chosen(cursor: CursorWrapper, district_id: int) -> list[int]:
    """Some people of each kind who are seen now or would be, those who come or go first."""
    either = "SELECT record_id FROM {} WHERE collection = " + str(USERS)
    found = []
    for role in ("student", "teacher"):
        found += rows_of(
            cursor,
            f"""SELECT s.record_id FROM (
                    SELECT p.record_id, COUNT(*) AS times FROM ({either.format("held")} UNION ALL {either.format("seen")}) AS p
                    GROUP BY p.record_id) AS s
                WHERE s.record_id IN (SELECT r.user_id FROM store_role r WHERE r.district_id = %s AND r.status = 'active' AND r.role = %s)
                ORDER BY s.times, s.record_id LIMIT %s""",
            [district_id, role, LOOKED_AT],
        )
    return list(dict.fromkeys(row[0] for row in found))


def _served(cursor: CursorWrapper, grant: Grant, ids: Sequence[int]) -> dict[int, Json]:
    """As the app is told of them now, by 1.2."""
    shown = {}
    if grant.view_id is None and not grant._state.adding:
        rows = rows_of(
            cursor,
            f"""SELECT b.record_id, COALESCE(b.text_v1p2, b.text_v1p1) FROM store_served b WHERE b.district_id = %s
                AND b.collection = {USERS} AND b.to_publication = %s AND NOT b.gone AND {among(cursor, "b.record_id")}""",
            [grant.district_id, FOREVER, many(cursor, ids)],
        )
        shown = dict(rows)
    elif grant.view_id is not None:
        rows = rows_of(
            cursor,
            f"""SELECT v.record_id, COALESCE(v.text_v1p2, v.text_v1p1, b.text_v1p2, b.text_v1p1) FROM store_viewrow v
                LEFT JOIN store_served b ON b.district_id = v.district_id AND b.collection = v.collection
                    AND b.record_id = v.record_id AND b.to_publication = %s
                WHERE v.district_id = %s AND v.view_id = %s AND v.collection = {USERS} AND v.to_publication = %s AND NOT v.gone
                AND {among(cursor, "v.record_id")}""",
            [FOREVER, grant.district_id, grant.view_id, FOREVER, many(cursor, ids)],
        )
        shown = dict(rows)
    return {number: _plain(text) for number, text in shown.items() if text}


def _rendered(
    cursor: CursorWrapper, district_id: int, rule: Rule, around: Circumstances, today: str, ids: Sequence[int]
) -> dict[int, Json]:
    """As the app would be told of them."""
    roster = Roster(cursor, district_id, view_sight(cursor, district_id), today)
    treatments = rule.treatments.get("users", {})
    told = {}
    for found in roster.load("users", ids):
        if found.record is not None:
            record = around.treated("users", found.record_id, found.record, treatments)
            v1p1, v1p2 = texts("users", record, today)
            told[found.record_id] = _plain(v1p2 or v1p1)
    return told


def _plain(text: str) -> Json:
    """The record without its date and without addresses."""
    record: Json = json.loads(opened(text, "users", "", ""))
    record.pop("dateLastModified")
    return {name: _without_hrefs(value) for name, value in record.items()}


def _without_hrefs(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_hrefs(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_hrefs(inner) for name, inner in value.items() if name != "href"}
    return value


def _rank(before: Json | None, after: Json | None) -> int:
    if after is not None and before is None:
        return 0
    if after is not None and before != after:
        return 1
    return 2 if after is not None else 3


def _kinds(chosen: list[Any]) -> list[str]:
    return [_kind(one) for one in chosen]


def _kind(one: Any) -> str:
    roles = (one[2] or one[1] or {}).get("roles") or [{}]
    return str(roles[0].get("role", ""))


def _id(record: Json | None) -> str:
    return str((record or {}).get("sourcedId", ""))
