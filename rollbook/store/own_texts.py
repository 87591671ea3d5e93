"""Texts of its own: what a view shows otherwise than the whole roster does, because its rule trims the record or treats its fields.

Looking at all of a view each night would cost more than all the rest. So where its rule, key, orgs and sessions are as they were, only those
records are looked at that may be shown otherwise than before: what the publication looked at, what came into the view or left it and what
names it, and what its sight trims. All others keep the text they have.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from django.db.backends.utils import CursorWrapper

from rollbook.engine.scope import Rule
from rollbook.oneroster.json_binding import texts
from rollbook.store.bulk import among, batches, elements, emptied, is_postgresql, load, many
from rollbook.store.circumstances import Circumstances
from rollbook.store.models import RECORDS, View, ViewRow
from rollbook.store.models.publication import COLLECTIONS, FOREVER, NUMBER_OF
from rollbook.store.publishing import CHUNK, Edition, served_now
from rollbook.store.records import Roster
from rollbook.store.sights import Sight, view_sight
from rollbook.store.visibility import GUARDIAN_WORDS, SETS, seen

OWN_COLUMNS = ("collection", "record_id", "kind", "text_v1p1", "text_v1p2")

FEW = ("orgs", "academicSessions")
"""So few that all of them are looked at each time."""

GIVEN = {
    "courses": ("store_courseresource", "course_id"),
    "classes": ("store_classresource", "class_id"),
    "users": ("store_userresource", "user_id"),
}
"""Where it stands which resources a record was given."""

Trim = tuple[str, list[Any]]
"""A condition on a roster row `r`, with its parameters."""


def make_own_texts(edition: Edition, rule: Rule, circumstances: Circumstances, views: Sequence[View]) -> bool:
    """Fill the temporary table `own` for `views`, which all show what stands in `seen` and `chosen`, and `moved` with what comes and goes.

    True: only the records in the temporary table `looked_at` were looked at, and all others are shown as before.
    """
    emptied(
        edition.cursor,
        "own",
        "collection smallint, record_id bigint, kind text, text_v1p1 text, text_v1p2 text, PRIMARY KEY (collection, record_id)",
    )
    emptied(edition.cursor, "looked_at", SETS)
    _find_moved(edition, views)
    sight = view_sight(edition.cursor, edition.district.pk)
    roster = Roster(edition.cursor, edition.district.pk, sight, edition.today)
    is_partial = (
        _are_as_they_were(views, _made_by(rule, circumstances, sight)) and edition.considered is not None
    )
    for collection in COLLECTIONS:
        treatments = rule.treatments.get(collection, {})
        is_treated = bool(treatments) or circumstances.shows_ids_of(collection)
        ids = _looked_at(edition, collection, is_treated, is_partial)
        for some in batches(ids, CHUNK):
            rows = _own(edition, roster, collection, some, circumstances, treatments)
            load(edition.cursor, "own", OWN_COLUMNS, list(rows))
    if is_postgresql(edition.cursor):
        edition.cursor.execute("ANALYZE looked_at")
    return is_partial


def _made_by(rule: Rule, circumstances: Circumstances, sight: Sight) -> str:
    """A digest of all that texts hang on beside the records themselves and the day."""
    key = circumstances.masker.key if circumstances.masker else b""
    places = (sorted(sight.orgs.items()), sorted(sight.role_orgs), sorted(sight.sessions.items()))
    return sha256(repr((rule.working.canonical(), sha256(key).hexdigest(), places)).encode()).hexdigest()


def _are_as_they_were(views: Sequence[View], made_by: str) -> bool:
    """Whether the texts of all these views were made by the same; from now on they are."""
    changed = [view for view in views if view.made_by != made_by]
    for view in changed:
        view.made_by = made_by
        view.save(update_fields=["made_by"])
    return bool(views) and not changed


# --- What comes and goes --------------------------------------------------------------------------------------------------------------


def _find_moved(edition: Edition, views: Sequence[View]) -> None:
    """Fill the temporary table `moved` with what each of these views shows now and did not, or did and does not; nothing of an empty one."""
    cursor, district_id = edition.cursor, edition.district.pk
    emptied(
        cursor,
        "moved",
        "view_id bigint, collection smallint, record_id bigint, comes boolean, PRIMARY KEY (view_id, collection, record_id)",
    )
    for view in views:
        if ViewRow.objects.filter(district_id=district_id, view_id=view.pk).exists():
            emptied(cursor, "shown_before", SETS)
            cursor.execute(
                """INSERT INTO shown_before (collection, record_id) SELECT collection, record_id FROM store_viewrow
                   WHERE district_id = %s AND view_id = %s AND to_publication = %s AND NOT gone""",
                [district_id, view.pk, FOREVER],
            )
            for table, other, comes in (("seen", "shown_before", "TRUE"), ("shown_before", "seen", "FALSE")):
                cursor.execute(
                    f"""INSERT INTO moved (view_id, collection, record_id, comes)
                        SELECT %s, a.collection, a.record_id, {comes} FROM {table} a WHERE NOT EXISTS (
                            SELECT 1 FROM {other} b WHERE b.collection = a.collection AND b.record_id = a.record_id)""",
                    [view.pk],
                )
    if is_postgresql(cursor):
        cursor.execute("ANALYZE moved")


# --- Which records --------------------------------------------------------------------------------------------------------------------


def _looked_at(edition: Edition, collection: str, is_treated: bool, is_partial: bool) -> Sequence[int]:
    """The records to be rendered: of those where fields are treated, all that may be shown otherwise than before; of others, those that may
    be shown otherwise than to everybody.
    """
    number = NUMBER_OF[collection]
    if collection in FEW or (is_treated and not is_partial):
        ids = _numbers(
            edition, f"SELECT record_id FROM seen WHERE collection = {number} ORDER BY record_id", []
        )
    else:
        ids = _trimmed(edition, collection)
    if not is_partial:
        return ids
    looked_at = ids if collection in FEW else _may_differ(edition, collection, ids)
    load(edition.cursor, "looked_at", ("collection", "record_id"), ((number, one) for one in looked_at))
    return looked_at if is_treated else ids


def _may_differ(edition: Edition, collection: str, trimmed: Iterable[int]) -> list[int]:
    """The records seen that may be shown otherwise than before."""
    number = NUMBER_OF[collection]
    found = {*trimmed, *(edition.considered or {}).get(collection, ())}
    found.update(_numbers(edition, f"SELECT record_id FROM moved WHERE collection = {number}", []))
    if collection in GIVEN:
        found.update(_given_what_moved(edition, *GIVEN[collection]))
    if collection == "users":
        found.update(_wards_of_who_moved(edition))
    return [one for some in batches(sorted(found), CHUNK) for one in _seen_of(edition, number, some)]


def _seen_of(edition: Edition, number: int, ids: Sequence[int]) -> Sequence[int]:
    condition = among(edition.cursor, "record_id")
    return _numbers(
        edition,
        f"SELECT record_id FROM seen WHERE collection = {number} AND {condition} ORDER BY record_id",
        [many(edition.cursor, ids)],
    )


def _given_what_moved(edition: Edition, table: str, column: str) -> Sequence[int]:
    return _numbers(
        edition,
        f"""SELECT DISTINCT l.{column} FROM {table} l WHERE l.district_id = %s AND l.resource_id IN (
            SELECT record_id FROM moved WHERE collection = {NUMBER_OF["resources"]})""",
        [edition.district.pk],
    )


def _wards_of_who_moved(edition: Edition) -> Sequence[int]:
    """Who names somebody as agent who came into the view or left it."""
    people = f"SELECT record_id FROM moved WHERE collection = {NUMBER_OF['users']}"
    if not _numbers(edition, f"{people} LIMIT 1", []):
        return []
    return _numbers(
        edition,
        f"""SELECT DISTINCT u.id FROM store_user u, {elements(edition.cursor, "u.agent_ids")}
            WHERE u.district_id = %s AND u.agent_ids IS NOT NULL AND element.value IN ({people})""",
        [edition.district.pk],
    )


def _numbers(edition: Edition, statement: str, parameters: Iterable[Any]) -> list[int]:
    edition.cursor.execute(statement, list(parameters))
    return [row[0] for row in edition.cursor.fetchall()]


# --- Rendering ------------------------------------------------------------------------------------------------------------------------


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


# --- What a sight trims ---------------------------------------------------------------------------------------------------------------


def _trimmed(edition: Edition, collection: str) -> list[int]:
    """The records seen that may have something to hide, or that the whole roster does not show."""
    if collection == "enrollments":
        return _at_unseen_schools(edition)
    if collection not in TRIMMED:
        return []
    cursor, number = edition.cursor, edition.district.pk
    condition, parameters = TRIMMED[collection](cursor, number)
    return _numbers(
        edition,
        f"""SELECT r.id FROM {RECORDS[collection]._meta.db_table} r
            JOIN seen s ON s.collection = {NUMBER_OF[collection]} AND s.record_id = r.id
            WHERE r.district_id = %s AND ({condition}) ORDER BY r.id""",
        [number, *parameters],
    )


def _at_unseen_schools(edition: Edition) -> list[int]:
    """The enrollments whose school is out of sight, instead of which the class's is told."""
    return _numbers(
        edition, f"SELECT id FROM seen_enrolled WHERE NOT ({seen('orgs', 'school_id')}) ORDER BY id", []
    )


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
        WHERE ({seen("users", "element.value")}) <> EXISTS (
            SELECT 1 FROM store_served b WHERE b.district_id = %s AND b.collection = {NUMBER_OF["users"]}
            AND b.record_id = element.value AND b.to_publication = %s AND NOT b.gone))"""
    resources, parameters = _unseen_resource(district_id, "store_userresource", "user_id")
    return (
        f"""r.primary_org_id IS NOT NULL AND r.primary_org_id NOT IN (SELECT id FROM chosen)
            OR COALESCE((SELECT min(CASE WHEN h.org_id IN (SELECT id FROM chosen) AND h.role NOT IN ({GUARDIAN_WORDS}) THEN 1 ELSE 0 END)
                         FROM store_role h WHERE h.district_id = r.district_id AND h.user_id = r.id AND h.status = 'active'), 0) = 0
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
