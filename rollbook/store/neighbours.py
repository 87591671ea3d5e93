"""The records that a district's other connections serve, asked for by the id they are served under; what those say of this connection's own;
and whose an id is that it would serve. Nothing is written.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from rollbook.engine.elsewhere import Belonging, Elsewhere, Neighbour, Owner, Owners
from rollbook.store.bulk import batches
from rollbook.store.models import RECORDS, Connection, Enrollment, Role
from rollbook.store.models.roster import ACTIVE

CHUNK = 2_000


def neighbours_of(connection: Connection, gone_too: bool = False) -> Elsewhere | None:
    """Who answers for the other connections of the district; None where there are none.

    What is deleted cannot be referred to anew; `gone_too` for what comes back as it was.
    """
    if not _are_there(connection):
        return None

    def served(collection: str, ids: Sequence[str]) -> list[Neighbour]:
        return _served(connection, collection, ids, gone_too)

    return served


def belonging_of(connection: Connection) -> Belonging | None:
    """Who knows what the other connections of the district say of this one's classes and people; None where there are none."""
    if not _are_there(connection):
        return None

    def said(collection: str, ids: Sequence[str]) -> list[tuple[str, str]]:
        return _said(connection, collection, ids)

    return said


def owners_of(connection: Connection) -> Owners:
    """Who knows under which of this connection's ids there are records of others, of removed connections too."""
    names = dict(Connection.objects.filter(district=connection.district_id).values_list("id", "name"))
    prefix = connection.prefix

    def owners(collection: str, ids: Sequence[str] | None) -> Iterator[Owner]:
        there: Any = RECORDS[collection]._default_manager.filter(district=connection.district_id)
        others = there.exclude(connection_id=connection.pk).values_list(
            "sourced_id", "id", "status", "connection_id"
        )
        if ids is None:
            found = others.filter(sourced_id__startswith=prefix).iterator(CHUNK)
        else:
            served = ([prefix + one for one in some] for some in batches(ids, CHUNK))
            found = (row for some in served for row in others.filter(sourced_id__in=some))
        for sourced_id, number, status, owner in found:
            if sourced_id.startswith(prefix):  # SQLite's LIKE knows no case
                whose = names.get(owner, "that was removed")
                yield sourced_id.removeprefix(prefix), number, status == ACTIVE, whose

    return owners


def foreign_among(connection: Connection, collection: str, record_ids: Sequence[int]) -> set[int]:
    """Those of these records that are another connection's by now."""
    there: Any = RECORDS[collection]._default_manager.filter(district=connection.district_id)
    others = there.exclude(connection_id=connection.pk)
    return {
        number
        for some in batches(record_ids, CHUNK)
        for number in others.filter(id__in=some).values_list("id", flat=True)
    }


def _are_there(connection: Connection) -> bool:
    return Connection.objects.filter(district=connection.district_id).exclude(pk=connection.pk).exists()


def _said(connection: Connection, collection: str, ids: Sequence[str]) -> list[tuple[str, str]]:
    saying: Any
    saying, column = {"classes": (Enrollment, "class_id"), "users": (Role, "user_id")}[collection]
    own: Any = RECORDS[collection]._default_manager.filter(
        district=connection.district_id, connection_id=connection.pk
    )
    found: list[tuple[str, str]] = []
    for some in batches(ids, CHUNK):
        delivered = dict(own.filter(source_id__in=some).values_list("id", "source_id"))
        others = saying.objects.filter(
            district=connection.district_id, status=ACTIVE, **{f"{column}__in": list(delivered)}
        )
        pairs = others.exclude(connection_id=connection.pk).values_list(column, "role").distinct()
        found += [(delivered[number], role) for number, role in pairs]
    return found


def _served(connection: Connection, collection: str, ids: Sequence[str], gone_too: bool) -> list[Neighbour]:
    model = RECORDS.get(collection)
    if model is None:
        return []
    columns = ["sourced_id", "id", *(["type"] if collection == "orgs" else [])]
    known: Any = model._default_manager.filter(district=connection.district_id)
    if not gone_too:
        known = known.filter(status=ACTIVE)
    found: list[Neighbour] = []
    for some in batches(ids, CHUNK):
        others = known.filter(sourced_id__in=some).exclude(connection_id=connection.pk)
        found += [(row[0], row[1], row[2] if len(row) > 2 else "") for row in others.values_list(*columns)]
    return found
