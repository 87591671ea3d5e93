"""Twins: who in the roster may be the person that is being entered, or sits in that class already. Said, never decided."""

from typing import Any

from django.db.models import Q

from rollbook.flows.manual.entries import Entry
from rollbook.store.columns import fold
from rollbook.store.models import Class, Connection, District, Enrollment, User
from rollbook.store.models.roster import ACTIVE

ALIKE = {"username": "username_folded", "email": "email_folded", "identifier": "identifier"}
"""The fields by which products recognise a person, and where they are looked for."""

TOLD = 3


def twins_of(district: District, entry: Entry) -> list[str]:
    """A sentence for each. Nobody is named, only ids and the connections they came in by."""
    return _people(district, entry) if entry.collection == "users" else _enrolled(district, entry)


def _people(district: District, entry: Entry) -> list[str]:
    told = []
    for name, column in ALIKE.items():
        value = entry.values.get(name, "")
        if value:
            sought = fold(value) if column.endswith("_folded") else value
            told += [
                f"{one.sourced_id} ({owner}) has the same {name} already."
                for one, owner in _living(district, User, entry, Q(**{column: sought}))
            ]
    return told


def _enrolled(district: District, entry: Entry) -> list[str]:
    person = User.objects.filter(district=district, sourced_id=entry.values.get("userSourcedId", ""))
    place = Class.objects.filter(district=district, sourced_id=entry.values.get("classSourcedId", ""))
    same = Q(user_id__in=person.values("id"), class_id__in=place.values("id"))
    return [
        f"{one.sourced_id} ({owner}) enrolls this person in this class already."
        for one, owner in _living(district, Enrollment, entry, same)
    ]


def _living(district: District, model: Any, entry: Entry, condition: Q) -> list[tuple[Any, str]]:
    """Active records that are like it, the entry's own left out, with the names of their connections."""
    alike = model.objects.filter(condition, district=district, status=ACTIVE)
    found = list(alike.exclude(sourced_id=entry.sourced_id).order_by("id")[:TOLD])
    names = dict(Connection.objects.filter(district=district).values_list("id", "name"))
    return [(one, names.get(one.connection_id, "")) for one in found]
