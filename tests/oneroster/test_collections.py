"""The canonical record: what the store keeps, and in which order it can be loaded."""

from rollbook.oneroster.collections import COLLECTION, COLLECTIONS, LOAD_ORDER, SERVED
from rollbook.oneroster.tables import BINDINGS


def test_every_collection_is_loaded_behind_those_it_refers_to():
    for place, collection in enumerate(COLLECTIONS):
        assert set(collection.needs) <= set(LOAD_ORDER[: place + 1])


def test_a_collection_needs_what_the_columns_of_its_file_point_to():
    for collection in COLLECTIONS:
        pointed_to = {field.target for field in collection.references}
        if collection.name == "demographics":
            pointed_to.add("users")
        assert set(collection.needs) == pointed_to, collection.name


def test_every_file_that_feeds_a_collection_exists_in_its_version():
    for collection in COLLECTIONS:
        for version, names in collection.feeds.items():
            assert all(name in BINDINGS[version] for name in names)


def test_no_password_and_no_lifecycle_is_part_of_a_payload():
    for collection in COLLECTIONS:
        names = {field.name for field in collection.fields}
        assert not names & {"password", "sourcedId", "status", "dateLastModified"}


def test_some_are_shown_inside_the_records_they_belong_to_only():
    given = {"courseResources", "classResources", "userResources"}
    assert set(LOAD_ORDER) - set(SERVED) == {"roles", "userProfiles", *given}


def test_the_payload_of_enrollments_is_its_columns_in_order():
    assert [field.name for field in COLLECTION["enrollments"].fields] == [
        "classSourcedId",
        "schoolSourcedId",
        "userSourcedId",
        "role",
        "primary",
        "beginDate",
        "endDate",
    ]
