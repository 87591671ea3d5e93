"""The manual records of a district, and what was done to each: when, by whom, what. Read only."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from rollbook.flows.districts import MANUAL
from rollbook.flows.limits import APPLIED
from rollbook.store import shelf
from rollbook.store.columns import fold
from rollbook.store.deliveries import owned_ids
from rollbook.store.histories import plans_touching
from rollbook.store.models import Connection, District, Enrollment, Record, Run, User
from rollbook.store.models.roster import ACTIVE, TOBEDELETED
from rollbook.store.plans import PlannedChange, find_changes

STATUSES = {"active": ACTIVE, "deleted": TOBEDELETED, "all": ""}

LOOKED_THROUGH = 1_000
"""How many runs of the manual connection are looked through for what happened to a record, the latest first."""

SHOWN = 100


@dataclass(frozen=True)
class Event:
    """One run that changed a record, and how. The changes may be those of a person's roles."""

    run: Run
    changes: list[PlannedChange]


def manual_people(district: District, search: str = "", status: str = "active") -> QuerySet[User]:
    """People kept by hand, by name. `search` is looked for in names, ids, usernames and e-mails; `status` is a key of STATUSES."""
    people = User.objects.filter(_mine(district, "users", status))
    for word in search.split():
        people = people.filter(_is_person(word))
    return people.order_by("family_name_folded", "given_name_folded", "id")


def manual_enrollments(district: District, search: str = "", status: str = "active") -> QuerySet[Enrollment]:
    """Enrollments kept by hand, the latest first; `search` is looked for in their ids and in the people they enroll."""
    enrollments = Enrollment.objects.filter(_mine(district, "enrollments", status))
    for word in search.split():
        people = User.objects.filter(_is_person(word), district=district)
        enrollments = enrollments.filter(Q(sourced_id__icontains=word) | Q(user_id__in=people.values("id")))
    return enrollments.order_by("-id")


def _mine(district: District, collection: str, status: str) -> Q:
    connection = Connection.objects.filter(district=district, kind=MANUAL).first()
    generation = District.objects.values_list("generation", flat=True).get(pk=district.pk)
    ids = owned_ids(connection, generation, collection) if connection else []
    found = Q(district=district, id__in=ids, connection_id=connection.pk if connection else 0)
    return found & Q(status=STATUSES[status]) if STATUSES[status] else found


def _is_person(word: str) -> Q:
    found = Q(sourced_id__icontains=word) | Q(identifier=word)
    for column in ("family_name_folded", "given_name_folded", "username_folded", "email_folded"):
        found |= Q(**{f"{column}__contains": fold(word)})
    return found


def history_of(record: Record, collection: str) -> list[Event]:
    """What was done to a manual record, the latest first, as far as the plans are kept."""
    runs = Run.objects.filter(
        connection=record.connection_id, outcome__in=APPLIED, plan__isnull=False
    ).select_related("plan")
    by_id = {run.pk: run for run in runs.order_by("-ended_at", "-id")[:LOOKED_THROUGH]}
    plans = {pk: shelf.place(run.plan.shelf_name) for pk, run in by_id.items()}
    touching = plans_touching(plans, collection, record.source_id)
    return [
        Event(run, _about(record, collection, find_changes(plans[pk], limit=SHOWN)))
        for pk, run in by_id.items()
        if pk in touching
    ]


def _about(record: Record, collection: str, changes: Iterable[PlannedChange]) -> list[PlannedChange]:
    """The changes of a plan that are of this record; a plan made by hand has no others, one that undoes may have."""
    own = [one for one in changes if one.collection == collection and one.source_id == record.source_id]
    roles = [
        one
        for one in changes
        if collection == "users" and one.collection == "roles" and _role_of(one) == record.source_id
    ]
    return [*own, *roles]


def _role_of(change: PlannedChange) -> str:
    """Whose role it is, where the change says so; else by how such roles are numbered."""
    for one in change.differences:
        if one.field == "userSourcedId":
            return one.after or one.before
    return change.source_id.rpartition("-role-")[0]
