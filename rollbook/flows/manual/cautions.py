"""Cautions: what a person should think of before confirming. Somebody who may be the same, the last administrator. Said, never decided."""

from typing import Any

from django.db.models import Q

from rollbook.engine.stakes import ADMINISTRATORS
from rollbook.flows.districts import MANUAL
from rollbook.flows.manual.entries import Entry
from rollbook.store.columns import fold
from rollbook.store.models import Class, Connection, District, Enrollment, Role, User
from rollbook.store.models.roster import ACTIVE

ALIKE = {"username": "username_folded", "email": "email_folded", "identifier": "identifier"}
"""The fields by which products recognise a person, and where they are looked for."""

TOLD = 3


def cautions(district: District, verb: str, entry: Entry) -> list[str]:
    """A sentence for each. Nobody is named, only ids and the connections they came in by."""
    if entry.collection == "enrollments":
        return _enrolled_already(district, entry) if verb in ("add", "edit") else []
    alike = _somebody_alike(district, entry) if verb in ("add", "edit") else []
    return [*alike, *_last_administrator(district, verb, entry)]


def _somebody_alike(district: District, entry: Entry) -> list[str]:
    """Among what imports own: two manual records that are alike are a finding."""
    told = []
    for name, column in ALIKE.items():
        value = entry.values.get(name, "")
        if value:
            sought = Q(**{column: fold(value) if column.endswith("_folded") else value})
            told += [
                f"{one.sourced_id} ({owner}) has the same {name} already."
                for one, owner in _living(district, User, entry, sought & _imported(district))
            ]
    return told


def _imported(district: District) -> Q:
    manual = Connection.objects.filter(district=district, kind=MANUAL)
    return ~Q(connection_id__in=manual.values("id"))


def _enrolled_already(district: District, entry: Entry) -> list[str]:
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
    # In no order of the database's: for one by id it would walk the whole district instead of the few that are alike.
    found = sorted(alike.exclude(sourced_id=entry.sourced_id).order_by()[:TOLD], key=lambda one: one.id)
    names = dict(Connection.objects.filter(district=district).values_list("id", "name"))
    return [(one, names.get(one.connection_id, "")) for one in found]


def _last_administrator(district: District, verb: str, entry: Entry) -> list[str]:
    """Whether this person is the only administrator of the district, and would be none any more."""
    stays = verb in ("add", "edit") and any(role.get("role") in ADMINISTRATORS for role in entry.roles)
    if stays or verb == "restore":
        return []
    living = User.objects.filter(district=district, status=ACTIVE)
    roles = Role.objects.filter(district=district, status=ACTIVE, role__in=ADMINISTRATORS)
    own = living.filter(sourced_id=entry.sourced_id).values("id")
    others = living.exclude(sourced_id=entry.sourced_id).values("id")
    if not roles.filter(user_id__in=own).exists() or roles.filter(user_id__in=others).exists():
        return []
    return ["This is the last administrator of the district: afterwards there is none."]
