"""What a teacher may do at the launch pad for the pupils of their classes. Whose classes they are says the roster, as it is now."""

from rollbook.engine.launching import BADGE
from rollbook.flows.launching.standing import ACTIVE, LaunchPerson
from rollbook.refusal import Refusal
from rollbook.store.models import Class, Enrollment

TEACHER = "teacher"
SHOWN = 50


class NotYourClass(Refusal):
    """You do not teach this class."""


def classes_taught(person: LaunchPerson) -> list[Class]:
    """The active classes they are enrolled in as a teacher, by title; none for who came in by a badge, which is a child's way."""
    if person.by == BADGE:
        return []
    taught = Enrollment.objects.filter(
        district_id=person.district_id, user_id=person.user_id, role=TEACHER, status=ACTIVE
    )
    found = Class.objects.filter(
        district_id=person.district_id, status=ACTIVE, id__in=taught.values("class_id")
    )
    return list(found.order_by("title_folded", "id")[:SHOWN])


def class_taught(person: LaunchPerson, class_id: int) -> Class:
    """Raises NotYourClass."""
    found = next((one for one in classes_taught(person) if one.id == class_id), None)
    if found is None:
        raise NotYourClass
    return found


def name_in_the_log(person: LaunchPerson) -> str:
    """A teacher as the audit log names them: by the id they have in the roster."""
    return f"{person.sourced_id} (launch pad)"
