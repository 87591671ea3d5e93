"""Sub-collections, single records and nested paths, held against what follows from the records served."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from rollbook.oneroster.operations import OPERATION, OPERATIONS
from rollbook.oneroster.query import parse
from rollbook.store.models import AcademicSession, Class, District, Enrollment, Org, Role, User
from rollbook.store.querysets import positions, record_position
from rollbook.store.visibility import NotVisible, Reader
from tests.kept import kept
from tests.store.rosters import RandomDistrict
from tests.store.test_query_agrees import VERSIONS, WHOLE, served

Record = dict[str, Any]
ROSTERING = [operation for operation in OPERATIONS if operation.service == "rostering"]


class Seen:
    """What one reader is served in one version, and what of it lies under each path."""

    def __init__(self, reader: Reader, version: str) -> None:
        self.version = version
        self.all = {
            collection: served(reader, operation_id, version) for collection, operation_id in WHOLE.items()
        }
        self.live = {
            collection: {one["sourcedId"]: one for one in records if one["status"] == "active"}
            for collection, records in self.all.items()
        }

    def kinds(self, word: str) -> set[str]:
        """The ids of the living that the standard calls by this word of a path."""
        match word:
            case "schools":
                return self.of_type("orgs", "school")
            case "terms":
                return self.of_type("academicSessions", "term")
            case "gradingPeriods":
                return self.of_type("academicSessions", "gradingPeriod")
            case "students" | "teachers":
                return {key for key in self.live["users"] if self.has_role(key, word.removesuffix("s"))}
            case _:
                return set(self.live[word])

    def of_type(self, collection: str, type_: str) -> set[str]:
        return {key for key, one in self.live[collection].items() if one["type"] == type_}

    def has_role(self, key: str, role: str, school: str | None = None) -> bool:
        user = self.live["users"][key]
        if self.version == "1.1":
            at_school = school is None or school in ids(user["orgs"])
            return bool(user["role"] == role) and at_school
        return any(one["role"] == role and school in (None, one["org"]["sourcedId"]) for one in user["roles"])

    def classes_of(self, school: str) -> list[Record]:
        return [one for one in self.live["classes"].values() if one["school"]["sourcedId"] == school]

    def enrolled(self, class_: str, role: str) -> set[str]:
        return {
            one["user"]["sourcedId"]
            for one in self.live["enrollments"].values()
            if one["class"]["sourcedId"] == class_ and one["role"] == role
        }

    def classes_of_person(self, person: str, role: str | None) -> set[str]:
        return {
            one["class"]["sourcedId"]
            for one in self.live["enrollments"].values()
            if one["user"]["sourcedId"] == person and role in (None, one["role"])
        }

    def above(self, session: str) -> set[str]:
        """The sessions a session lies in."""
        found: set[str] = set()
        parent = self.live["academicSessions"].get(session, {}).get("parent")
        while parent and parent["sourcedId"] not in found:
            found.add(parent["sourcedId"])
            parent = self.live["academicSessions"].get(parent["sourcedId"], {}).get("parent")
        return found

    def having(self, collection: str, test: Callable[[Record], bool]) -> set[str]:
        return {key for key, one in self.live[collection].items() if test(one)}


def ids(references: list[Record]) -> list[str]:
    return [reference["sourcedId"] for reference in references]


def refers(name: str, key: str) -> Callable[[Record], bool]:
    return lambda record: bool(record.get(name, {}).get("sourcedId") == key)


NESTED: dict[str, Callable[..., set[str]]] = {
    "getClassesForCourse": lambda seen, course: seen.having("classes", refers("course", course)),
    "getClassesForSchool": lambda seen, school: seen.having("classes", refers("school", school)),
    "getClassesForStudent": lambda seen, person: seen.classes_of_person(person, "student"),
    "getClassesForTeacher": lambda seen, person: seen.classes_of_person(person, "teacher"),
    "getClassesForUser": lambda seen, person: seen.classes_of_person(person, None),
    "getClassesForTerm": lambda seen, term: seen.having("classes", lambda one: term in ids(one["terms"])),
    "getCoursesForSchool": lambda seen, school: seen.having("courses", refers("org", school))
    | {one["course"]["sourcedId"] for one in seen.classes_of(school)},
    "getEnrollmentsForClassInSchool": lambda seen, _, class_: seen.having("enrollments", refers("class", class_)),
    "getEnrollmentsForSchool": lambda seen, school: seen.having("enrollments", refers("school", school)),
    "getGradingPeriodsForTerm": lambda seen, term: {key for key in seen.kinds("gradingPeriods") if term in seen.above(key)},
    "getStudentsForClass": lambda seen, class_: seen.enrolled(class_, "student"),
    "getTeachersForClass": lambda seen, class_: seen.enrolled(class_, "teacher"),
    "getStudentsForClassInSchool": lambda seen, _, class_: seen.enrolled(class_, "student"),
    "getTeachersForClassInSchool": lambda seen, _, class_: seen.enrolled(class_, "teacher"),
    "getStudentsForSchool": lambda seen, school: {key for key in seen.live["users"] if seen.has_role(key, "student", school)},
    "getTeachersForSchool": lambda seen, school: {key for key in seen.live["users"] if seen.has_role(key, "teacher", school)},
    "getTermsForSchool": lambda seen, school: {term for one in seen.classes_of(school) for term in ids(one["terms"])}
    & seen.kinds("terms"),
}  # fmt: skip


def words(path: str) -> list[str]:
    return path.split("/")[1::2]


def found(reader: Reader, version: str, operation_id: str, *parents: str) -> list[int]:
    question = parse(OPERATION[(version, operation_id)], parents, [])
    publication = District.objects.get(pk=reader.district_id).publication
    with connection.cursor() as cursor:
        if question.operation.kind == "single":
            position = record_position(cursor, reader, question, publication)
            return [] if position is None else [position]
        return positions(cursor, reader, question, publication)


def records_found(seen: Seen, reader: Reader, operation_id: str, *parents: str) -> list[Record]:
    records = seen.all[OPERATION[(seen.version, operation_id)].collection or ""]
    return [records[position - 1] for position in found(reader, seen.version, operation_id, *parents)]


def living(records: list[Record]) -> set[str]:
    return {one["sourcedId"] for one in records if one["status"] == "active"}


def random_district(folder: Path) -> list[tuple[Seen, Reader]]:
    """What each reader of a random district sees, in each version."""
    readers = RandomDistrict(4).published(folder)
    return [
        (Seen(readers[name], version), readers[name]) for name in ("full", "late") for version in VERSIONS
    ]


district = kept(random_district)


def test_every_nested_path_of_both_versions_is_judged_here():
    nested = {one.operation_id for one in ROSTERING if one.kind == "collection" and one.parameters}
    assert set(NESTED) == nested


def test_a_sub_collection_holds_the_living_of_its_kind(district: list[tuple[Seen, Reader]]):
    for seen, reader in district:
        for operation in ROSTERING:
            if (
                operation.kind == "collection"
                and not operation.parameters
                and operation.version == seen.version
            ):
                records = records_found(seen, reader, operation.operation_id)
                assert living(records) == seen.kinds(words(operation.path)[0]), operation.path


def test_a_nested_path_holds_what_follows_from_the_records_served(district: list[tuple[Seen, Reader]]):
    full = set()
    for seen, reader in district:
        for operation_id, follows in NESTED.items():
            path = words(OPERATION[(seen.version, operation_id)].path)
            for first in seen.kinds(path[0]):
                for parents in (
                    [(first,)]
                    if len(path) == 2
                    else [(first, one["sourcedId"]) for one in seen.classes_of(first)]
                ):
                    records = records_found(seen, reader, operation_id, *parents)
                    assert living(records) == follows(seen, *parents), (operation_id, parents)
                    full |= {operation_id} if records else set()
    assert full == set(NESTED), "each should have held something somewhere"


def test_a_parent_that_is_unknown_dead_or_not_what_the_path_calls_it_is_not_visible(
    district: list[tuple[Seen, Reader]],
):
    for seen, reader in district:
        everything = {one["sourcedId"] for records in seen.all.values() for one in records} | {
            "nobody",
            "a\x00b",
            "'",
        }
        for operation_id in NESTED:
            path = words(OPERATION[(seen.version, operation_id)].path)
            right = seen.kinds(path[0])
            if len(path) == 2:
                for key in everything - right:
                    with pytest.raises(NotVisible):
                        found(reader, seen.version, operation_id, key)


def test_a_class_of_another_school_has_nobody_in_this_one(district: list[tuple[Seen, Reader]]):
    for seen, reader in district:
        for school in seen.kinds("schools"):
            here = {one["sourcedId"] for one in seen.classes_of(school)}
            for class_ in set(seen.live["classes"]) - here:
                for operation_id in ("getEnrollmentsForClassInSchool", "getStudentsForClassInSchool"):
                    assert found(reader, seen.version, operation_id, school, class_) == []


def test_a_single_record_is_found_by_its_id_and_kind_alone(district: list[tuple[Seen, Reader]]):
    for seen, reader in district:
        for operation in ROSTERING:
            if operation.kind == "single" and operation.version == seen.version:
                right = seen.kinds(words(operation.path)[0])
                records = seen.all[operation.collection or ""]
                for key in [*(one["sourcedId"] for one in records), "nobody", "\x00"]:
                    place = found(reader, seen.version, operation.operation_id, key)
                    if key in right:
                        assert [records[position - 1]["sourcedId"] for position in place] == [key]
                    elif key in seen.live[operation.collection or ""] or key not in [
                        one["sourcedId"] for one in records
                    ]:
                        assert place == []


def test_a_tombstone_is_found_by_its_id_in_the_whole_collection(district: list[tuple[Seen, Reader]]):
    for seen, reader in district:
        for operation in ROSTERING:
            if (
                operation.kind == "single"
                and words(operation.path)[0] in seen.live
                and operation.version == seen.version
            ):
                for place, one in enumerate(seen.all[operation.collection or ""], 1):
                    assert found(reader, seen.version, operation.operation_id, one["sourcedId"]) == [place]


def gone(records: list[Record]) -> set[str]:
    return {one["sourcedId"] for one in records if one["status"] == "tobedeleted"}


def test_who_reads_only_a_sub_collection_learns_of_deletions(district: list[tuple[Seen, Reader]]):
    """Every tombstone is in the sub-collection it was last in, by what the whole roster's tables still hold of it."""
    learnt = set()
    for seen, reader in district:
        kinds = {
            "getAllSchools": set(Org.objects.filter(district=reader.district_id, type="school").values_list("sourced_id", flat=True)),
            "getAllTerms": set(
                AcademicSession.objects.filter(district=reader.district_id, type="term").values_list("sourced_id", flat=True)
            ),
        }  # fmt: skip
        for operation_id, right in kinds.items():
            collection = OPERATION[(seen.version, operation_id)].collection or ""
            dead = gone(records_found(seen, reader, operation_id))
            assert dead == gone(seen.all[collection]) & right
            learnt |= dead
        dead = gone(records_found(seen, reader, "getAllStudents")) | gone(
            records_found(seen, reader, "getAllTeachers")
        )
        assert dead <= gone(seen.all["users"])
        learnt |= dead
    assert any(key.startswith("ORGS") for key in learnt)
    assert any(key.startswith("USER") for key in learnt)


def test_a_deleted_student_stays_among_the_students_of_the_school(db: None, tmp_path: Path):
    """By the role the person last had there; people of other schools do not turn up."""
    made = RandomDistrict(3)
    reader = made.published(tmp_path)["full"]
    for version in VERSIONS:
        before = Seen(reader, version)
        school = max(
            before.kinds("schools"), key=lambda key: len(NESTED["getStudentsForSchool"](before, key))
        )
        students = NESTED["getStudentsForSchool"](before, school)
        assert students
        person = min(students)
        made.delete(tmp_path / f"gone-{version}.parquet", "users", person)
        after = Seen(reader, version)
        assert person in gone(records_found(after, reader, "getStudentsForSchool", school))
        assert person in gone(records_found(after, reader, "getAllStudents"))
        elsewhere = before.kinds("schools") - {school} - was_at(reader, person)
        for other in elsewhere:
            assert person not in gone(records_found(after, reader, "getStudentsForSchool", other))


def was_at(reader: Reader, person: str) -> set[str]:
    """The schools at which a person ever had a role or a class."""
    user = User.objects.get(district=reader.district_id, sourced_id=person).id
    orgs = set(
        Role.objects.filter(district=reader.district_id, user_id=user).values_list("org_id", flat=True)
    )
    classes = Enrollment.objects.filter(district=reader.district_id, user_id=user).values_list(
        "class_id", flat=True
    )
    orgs |= set(
        Class.objects.filter(district=reader.district_id, id__in=list(classes)).values_list(
            "school_id", flat=True
        )
    )
    return set(
        Org.objects.filter(district=reader.district_id, id__in=orgs).values_list("sourced_id", flat=True)
    )
