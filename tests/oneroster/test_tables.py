"""The CSV files as data: how many, which columns, and that what they point to exists."""

import pytest

from rollbook.oneroster.spec import Binding, Vocabulary
from rollbook.oneroster.tables import BINDINGS, V1P1, V1P2

EVERY = pytest.mark.parametrize("binding", BINDINGS.values(), ids=BINDINGS)

NAMES_V1P1 = {
    "academicSessions": 9,
    "categories": 4,
    "classes": 14,
    "classResources": 6,
    "courses": 10,
    "courseResources": 6,
    "demographics": 16,
    "enrollments": 10,
    "lineItems": 12,
    "orgs": 7,
    "resources": 9,
    "results": 9,
    "users": 18,
}
NAMES_V1P2 = NAMES_V1P1 | {
    "categories": 5,
    "lineItemLearningObjectiveIds": 6,
    "lineItems": 13,
    "lineItemScoreScales": 6,
    "resultLearningObjectiveIds": 8,
    "results": 15,
    "resultScoreScales": 6,
    "roles": 10,
    "scoreScales": 9,
    "userProfiles": 11,
    "userResources": 7,
    "users": 22,
}


@pytest.mark.parametrize(("binding", "columns"), [(V1P1, NAMES_V1P1), (V1P2, NAMES_V1P2)])
def test_a_version_has_its_files_with_their_number_of_columns(binding: Binding, columns: dict[str, int]):
    assert {table.name: len(table.fields) for table in binding.tables} == columns


def test_1_1_has_13_files_and_1_2_has_21():
    assert (len(V1P1.tables), len(V1P2.tables)) == (13, 21)


@EVERY
def test_every_file_begins_with_its_identity_and_lifecycle(binding: Binding):
    for table in binding.tables:
        assert table.columns[:3] == ("sourcedId", "status", "dateLastModified")
        assert [field.required for field in table.fields[:3]] == ["yes", "delta", "delta"]


@EVERY
def test_every_reference_points_to_a_file_of_its_version(binding: Binding):
    for table in binding.tables:
        assert all(field.target in binding for field in table.references)


@EVERY
def test_enumerations_have_a_vocabulary_and_nothing_else_has(binding: Binding):
    for table in binding.tables:
        for field in table.fields:
            assert (field.vocabulary is not None) == (field.type in ("enum", "enumList")), field


def test_the_columns_of_users_differ_as_the_versions_do():
    assert V1P1.table("users").columns[3:6] == ("enabledUser", "orgSourcedIds", "role")
    assert V1P2.table("users").columns[-4:] == (
        "preferredMiddleName",
        "preferredFamilyName",
        "primaryOrgSourcedId",
        "pronouns",
    )


def test_demographics_are_keyed_by_their_user():
    assert V1P2.table("demographics").field("sourcedId").target == "users"


def test_words_of_a_districts_own_are_words_where_the_vocabulary_allows_them():
    types = V1P2.table("orgs").field("type").vocabulary
    closed = V1P1.table("orgs").field("type").vocabulary
    assert types is not None
    assert closed is not None
    assert "ext:charter.network-1" in types
    assert "ext:" not in types
    assert "ext:charter network" not in types
    assert "ext:charter" not in closed
    assert "School" not in types


def test_a_word_in_another_spelling_is_found_by_its_own():
    statuses = Vocabulary("scoreStatus", ("fully graded", "submitted"))
    assert statuses.spelled("Fully_Graded") == "fully graded"
    assert statuses.spelled("SUBMITTED") == "submitted"
    assert statuses.spelled("graded") is None
