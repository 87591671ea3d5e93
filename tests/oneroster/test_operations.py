"""Every operation of the standard is there, under its name, behind its scopes."""

from collections import Counter

import pytest

from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.operations import BASES, OPERATION, OPERATIONS, SINGULAR, operations
from rollbook.oneroster.scopes import NAMES
from rollbook.oneroster.spec import Operation


def test_1_1_has_61_operations_and_1_2_has_81():
    assert Counter((operation.version, operation.service) for operation in OPERATIONS) == {
        ("1.1", "rostering"): 41,
        ("1.1", "resources"): 4,
        ("1.1", "gradebook"): 16,
        ("1.2", "rostering"): 41,
        ("1.2", "gradebook"): 35,
        ("1.2", "resources"): 5,
    }


def test_no_operation_is_told_twice():
    assert len(OPERATION) == len(OPERATIONS)
    assert len({(o.version, o.service, o.method, o.path) for o in OPERATIONS}) == len(OPERATIONS)


def test_1_1_only_reads_replaces_and_deletes():
    assert Counter(operation.method for operation in operations("1.1")) == {"GET": 55, "PUT": 3, "DELETE": 3}


def test_1_2_also_creates():
    methods = Counter(operation.method for operation in operations("1.2"))
    assert methods == {"GET": 65, "PUT": 6, "DELETE": 6, "POST": 4}


def test_rostering_is_the_same_paths_in_both_versions():
    paths = [{o.path: o.operation_id for o in operations(v, "rostering")} for v in ("1.1", "1.2")]
    assert paths[0] == paths[1]


@pytest.mark.parametrize(
    ("path", "operation_id", "key"),
    [
        ("/academicSessions", "getAllAcademicSessions", "academicSessions"),
        ("/gradingPeriods/{sourcedId}", "getGradingPeriod", "academicSession"),
        ("/schools", "getAllSchools", "orgs"),
        ("/students/{sourcedId}", "getStudent", "user"),
        ("/demographics/{sourcedId}", "getDemographics", "demographics"),
        ("/schools/{schoolSourcedId}/terms", "getTermsForSchool", "academicSessions"),
        (
            "/schools/{schoolSourcedId}/classes/{classSourcedId}/enrollments",
            "getEnrollmentsForClassInSchool",
            "enrollments",
        ),
        ("/terms/{termSourcedId}/gradingPeriods", "getGradingPeriodsForTerm", "academicSessions"),
    ],
)
def test_a_path_has_its_operation_and_wraps_its_answer_in_its_key(path: str, operation_id: str, key: str):
    for version in ("1.1", "1.2"):
        operation = OPERATION[version, operation_id]
        assert (operation.path, operation.key) == (path, key)


def test_ids_in_a_path_are_named_parents_first():
    assert OPERATION["1.2", "getStudentsForClassInSchool"].parameters == ("schoolSourcedId", "classSourcedId")
    assert OPERATION["1.1", "getUser"].parameters == ("sourcedId",)
    assert OPERATION["1.1", "getAllUsers"].parameters == ()


def test_what_is_read_is_an_entity_of_its_version():
    for operation in OPERATIONS:
        assert (operation.version, operation.collection) in ENTITIES


def test_one_record_is_wrapped_by_the_name_of_its_entity():
    for (version, collection), entity in ENTITIES.items():
        assert (entity.version, entity.name) == (version, SINGULAR[collection])


def test_every_scope_of_an_operation_exists():
    for operation in OPERATIONS:
        assert operation.scopes
        assert set(operation.scopes) <= set(NAMES[operation.version])


def test_puts_wrap_one_record_and_posts_wrap_many():
    wrapped: dict[str, set[str | None]] = {"put": set(), "post": set()}
    for operation in operations("1.2", "gradebook"):
        if operation.kind in wrapped:
            wrapped[operation.kind].add(operation.request_key)
            assert operation.success == 201
    assert wrapped["post"] == {"lineItems", "results"}
    assert "scoreScale" in wrapped["put"]


def test_the_gradebook_is_not_offered_yet():
    assert {operation.service for operation in OPERATIONS if operation.served} == {"rostering", "resources"}


def test_1_1_has_one_base_and_1_2_one_for_each_service():
    assert len({BASES["1.1", service] for service in ("rostering", "gradebook", "resources")}) == 1
    assert BASES["1.2", "rostering"] == "/ims/oneroster/rostering/v1p2"
    reads: list[Operation] = [o for o in OPERATIONS if (o.version, o.service) in BASES]
    assert len(reads) == len(OPERATIONS)
