"""Roster rows as canonical records, ready to be rendered: references turned into served ids and cut to what a sight lets through.

A `Sight` (`sights`) says which records may be referred to.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from rollbook.oneroster.collections import COLLECTION
from rollbook.oneroster.mapping import role_and_orgs_v1p1, role_v1p2
from rollbook.oneroster.spec import Field
from rollbook.store.bulk import among, elements, many
from rollbook.store.columns import column_of
from rollbook.store.models import RECORDS
from rollbook.store.sights import Sight, rows_of
from rollbook.store.visibility import GUARDIAN_WORDS

CanonicalRecord = dict[str, Any]


class Loaded(NamedTuple):
    """One record as a sight shows it. `record` is None where the sight does not show it at all."""

    record_id: int
    sourced_id: str
    kind: str
    record: CanonicalRecord | None


@dataclass(frozen=True)
class Roster:
    """A district's roster rows, read through one sight on one day. All reading is in the caller's transaction."""

    cursor: CursorWrapper
    district_id: int
    sight: Sight
    today: str

    def load(self, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
        """The records with these ids, in the order of their ids; users in the order asked for."""
        return _LOADERS[collection](self, collection, ids)


# --- Loading ----------------------------------------------------------------------------------------------------------------------


def _plain_fields(collection: str) -> tuple[Field, ...]:
    return tuple(field for field in COLLECTION[collection].fields if not field.is_reference)


def _select(
    roster: Roster, collection: str, ids: Sequence[int], extra: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """Rows as {canonical field or extra column: value}, with id, sourced_id, status and metadata; in the order of their ids."""
    fields = _plain_fields(collection)
    columns = ["id", "sourced_id", "status", "metadata", *(column_of(field.name) for field in fields), *extra]
    rows = rows_of(
        roster.cursor,
        f"""SELECT {", ".join(f'"{column}"' for column in columns)} FROM {RECORDS[collection]._meta.db_table}
            WHERE district_id = %s AND {among(roster.cursor, "id")} ORDER BY id""",
        [roster.district_id, many(roster.cursor, ids)],
    )
    names = ["id", "sourced_id", "status", "metadata", *(field.name for field in fields), *extra]
    booleans = [field.name for field in fields if field.type == "boolean"]
    lists = [field.name for field in fields if field.is_list]
    for row in rows:
        found = dict(zip(names, row, strict=True))
        for name in booleans:
            found[name] = None if found[name] is None else bool(found[name])
        for name in lists:
            found[name] = json.loads(found[name]) if found[name] else None
        found["metadata"] = json.loads(found["metadata"]) if found["metadata"] else None
        found["sourcedId"] = found["sourced_id"]
        yield found


def _orgs(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    visible, shared = roster.sight.orgs, roster.sight.role_orgs
    children = _children(roster, "store_org", visible)
    for row in _select(roster, collection, ids, ["parent_id"]):
        if row["id"] not in shared:
            # There for reference alone: what it is called, what it is, where it stands.
            row["metadata"] = None
        row["parentSourcedId"] = visible.get(row["parent_id"])
        row["children"] = children[row["id"]]
        yield Loaded(row["id"], row["sourced_id"], row["type"], row if row["id"] in visible else None)


def _sessions(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    visible = roster.sight.sessions
    children = _children(roster, "store_academicsession", visible)
    for row in _select(roster, collection, ids, ["parent_id"]):
        row["parentSourcedId"] = visible.get(row["parent_id"])
        row["children"] = children[row["id"]]
        yield Loaded(row["id"], row["sourced_id"], row["type"], row if row["id"] in visible else None)


def _children(roster: Roster, table: str, visible: dict[int, str]) -> dict[int, list[str]]:
    children: dict[int, list[str]] = defaultdict(list)
    for number, parent in rows_of(
        roster.cursor,
        f"SELECT id, parent_id FROM {table} WHERE district_id = %s AND parent_id IS NOT NULL ORDER BY id",
        [roster.district_id],
    ):
        if number in visible:
            children[parent].append(visible[number])
    return children


def _courses(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    sight = roster.sight
    resources = _resources_of(roster, "store_courseresource", "course_id", ids)
    for row in _select(roster, collection, ids, ["org_id", "school_year_id"]):
        row["orgSourcedId"] = sight.orgs.get(row["org_id"])
        row["schoolYearSourcedId"] = sight.sessions.get(row["school_year_id"])
        row["resources"] = resources[row["id"]]
        yield Loaded(row["id"], row["sourced_id"], "", row if row["id"] in sight.courses else None)


def _classes(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    sight = roster.sight
    resources = _resources_of(roster, "store_classresource", "class_id", ids)
    for row in _select(roster, collection, ids, ["course_id", "school_id", "term_ids"]):
        row["courseSourcedId"] = sight.courses.get(row["course_id"])
        row["schoolSourcedId"] = sight.orgs.get(row["school_id"])
        row["termSourcedIds"] = [
            sight.sessions[term] for term in json.loads(row["term_ids"]) if term in sight.sessions
        ]
        row["resources"] = resources[row["id"]]
        yield Loaded(row["id"], row["sourced_id"], "", row if row["id"] in sight.classes else None)


def _resources(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    for row in _select(roster, collection, ids):
        yield Loaded(row["id"], row["sourced_id"], "", row if row["id"] in roster.sight.resources else None)


def _resources_of(roster: Roster, table: str, column: str, ids: Sequence[int]) -> dict[int, list[str]]:
    """The visible resources that each of these records was given, once each, in the order in which they were given."""
    found: dict[int, dict[str, None]] = defaultdict(dict)
    visible = roster.sight.resources
    if visible:
        for number, resource in rows_of(
            roster.cursor,
            f"""SELECT {column}, resource_id FROM {table}
                WHERE district_id = %s AND {among(roster.cursor, column)} AND status = 'active' ORDER BY id""",
            [roster.district_id, many(roster.cursor, ids)],
        ):
            if resource in visible:
                found[number][visible[resource]] = None
    return defaultdict(list, {number: list(some) for number, some in found.items()})


def _enrollments(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    classes, orgs = roster.sight.classes, roster.sight.orgs
    cursor = roster.cursor
    rows = rows_of(
        cursor,
        f"""SELECT e.id, e.sourced_id, e.status, e.metadata, e.class_id, e.school_id, e.role, e."primary", e.begin_date, e.end_date,
                   u.sourced_id, u.status
            FROM store_enrollment e JOIN store_user u ON u.district_id = e.district_id AND u.id = e.user_id
            WHERE e.district_id = %s AND {among(cursor, "e.id")} ORDER BY e.id""",
        [roster.district_id, many(cursor, ids)],
    )
    for (
        number,
        sourced_id,
        status,
        metadata,
        class_id,
        school_id,
        role,
        primary,
        begin,
        end,
        user,
        user_status,
    ) in rows:
        place = classes.get(class_id) if status == "active" and user_status == "active" else None
        if place is None:
            yield Loaded(number, sourced_id, role, None)
            continue
        record = {
            "sourcedId": sourced_id,
            "metadata": json.loads(metadata) if metadata else None,
            "userSourcedId": user,
            "classSourcedId": place[0],
            # A school out of sight is told as the class's own, which is always in sight.
            "schoolSourcedId": orgs.get(school_id) or orgs[place[1]],
            "role": role,
            "primary": None if primary is None else bool(primary),
            "beginDate": begin,
            "endDate": end,
        }
        yield Loaded(number, sourced_id, role, record)


def _demographics(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    rows = list(_select(roster, collection, ids, ["user_id"]))
    people = roster.sight.people({row["user_id"] for row in rows})
    for row in rows:
        shown = row["status"] == "active" and row["user_id"] in people
        yield Loaded(row["id"], row["sourced_id"], "", row if shown else None)


def _users(roster: Roster, collection: str, ids: Sequence[int]) -> Iterator[Loaded]:
    agents = _agents(roster, ids)
    visible = roster.sight.people({*agents, *(agent for _, some in agents.values() for agent in some)})
    shown = [number for number in agents if number in visible]
    profiles = _profiles(roster, shown)
    roles = _roles(roster, shown)
    resources = _resources_of(roster, "store_userresource", "user_id", shown)
    rows = {row["id"]: row for row in _select(roster, collection, shown, ["primary_org_id"])}
    for number, (sourced_id, named) in agents.items():
        if number not in visible:
            yield Loaded(number, sourced_id, "", None)
            continue
        row = rows[number]
        row["agentSourcedIds"] = [visible[agent] for agent in named if agent in visible]
        primary = row["primary_org_id"]
        row["primaryOrgSourcedId"] = roster.sight.orgs[primary] if primary in roster.sight.role_orgs else None
        row["roles"] = roles[number]
        row["userProfiles"] = profiles[number]
        row["resources"] = resources[number]
        kind, _ = role_and_orgs_v1p1(row["roles"], row["primaryOrgSourcedId"], roster.today)
        yield Loaded(number, sourced_id, kind, row)


def _agents(roster: Roster, ids: Sequence[int]) -> dict[int, tuple[str, list[int]]]:
    """The sourcedId of every one of these users, and whom they name as agents; in the order asked for."""
    rows = rows_of(
        roster.cursor,
        f"SELECT id, sourced_id, agent_ids FROM store_user WHERE district_id = %s AND {among(roster.cursor, 'id')}",
        [roster.district_id, many(roster.cursor, ids)],
    )
    found = {number: (sourced_id, agents) for number, sourced_id, agents in rows}
    return {
        number: (found[number][0], json.loads(found[number][1] or "[]")) for number in ids if number in found
    }


def _roles(roster: Roster, users: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """The roles each may be seen with; who has none left has the role of their enrollments, at the class's school, or is a guardian
    at the schools of the students who name them.
    """
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    orgs, role_orgs = roster.sight.orgs, roster.sight.role_orgs
    for user, role_type, role, begin, end, org, profile in rows_of(
        roster.cursor,
        f"""SELECT r.user_id, r.role_type, r.role, r.begin_date, r.end_date, r.org_id, p.sourced_id
            FROM store_role r LEFT JOIN store_userprofile p
            ON p.district_id = r.district_id AND p.id = r.user_profile_id AND p.status = 'active'
            WHERE r.district_id = %s AND {among(roster.cursor, "r.user_id")} AND r.status = 'active' ORDER BY r.user_id, r.id""",
        [roster.district_id, many(roster.cursor, users)],
    ):
        if org in role_orgs and org in orgs:
            found[user].append(
                {
                    "roleType": role_type,
                    "role": role,
                    "orgSourcedId": orgs[org],
                    "beginDate": begin,
                    "endDate": end,
                    "userProfileSourcedId": profile,
                }
            )
    _roles_by_enrollment(roster, [user for user in users if user not in found], found)
    _roles_by_wards(roster, [user for user in users if user not in found], found)
    return found


def _roles_by_enrollment(roster: Roster, users: list[int], found: dict[int, list[dict[str, Any]]]) -> None:
    if not users:
        return
    for user, role, class_id in rows_of(
        roster.cursor,
        f"""SELECT user_id, role, class_id FROM store_enrollment
            WHERE district_id = %s AND {among(roster.cursor, "user_id")} AND status = 'active' ORDER BY user_id, id""",
        [roster.district_id, many(roster.cursor, users)],
    ):
        place = roster.sight.classes.get(class_id)
        if place is None:
            continue
        _add_role(found[user], roster.sight.orgs[place[1]], role_v1p2(role, "school"))


def _add_role(known: list[dict[str, Any]], org: str, word: str) -> None:
    if any(one["orgSourcedId"] == org and one["role"] == word for one in known):
        return
    first = all(one["orgSourcedId"] != org for one in known)
    known.append(
        {
            "roleType": "primary" if first else "secondary",
            "role": word,
            "orgSourcedId": org,
            "beginDate": None,
            "endDate": None,
            "userProfileSourcedId": None,
        }
    )


def _roles_by_wards(roster: Roster, users: list[int], found: dict[int, list[dict[str, Any]]]) -> None:
    if not users:
        return
    cursor = roster.cursor
    words = dict(
        rows_of(
            cursor,
            f"""SELECT user_id, role FROM store_role WHERE district_id = %s AND {among(cursor, "user_id")} AND status = 'active'
                AND role IN ({GUARDIAN_WORDS}) ORDER BY id DESC""",
            [roster.district_id, many(cursor, users)],
        )
    )
    if not words:
        return
    named = rows_of(
        cursor,
        f"""SELECT element.value, u.id, e.class_id FROM store_user u, {elements(cursor, "u.agent_ids")}, store_enrollment e
            WHERE u.district_id = %s AND u.agent_ids IS NOT NULL AND u.status = 'active' AND {among(cursor, "element.value")}
            AND e.district_id = u.district_id AND e.user_id = u.id AND e.role = 'student' AND e.status = 'active'
            ORDER BY 1, e.id""",
        [roster.district_id, many(cursor, words)],
    )
    wards = roster.sight.people({ward for _, ward, _ in named})
    for user, ward, class_id in named:
        place = roster.sight.classes.get(class_id)
        if place is not None and ward in wards:
            _add_role(found[user], roster.sight.orgs[place[1]], words[user])


def _profiles(roster: Roster, users: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    names = (
        "sourcedId",
        "profileType",
        "vendorId",
        "applicationId",
        "description",
        "credentialType",
        "username",
    )
    for user, *values in rows_of(
        roster.cursor,
        f"""SELECT user_id, sourced_id, profile_type, vendor_id, application_id, description, credential_type, username
            FROM store_userprofile
            WHERE district_id = %s AND {among(roster.cursor, "user_id")} AND status = 'active' ORDER BY user_id, id""",
        [roster.district_id, many(roster.cursor, users)],
    ):
        found[user].append(dict(zip(names, values, strict=True)))
    return found


_LOADERS: dict[str, Callable[[Roster, str, Sequence[int]], Iterator[Loaded]]] = {
    "orgs": _orgs,
    "academicSessions": _sessions,
    "courses": _courses,
    "classes": _classes,
    "users": _users,
    "enrollments": _enrollments,
    "demographics": _demographics,
    "resources": _resources,
}
