"""How a record of a directory stands in its table: its columns in order, and what fields they are."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from sys import intern
from typing import Any

from rollbook.engine.sync.memory import Held
from rollbook.engine.sync.operations import GROUPS, MEMBERS, MEMBERSHIPS, SITES, Value
from rollbook.engine.sync.sharing import shared_fields
from rollbook.engine.sync.target import Record
from rollbook.oneroster.folding import fold
from rollbook.store.models import Group, Member, Membership, Site
from rollbook.store.models.directory import DirectoryRecord

TABLES: dict[str, type[DirectoryRecord]] = {
    SITES: Site,
    MEMBERS: Member,
    GROUPS: Group,
    MEMBERSHIPS: Membership,
}
HEAD = ("id", "connection_id", "source_id", "state", "version")
OWN: dict[str, tuple[str, ...]] = {
    SITES: ("name", "name_folded", "identifier"),
    MEMBERS: (
        "given_name", "family_name", "email", "email_folded", "username", "username_folded", "identifier", "grade", "roles", "site_ids",
        "name_folded", "archived_from",
    ),
    GROUPS: ("title", "form", "site_id", "code", "subject", "grades", "begins", "ends", "central", "title_folded"),
    MEMBERSHIPS: ("group_id", "member_id", "role", "primary", "begins", "ends"),
}  # fmt: skip
"""The columns of each kind besides HEAD that a target writes: a member's account is none of them."""

LONGEST = {"role": 40, "form": 5, "begins": 10, "ends": 10}
"""The fields that have an end, in characters."""

Row = Sequence[Any]


def columns_of(kind: str) -> tuple[str, ...]:
    return HEAD + OWN[kind]


def record_of(kind: str, row: Row, ours: int) -> Record:
    """The record that stands in a row of `columns_of`, as the connection `ours` sees it."""
    number, owner, key, state, version = row[:5]
    managed = owner == ours and owner != 0
    fields = FIELDS_OF[kind](row[5:])
    if kind == MEMBERSHIPS:  # those are read as a stream, and not kept
        return Record(kind, str(number), state, fields, key, managed, str(version))
    kept = intern(str(number)), intern(state), shared_fields(fields), intern(key)
    return Record(kind, *kept, managed, intern(str(version)))


def held_of(kind: str, row: Row) -> Held:
    """The same for playing operations through on it."""
    number, owner, key, state, version = row[:5]
    came_from = row[-1] if kind == MEMBERS else ""
    owned = str(owner) if owner else ""
    return Held(kind, str(number), state, FIELDS_OF[kind](row[5:]), key, owned, version, came_from)


def row_of(held: Held) -> list[Any]:
    """The row of a record: the values of `columns_of`."""
    values = COLUMNS_OF[held.kind](held.fields)
    if held.kind == MEMBERS:
        values.append(held.came_from)
    return [int(held.id), int(held.owner or 0), held.key, held.state, held.version, *values]


def _site(row: Row) -> dict[str, Value]:
    return {"name": row[0], "identifier": row[2]}


def _member(row: Row) -> dict[str, Value]:
    return {
        "given_name": row[0],
        "family_name": row[1],
        "email": row[2],
        "username": row[4],
        "identifier": row[6],
        "grade": row[7],
        "roles": listed(row[8]),
        "sites": listed(row[9]),
    }


def _group(row: Row) -> dict[str, Value]:
    return {
        "title": row[0],
        "form": row[1],
        "site": "" if row[2] is None else str(row[2]),
        "code": row[3],
        "subject": row[4],
        "grades": listed(row[5]),
        "begins": row[6],
        "ends": row[7],
        "central": bool(row[8]),
    }


def _membership(row: Row) -> dict[str, Value]:
    return {
        "group": str(row[0]),
        "member": str(row[1]),
        "role": row[2],
        "primary": bool(row[3]),
        "begins": row[4],
        "ends": row[5],
    }


@lru_cache(10_000)
def listed(text: str) -> tuple[str, ...]:
    """A JSON array of texts: the same few stand in very many rows."""
    return tuple(json.loads(text))


Fields = Mapping[str, Any]


def _of_site(fields: Fields) -> list[Any]:
    return [fields["name"], fold(fields["name"]), fields["identifier"]]


def _of_member(fields: Fields) -> list[Any]:
    email, username = fields["email"], fields["username"]
    return [
        fields["given_name"], fields["family_name"], email, fold(email) or None, username, fold(username) or None, fields["identifier"],
        fields["grade"], json_list(fields["roles"]), json_list(fields["sites"]), name_key(fields["family_name"], fields["given_name"]),
    ]  # fmt: skip


def name_key(family_name: str, given_name: str) -> str:
    """What a member is sorted by and found by: the tab comes before all that a name is written with."""
    return fold(f"{family_name}\t{given_name}")


def _of_group(fields: Fields) -> list[Any]:
    return [
        fields["title"], fields["form"] or "class", int(fields["site"]) if fields["site"] else None, fields["code"], fields["subject"],
        json_list(fields["grades"]), fields["begins"], fields["ends"], fields["central"], fold(fields["title"]),
    ]  # fmt: skip


def _of_membership(fields: Fields) -> list[Any]:
    return [
        int(fields["group"]), int(fields["member"]), fields["role"], fields["primary"], fields["begins"], fields["ends"],
    ]  # fmt: skip


@lru_cache(10_000)
def json_list(values: tuple[str, ...]) -> str:
    return json.dumps(values, ensure_ascii=False)


FIELDS_OF: dict[str, Callable[[Row], dict[str, Value]]] = {
    SITES: _site,
    MEMBERS: _member,
    GROUPS: _group,
    MEMBERSHIPS: _membership,
}
COLUMNS_OF: dict[str, Callable[[Fields], list[Any]]] = {
    SITES: _of_site,
    MEMBERS: _of_member,
    GROUPS: _of_group,
    MEMBERSHIPS: _of_membership,
}
