"""A small published roster for the tests of the REST door, written through the models: two schools, awkward ids, a deletion."""

import json
from typing import Any

from rollbook.flows.publish import publish
from rollbook.oneroster.folding import fold
from rollbook.store.models import (
    AcademicSession,
    Class,
    ClassResource,
    Course,
    CourseResource,
    Demographics,
    District,
    Enrollment,
    Org,
    Record,
    Resource,
    Role,
    User,
    UserResource,
)

AWKWARD = ("a/b", "c d", "é@ñ", "50%+1")
"""sourcedIds of students that percent-encoding has to carry whole."""


class Roster:
    """Adds records one by one under ids of its own; `publish` makes them seen."""

    def __init__(self, district: District) -> None:
        self.district = district
        self._last = 0

    def add(self, model: type[Record], sourced_id: str, **fields: Any) -> int:
        number = self._last = self._last + 1
        values = {
            name: json.dumps(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        columns = {field.attname for field in model._meta.get_fields()}  # type: ignore[union-attr]  # columns all
        folded = {
            f"{name}_folded": fold(value)
            for name, value in values.items()
            if f"{name}_folded" in columns and value is not None
        }
        model.objects.create(
            district=self.district, id=number, connection_id=1, source_id=sourced_id, sourced_id=sourced_id,
            **values, **folded,
        )  # fmt: skip
        return number

    def student(self, sourced_id: str, school: int, klass: int | None, given_name: str = "Ada") -> int:
        user = self._person(sourced_id, "student", school, given_name)
        if klass is not None:
            self.add(
                Enrollment,
                f"enrollment-{sourced_id}",
                class_id=klass,
                school_id=school,
                user_id=user,
                role="student",
            )
        self.add(Demographics, sourced_id, user_id=user, birth_date="2010-05-06", sex="female")
        return user

    def teacher(self, sourced_id: str, school: int, klass: int) -> int:
        user = self._person(sourced_id, "teacher", school, "Grace")
        self.add(
            Enrollment, f"enrollment-{sourced_id}", class_id=klass, school_id=school, user_id=user, role="teacher",
            primary=True,
        )  # fmt: skip
        return user

    def _person(self, sourced_id: str, role: str, school: int, given_name: str) -> int:
        user = self.add(
            User, sourced_id, enabled_user=True, username=f"user-{sourced_id}", given_name=given_name,
            family_name=f"Of {sourced_id}", email=f"{abs(hash(sourced_id))}@example.org",
        )  # fmt: skip
        self.add(Role, f"role-{sourced_id}", user_id=user, role_type="primary", role=role, org_id=school)
        return user

    def publish(self) -> None:
        publish(self.district.pk, None, "test")


def fill(district: District) -> Roster:
    """Two schools with a class each; ten students in the first class, one in the second."""
    roster = Roster(district)
    top = roster.add(Org, "org-top", name="District", type="district")
    north, south = (
        roster.add(Org, f"school-{name}", name=f"{name} school", type="school", parent_id=top)
        for name in ("north", "south")
    )
    year = roster.add(
        AcademicSession, "year", title="Year", type="schoolYear", start_date="2026-08-01", end_date="2027-06-30",
        school_year="2027",
    )  # fmt: skip
    term = roster.add(
        AcademicSession, "term", title="Term", type="term", start_date="2026-08-01", end_date="2027-01-31",
        school_year="2027", parent_id=year,
    )  # fmt: skip
    roster.add(
        AcademicSession, "period", title="Period", type="gradingPeriod", start_date="2026-08-01",
        end_date="2026-10-31", school_year="2027", parent_id=term,
    )  # fmt: skip
    course = roster.add(Course, "course", title="Algebra", course_code="ALG", org_id=top, school_year_id=year)
    algebra = {"class_type": "scheduled", "course_id": course, "term_ids": [term]}
    classes = [
        roster.add(Class, f"class-{name}", title=f"Algebra {name}", school_id=school, **algebra)
        for name, school in (("north", north), ("south", south))
    ]
    for number in range(10 - len(AWKWARD)):
        roster.student(f"student-{number}", north, classes[0])
    for sourced_id in AWKWARD:
        roster.student(sourced_id, north, classes[0], given_name="Colin Robert")
    roster.student("student-south", south, classes[1])
    roster.teacher("teacher-north", north, classes[0])
    book = roster.add(Resource, "book", title="A book", vendor_resource_id="v-1")
    roster.add(ClassResource, "class-book", class_id=classes[0], resource_id=book)
    roster.add(CourseResource, "course-book", course_id=course, resource_id=book)
    student = User.objects.get(district=district, sourced_id="student-1")
    roster.add(UserResource, "user-book", user_id=student.id, resource_id=book)
    roster.publish()
    return roster
