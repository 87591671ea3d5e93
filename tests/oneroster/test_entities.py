"""The entities of REST as data: which members, which are required, and how filters compare them."""

from collections.abc import Iterator

import pytest

from rollbook.oneroster.collections import COLLECTION, SERVED
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.spec import Member
from rollbook.oneroster.tables import V1P2

BASE = ["dateLastModified", "sourcedId", "status", "metadata"]
DERIVED = {
    "orgs": {"children"},
    "academicSessions": {"children"},
    "courses": {"resources"},
    "classes": {"resources"},
    "users": {"roles", "userProfiles", "role", "orgSourcedIds", "resources"},
}

# Required members beyond the base, as the OpenAPI of 1.2 and the data model of 1.1 have them.
REQUIRED = {
    ("1.1", "academicSessions"): "title startDate endDate type schoolYear",
    ("1.1", "classes"): "title course school terms",
    ("1.1", "courses"): "title courseCode",
    ("1.1", "demographics"): "",
    ("1.1", "enrollments"): "user class school role",
    ("1.1", "orgs"): "name type identifier",
    ("1.1", "users"): "username enabledUser givenName familyName role orgs",
    ("1.1", "resources"): "vendorResourceId",
    ("1.1", "categories"): "title",
    (
        "1.1",
        "lineItems",
    ): "title assignDate dueDate class category gradingPeriod resultValueMin resultValueMax",
    ("1.1", "results"): "lineItem student scoreStatus score scoreDate",
    ("1.2", "academicSessions"): "title startDate endDate type schoolYear",
    ("1.2", "classes"): "title course school terms",
    ("1.2", "courses"): "title courseCode",
    ("1.2", "demographics"): "",
    ("1.2", "enrollments"): "user class school role",
    ("1.2", "orgs"): "name type identifier",
    ("1.2", "users"): "enabledUser givenName familyName roles",
    ("1.2", "resources"): "vendorResourceId",
    ("1.2", "categories"): "title",
    ("1.2", "lineItems"): "title assignDate dueDate class school category",
    ("1.2", "results"): "lineItem student scoreStatus scoreDate",
    ("1.2", "scoreScales"): "title type class scoreScaleValue",
    ("1.2", "assessmentLineItems"): "title",
    ("1.2", "assessmentResults"): "assessmentLineItem student scoreDate scoreStatus",
}


def everything() -> Iterator[Member]:
    """Every member of every entity, inner ones included."""
    waiting = [member for entity in ENTITIES.values() for member in entity.members]
    while waiting:
        member = waiting.pop()
        waiting += member.members
        yield member


def compared(version: str, collection: str, path: str) -> str:
    entity, *names = ENTITIES[version, collection], *path.split(".")
    member = entity.member(names[0])
    for name in names[1:]:
        assert member is not None
        member = member.member(name)
    assert member is not None
    return member.compare


def test_1_1_has_11_entities_and_1_2_has_14():
    assert set(ENTITIES) == set(REQUIRED)
    assert sum(version == "1.2" for version, _ in ENTITIES) == 14


@pytest.mark.parametrize("key", REQUIRED, ids=" ".join)
def test_an_entity_requires_what_the_standard_requires(key: tuple[str, str]):
    required = [member.name for member in ENTITIES[key].members if member.required]
    assert required == ["dateLastModified", "sourcedId", "status", *REQUIRED[key].split()]


def test_every_entity_begins_with_the_base_and_no_name_comes_twice():
    for entity in ENTITIES.values():
        names = [member.name for member in entity.members]
        assert names[:4] == BASE
        assert len(set(names)) == len(names)


def test_members_of_the_roster_come_from_canonical_fields():
    for (_, collection), entity in ENTITIES.items():
        if collection in SERVED:
            known = {field.name for field in COLLECTION[collection].fields} | DERIVED.get(collection, set())
            sources = {member.source for member in entity.members if member.source}
            assert sources <= known | {"sourcedId", "metadata"}


def test_every_canonical_field_is_shown_in_1_2():
    for collection in SERVED:
        shown = {member.source for member in ENTITIES["1.2", collection].members}
        assert {field.name for field in COLLECTION[collection].fields} <= shown


def test_no_password_has_a_source():
    passwords = [member for member in everything() if member.name == "password"]
    assert len(passwords) == 3
    assert not any(member.source for member in passwords)


def test_references_are_exact_and_have_an_id_within():
    for member in everything():
        if member.type == "reference":
            assert (member.compare, [inner.name for inner in member.members]) == (
                "exact",
                ["href", "sourcedId", "type"],
            )


def test_a_reference_into_sessions_is_of_type_academicsession_in_both_versions():
    words = {member.word for member in everything() if member.target == "academicSessions"}
    assert words == {"academicSession"}


@pytest.mark.parametrize(
    ("version", "collection", "path", "how"),
    [
        ("1.1", "users", "sourcedId", "exact"),
        ("1.1", "users", "identifier", "exact"),
        ("1.1", "users", "userIds.identifier", "exact"),
        ("1.1", "users", "userIds.type", "exact"),
        ("1.1", "users", "orgs.sourcedId", "exact"),
        ("1.1", "users", "role", "folded"),
        ("1.1", "users", "enabledUser", "folded"),
        ("1.2", "users", "userMasterIdentifier", "exact"),
        ("1.2", "users", "roles.role", "folded"),
        ("1.2", "users", "roles.org.sourcedId", "exact"),
        ("1.2", "users", "roles.beginDate", "date"),
        ("1.2", "users", "familyName", "folded"),
        ("1.2", "users", "email", "folded"),
        ("1.2", "users", "userProfiles.vendorId", "exact"),
        ("1.2", "users", "userProfiles.credentials.username", "exact"),
        ("1.2", "resources", "vendorResourceId", "exact"),
        ("1.2", "academicSessions", "startDate", "date"),
        ("1.2", "academicSessions", "schoolYear", "year"),
        ("1.2", "academicSessions", "dateLastModified", "datetime"),
        ("1.2", "academicSessions", "status", "folded"),
        ("1.2", "results", "score", "float"),
    ],
)
def test_ids_compare_exactly_text_without_case_and_dates_as_dates(
    version: str, collection: str, path: str, how: str
):
    assert compared(version, collection, path) == how


def test_a_vocabulary_is_that_of_the_csv_column():
    for collection in SERVED:
        for member in ENTITIES["1.2", collection].members:
            if member.vocabulary is not None and member.source in V1P2.table(collection).columns:
                assert member.vocabulary == V1P2.table(collection).field(member.source).vocabulary


def test_what_clients_expect_of_every_record_has_a_default():
    expected = {("enrollments", "primary"), ("courses", "courseCode"), ("orgs", "identifier")}
    for version in ("1.1", "1.2"):
        for collection, name in expected:
            member = ENTITIES[version, collection].member(name)
            assert member is not None
            assert member.default is not None or member.default_source == "sourcedId"
