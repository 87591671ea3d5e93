"""What is asked for of a collection, where not everything is: some members of its records, and what changed since a moment.

Source: OneRoster 1.1 REST §3.4.3 (filter) and §3.4.4 (fields). A server that refuses to be asked so is asked plainly.
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlencode

from rollbook.connectors.oneroster_rest.configuration import Configuration
from rollbook.connectors.oneroster_rest.spool import Row
from rollbook.oneroster.entities import ENTITIES

ALWAYS = ("sourcedId", "status", "dateLastModified")

MAPPED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "orgs": ("name", "type", "identifier", "parent", "children"),
        "academicSessions": ("title", "type", "startDate", "endDate", "parent", "children", "schoolYear"),
        "courses": ("title", "courseCode", "org"),
        "classes": (
            "title",
            "classCode",
            "classType",
            "location",
            "grades",
            "subjects",
            "course",
            "school",
            "terms",
            "periods",
        ),
        "users": (
            "username",
            "enabledUser",
            "givenName",
            "familyName",
            "role",
            "roles",
            "orgs",
            "primaryOrg",
            "identifier",
            "email",
            "grades",
        ),
        "enrollments": ("user", "class", "school", "role", "primary", "beginDate", "endDate"),
    }
)
"""The members that a roster sync has a use for, and those without which a record is none."""


def query(configuration: Configuration, version: str, collection: str) -> str:
    """What goes behind limit and offset: empty, or with a & in front."""
    asked = {}
    if configuration.only and collection in MAPPED:
        asked["fields"] = ",".join(members(version, collection))
    if configuration.since:
        asked["filter"] = f"dateLastModified>'{configuration.since}'"
    return f"&{urlencode(asked)}" if asked else ""


def members(version: str, collection: str) -> tuple[str, ...]:
    """The members of `MAPPED` that this version's records have."""
    known = {member.name for member in ENTITIES[version, collection].members}
    return (*ALWAYS, *(name for name in MAPPED[collection] if name in known))


def stripped(configuration: Configuration, version: str, collection: str, row: Row) -> Row:
    """The row without what was not asked for: some servers give everything all the same."""
    if not configuration.only or collection not in MAPPED:
        return row
    sources = {member.name: member.source for member in ENTITIES[version, collection].members}
    kept = {sources.get(name) or name for name in members(version, collection)} | APART
    return {name: value for name, value in row.items() if name in kept}


APART = frozenset({"sourcedId", "status", "dateLastModified", "role", "orgSourcedIds", "roles"})
"""Columns that are filled from members of other names."""
