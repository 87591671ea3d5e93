"""Which token opens which operation, and what a token gets."""

import pytest

from rollbook.oneroster.operations import OPERATION, OPERATIONS
from rollbook.oneroster.scopes import ALL, NAMES, granted, opens, uri

BOTH = pytest.mark.parametrize("version", ["1.1", "1.2"])


@BOTH
def test_roster_readonly_alone_opens_all_of_rostering_but_demographics(version: str):
    held = {uri(version, "roster.readonly")}
    for operation in OPERATIONS:
        expected = (
            operation.version == version
            and operation.service == "rostering"
            and operation.collection != "demographics"
        )
        assert opens(held, operation) == expected, operation


@BOTH
def test_core_opens_collections_and_records_but_nothing_nested(version: str):
    held = {uri(version, "roster-core.readonly")}
    assert opens(held, OPERATION[version, "getAllStudents"])
    assert opens(held, OPERATION[version, "getSchool"])
    assert not opens(held, OPERATION[version, "getStudentsForClass"])
    assert not opens(held, OPERATION[version, "getAllDemographics"])


@BOTH
def test_demographics_need_their_own_scope_and_it_opens_nothing_else(version: str):
    held = {uri(version, "roster-demographics.readonly")}
    opened = {operation.operation_id for operation in OPERATIONS if opens(held, operation)}
    assert opened == {"getAllDemographics", "getDemographics"}


def test_a_scope_of_one_version_opens_nothing_of_the_other():
    assert not opens({uri("1.1", "roster.readonly")}, OPERATION["1.2", "getAllUsers"])


def test_a_short_name_is_no_scope():
    assert not opens({"roster.readonly"}, OPERATION["1.1", "getAllUsers"])


def test_core_scopes_of_gradebook_and_resources_exist_in_1_2_only():
    assert not opens({uri("1.2", "gradebook-core.readonly")}, OPERATION["1.2", "getLineItemsForClass"])
    assert opens({uri("1.2", "gradebook-core.readonly")}, OPERATION["1.2", "getAllLineItems"])
    assert "gradebook-core.readonly" not in NAMES["1.1"]


def test_assessments_need_scopes_of_their_own():
    assert not opens({uri("1.2", "gradebook.readonly")}, OPERATION["1.2", "getAllAssessmentResults"])
    assert opens({uri("1.2", "assessment.readonly")}, OPERATION["1.2", "getAllAssessmentResults"])


def test_who_asks_for_nothing_is_given_everything_registered():
    registered = (uri("1.1", "roster.readonly"), uri("1.2", "roster.readonly"))
    assert granted([], registered) == registered


def test_who_asks_is_given_no_more_than_asked_and_registered():
    core, demographics = uri("1.2", "roster-core.readonly"), uri("1.2", "roster-demographics.readonly")
    assert granted([core, demographics], [core]) == (core,)
    assert granted([core], [core, demographics]) == (core,)


def test_who_asks_only_for_what_is_not_registered_is_given_nothing():
    assert granted([uri("1.2", "gradebook.delete")], [uri("1.2", "roster.readonly")]) == ()


def test_every_scope_has_a_full_name_under_its_version_and_a_meaning():
    assert len(ALL) == 7 + 13
    assert ALL["https://purl.imsglobal.org/spec/or/v1p1/scope/roster-core.readonly"]
    assert ALL["https://purl.imsglobal.org/spec/or/v1p2/scope/resource-core.readonly"]
