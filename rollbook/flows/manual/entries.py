"""Entries: what a person types about one manual record, as the rows of a delta package. References are sourcedIds as they are served.

The manual connection has no prefix, so that its records are delivered under the ids they are served under.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rollbook.oneroster.collections import COLLECTION
from rollbook.oneroster.csv_binding import Supply, into_folder, write_package, written
from rollbook.store.deliveries import delivered
from rollbook.store.models import RECORDS, Class, Connection, District, Org, Record, Role
from rollbook.store.models.roster import ACTIVE, TOBEDELETED

Text = Mapping[str, str]
Rows = dict[str, list[dict[str, str]]]

ROLE_FIELDS = ("role", "orgSourcedId", "beginDate", "endDate")
"""What is typed of a role; the kind of role follows from the order."""


DERIVED = ("schoolSourcedId", "userProfileSourcedId", "primaryOrgSourcedId")
"""References nobody types."""


@dataclass(frozen=True)
class Entry:
    """A manual record as it is to be. `values` are texts by the names of the CSV 1.2 fields, lists joined by commas.

    `roles` (of a person) are texts by `ROLE_FIELDS`; a role that is there already has its `sourcedId`, too.
    """

    collection: str
    sourced_id: str
    values: Text = field(default_factory=dict)
    roles: tuple[Text, ...] = ()


def new_id() -> str:
    """A sourcedId that nobody has."""
    return f"manual-{uuid4().hex[:16]}"


def entry_of(connection: Connection, record: Record, collection: str) -> Entry:
    """What is stored of a manual record, as a person would have typed it."""
    [values] = _texts(connection, collection, [record.id])
    roles = () if collection != "users" else _roles_of(connection, record)
    return Entry(collection, record.sourced_id, values, roles)


def _texts(connection: Connection, collection: str, ids: Iterable[int]) -> list[dict[str, str]]:
    names = [one.name for one in COLLECTION[collection].fields]
    return [
        {"sourcedId": row["source_id"], **{name: written(row[name]) for name in names}}
        for row in delivered(connection, collection, sorted(ids))
    ]


def _roles_of(connection: Connection, record: Record) -> tuple[Text, ...]:
    own = Role.objects.filter(
        district=connection.district_id, connection_id=connection.pk, user_id=record.id, status=ACTIVE
    )
    return tuple(_texts(connection, "roles", own.values_list("id", flat=True)))


def saved_rows(connection: Connection, entry: Entry, stored: Record | None) -> Rows:
    """The rows that make the record what the entry says; a stored role that the entry does not have goes."""
    if entry.collection == "enrollments":
        return {"enrollments": [_row(entry.sourced_id, _with_school(connection.district, entry.values))]}
    before = entry_of(connection, stored, "users").roles if stored else ()
    roles = _numbered(connection, entry, stored)
    kept = {role["sourcedId"] for role in roles}
    gone = [_row(role["sourcedId"], role, TOBEDELETED) for role in before if role["sourcedId"] not in kept]
    person = {"primaryOrgSourcedId": roles[0]["orgSourcedId"] if roles else ""} | dict(entry.values)
    if roles and person["primaryOrgSourcedId"] not in {role["orgSourcedId"] for role in roles}:
        person["primaryOrgSourcedId"] = roles[0]["orgSourcedId"]
    rows = [_row(entry.sourced_id, person)]
    return {"users": rows, "roles": [*(_row(role["sourcedId"], role) for role in roles), *gone]}


def status_rows(connection: Connection, record: Record, collection: str, status: str) -> Rows:
    """The rows that delete a record (`tobedeleted`) or bring it back (`active`) with the values it had."""
    entry = entry_of(connection, record, collection)
    return {collection: [_row(entry.sourced_id, entry.values, status)]}


def _numbered(connection: Connection, entry: Entry, stored: Record | None) -> list[dict[str, str]]:
    """The roles with their ids: a new one gets a number that none of this person's roles ever had. The first at an org is the main one."""
    used = 0
    if stored:
        every = Role.objects.filter(district=connection.district_id, user_id=stored.id)
        used = every.filter(connection_id=connection.pk).count()
    places: set[str] = set()
    roles = []
    for typed in entry.roles:
        role = {"userSourcedId": entry.sourced_id, **typed}
        if not role.get("sourcedId"):
            used += 1
            role["sourcedId"] = f"{entry.sourced_id}-role-{used}"
        role["roleType"] = "secondary" if role["orgSourcedId"] in places else "primary"
        places.add(role["orgSourcedId"])
        roles.append(role)
    return roles


def _with_school(district: District, values: Text) -> dict[str, str]:
    """An enrollment is at the school of its class."""
    place = Class.objects.filter(district=district, sourced_id=values.get("classSourcedId", "")).first()
    school = Org.objects.filter(district=district, id=place.school_id).first() if place else None
    return {**values, "schoolSourcedId": school.sourced_id if school else ""}


def _row(sourced_id: str, values: Text, status: str = ACTIVE) -> dict[str, str]:
    moment = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
    return {**values, "sourcedId": sourced_id, "status": status, "dateLastModified": moment}


def unknown_references(district: District, entry: Entry) -> list[tuple[int | None, str]]:
    """(role or None, field) of what names nobody and nothing that lives in the roster. The judge tells only of records sound otherwise."""
    typed = [
        (None, entry.collection, entry.values),
        *((row, "roles", role) for row, role in enumerate(entry.roles)),
    ]
    unknown = []
    for row, collection, values in typed:
        for one in COLLECTION[collection].references:
            named = {item for item in values.get(one.name, "").split(",") if item}
            living = RECORDS[one.target or ""]._default_manager.filter(
                district=district, status=ACTIVE, sourced_id__in=named
            )
            if one.name not in DERIVED and living.count() < len(named):
                unknown.append((row, one.name))
    return unknown


def write_delta(folder: Path, rows: Rows) -> Path:
    """The rows as a delta package in `folder`, which is returned."""
    folder.mkdir(parents=True)
    supplies: dict[str, Any] = {name: Supply(some, "delta") for name, some in rows.items() if some}
    write_package(into_folder(folder), "1.2", supplies, ("Rollbook", "manual"))
    return folder
