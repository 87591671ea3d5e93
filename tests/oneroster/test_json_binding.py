"""Records as the JSON each version serves: its shape, its bytes, and the two things stored text leaves open."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollbook.oneroster.collections import SERVED
from rollbook.oneroster.entities import ENTITIES
from rollbook.oneroster.json_binding import (
    ADDRESS,
    ALWAYS_ALIKE,
    NOBODY,
    addressed,
    instant_text,
    neutral,
    opened,
    quoted,
    render,
    texts,
    tombstone,
)
from rollbook.oneroster.spec import Member
from tests.oneroster.cast import (
    ALGEBRA,
    ALGEBRA_1,
    AMARA,
    AMARA_IN_ALGEBRA,
    DISTRICT,
    HIGH,
    ONE_OF_EACH,
    SAM,
    TANAKA,
    TERM,
    TODAY,
)

HOST = "https://roster.example/ims/oneroster/v1p1"
INSTANT = "2026-10-01T04:00:00.000Z"
VERSIONS = ("1.1", "1.2")
ALL = pytest.mark.parametrize(("version", "collection"), [(v, c) for v in VERSIONS for c in SERVED])


def served(collection: str, record: dict[str, Any], version: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(
        opened(render(collection, record, version, TODAY), collection, INSTANT, HOST)
    )
    return answer


def reference(collection: str, sourced_id: str, word: str) -> dict[str, str]:
    return {"href": f"{HOST}/{collection}/{sourced_id}", "sourcedId": sourced_id, "type": word}


def kept_to(members: tuple[Member, ...], value: dict[str, Any]) -> None:
    """Asserts that an object has the members it must, in the standard's order, no other, and no null or needless empty one."""
    names = [member.name for member in members]
    assert list(value) == [name for name in names if name in value]
    assert {member.name for member in members if member.required} <= set(value)
    for member in members:
        if member.name in value:
            _fits(member, value[member.name])


def _fits(member: Member, value: Any) -> None:
    assert isinstance(value, list) == member.many
    assert value not in (None, "", []) or member.required or member.default is not None, member.name
    for one in value if member.many else [value]:
        if member.type in ("object", "reference"):
            kept_to(member.members, one)
        elif member.type == "boolean":
            assert one in ("true", "false")
        elif member.type != "metadata":
            assert isinstance(one, str)
        if member.type == "reference":
            assert one["type"] == member.word
            assert one["href"].startswith(f"{HOST}/{member.target}/")


# --- Active records -----------------------------------------------------------------------------------------------------------------


@ALL
def test_a_record_has_its_members_in_order_and_nothing_else(version: str, collection: str):
    answer = served(collection, ONE_OF_EACH[collection], version)
    kept_to(ENTITIES[version, collection].members, answer)
    assert list(answer)[:3] == ["dateLastModified", "sourcedId", "status"]
    assert (answer["dateLastModified"], answer["status"]) == (INSTANT, "active")


def test_an_enrollment_is_this_text():
    assert render("enrollments", AMARA_IN_ALGEBRA, "1.1", TODAY) == (
        ',"sourcedId":"enrollment-0001","status":"active"'
        ',"user":{"href":"\x7f/users/student-001","sourcedId":"student-001","type":"user"}'
        ',"class":{"href":"\x7f/classes/class-algebra-1","sourcedId":"class-algebra-1","type":"class"}'
        ',"school":{"href":"\x7f/orgs/org-high","sourcedId":"org-high","type":"org"}'
        ',"role":"student","primary":"false","beginDate":"2026-08-17"}'
    )


def test_primary_is_on_every_enrollment():
    assert served("enrollments", {**AMARA_IN_ALGEBRA, "primary": True}, "1.2")["primary"] == "true"
    assert served("enrollments", {**AMARA_IN_ALGEBRA, "primary": False}, "1.2")["primary"] == "false"


def test_an_org_without_an_identifier_shows_its_sourced_id():
    for version in VERSIONS:
        assert served("orgs", HIGH, version)["identifier"] == "org-high"
        assert served("orgs", DISTRICT, version)["identifier"] == "0612345"


def test_children_and_parents_are_references():
    assert served("orgs", DISTRICT, "1.2")["children"] == [
        reference("orgs", "org-middle", "org"),
        reference("orgs", "org-high", "org"),
    ]
    assert "parent" not in served("orgs", DISTRICT, "1.2")
    assert served("academicSessions", TERM, "1.1")["parent"] == reference(
        "academicSessions", "session-2027", "academicSession"
    )


def test_a_course_without_a_code_has_an_empty_one():
    assert served("courses", ALGEBRA, "1.1")["courseCode"] == ""


def test_periods_are_on_every_class_of_1_1():
    without = {**ALGEBRA_1, "periods": None}
    assert served("classes", without, "1.1")["periods"] == []
    assert "periods" not in served("classes", without, "1.2")
    assert served("classes", ALGEBRA_1, "1.2")["periods"] == ["1"]


def test_a_user_of_1_1_has_one_role_orgs_and_the_rest_as_metadata():
    answer = served("users", TANAKA, "1.1")
    assert answer["role"] == "administrator"
    assert answer["orgs"] == [reference("orgs", "org-middle", "org"), reference("orgs", "org-high", "org")]
    assert answer["metadata"]["preferredFirstName"] == "Haru"
    assert answer["enabledUser"] == "true"
    assert not {"roles", "primaryOrg", "userProfiles", "pronouns"} & set(answer)


def test_a_user_of_1_2_has_roles_with_the_profile_they_are_used_with():
    answer = served("users", TANAKA, "1.2")
    assert answer["roles"][1] == {
        "roleType": "primary",
        "role": "siteAdministrator",
        "org": reference("orgs", "org-middle", "org"),
        "userProfile": "urn:rollbook:profile:profile-1",
        "beginDate": "2026-08-01",
        "endDate": "2027-08-01",
    }
    assert answer["userProfiles"] == [
        {
            "profileId": "urn:rollbook:profile:profile-1",
            "profileType": "HR",
            "vendorId": "vendor-1",
            "description": "Staff portal",
            "credentials": [
                {"type": "LDAP", "username": "htanaka"},
                {"type": "SAML", "username": "tanaka"},
            ],
        }
    ]
    assert (answer["preferredFirstName"], answer["preferredLastName"]) == ("Haru", "Tanaka-Reyes")
    assert answer["primaryOrg"] == reference("orgs", "org-middle", "org")


def test_user_ids_keep_colons_of_the_identifier():
    assert served("users", TANAKA, "1.1")["userIds"] == [
        {"type": "LDAP", "identifier": "h.tanaka"},
        {"type": "SIS", "identifier": "0:8"},
    ]


def test_a_username_is_required_in_1_1_and_left_out_of_1_2():
    assert served("users", AMARA, "1.1")["username"] == ""
    assert "username" not in served("users", AMARA, "1.2")


def test_no_password_is_ever_rendered():
    for version in VERSIONS:
        text = render("users", {**TANAKA, "password": "never to be seen"}, version, TODAY)
        assert "never to be seen" not in text
        assert "password" not in text


def test_a_sex_1_1_does_not_know_is_in_1_2_only():
    assert "sex" not in served("demographics", SAM, "1.1")
    assert served("demographics", SAM, "1.2")["sex"] == "other"
    assert served("demographics", SAM, "1.1")["asian"] == "true"


def test_a_word_of_a_districts_own_is_served_as_it_is():
    assert served("orgs", {**HIGH, "type": "ext:academy"}, "1.1")["type"] == "ext:academy"


def test_metadata_is_an_open_object():
    assert served("classes", ALGEBRA_1, "1.2")["metadata"] == {"wing": "east"}
    assert "metadata" not in served("classes", {**ALGEBRA_1, "metadata": {}}, "1.2")


# --- One text or two ------------------------------------------------------------------------------------------------------------------


def test_where_the_versions_agree_there_is_one_text():
    for collection in ALWAYS_ALIKE:
        record = ONE_OF_EACH[collection]
        assert texts(collection, record, TODAY) == (render(collection, record, "1.2", TODAY), None)
    assert texts("classes", ALGEBRA_1, TODAY)[1] is None
    assert texts("classes", {**ALGEBRA_1, "periods": []}, TODAY)[1] is not None
    assert texts("users", AMARA, TODAY)[1] == render("users", AMARA, "1.2", TODAY)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = {
    "string": words | st.none(),
    "boolean": st.booleans() | st.none(),
    "lists": st.lists(words.filter(bool), max_size=3) | st.none(),
}


def records(collection: str) -> st.SearchStrategy[dict[str, Any]]:
    """Records of any text at all in the members of a collection that are alike in both versions."""
    fields: dict[str, st.SearchStrategy[Any]] = {"sourcedId": words.filter(bool)}
    for member in ENTITIES["1.2", collection].members:
        if member.source in ("", "sourcedId"):
            continue
        if member.type == "metadata":
            fields["metadata"] = st.dictionaries(words, words, max_size=2) | st.none()
        elif member.many:
            fields[member.source] = values["lists"]
        elif member.type == "reference" and member.required:
            fields[member.source] = words.filter(bool)
        else:
            fields[member.source] = values["boolean" if member.type == "boolean" else "string"]
    return st.fixed_dictionaries(fields)


@pytest.mark.parametrize("collection", sorted(ALWAYS_ALIKE))
@given(data=st.data())
def test_alike_collections_are_alike_whatever_they_hold(collection: str, data: st.DataObject):
    record = data.draw(records(collection))
    assert render(collection, record, "1.1", TODAY) == render(collection, record, "1.2", TODAY)


# --- The address ----------------------------------------------------------------------------------------------------------------------


@given(record=records("orgs"))
def test_only_addresses_are_filled_in_whatever_the_data_hold(record: dict[str, Any]):
    text = render("orgs", record, "1.1", TODAY)
    references = [record["parentSourcedId"], *(record["children"] or [])]
    assert text.count(ADDRESS) == sum(map(bool, references))
    answer = json.loads(opened(text, "orgs", INSTANT, HOST))
    assert (answer["sourcedId"], answer["name"]) == (record["sourcedId"], record["name"] or "")
    assert answer.get("metadata", {}) == (record["metadata"] or {})
    assert [child["sourcedId"] for child in answer.get("children", [])] == (record["children"] or [])


@given(words)
def test_a_string_is_json_and_never_the_placeholder(text: str):
    assert json.loads(quoted(text)) == text
    assert ADDRESS not in quoted(text)
    assert quoted(text).replace("\\u007f", ADDRESS) == json.dumps(text, ensure_ascii=False)


def test_ids_are_percent_encoded_in_addresses():
    org = {**HIGH, "parentSourcedId": 'a/b@c "ü'}
    assert served("orgs", org, "1.2")["parent"] == {
        "href": f"{HOST}/orgs/a%2Fb%40c%20%22%C3%BC",
        "sourcedId": 'a/b@c "ü',
        "type": "org",
    }


def test_text_is_compact_and_not_escaped_beyond_need():
    text = render("orgs", {**HIGH, "name": "École «Élan»"}, "1.2", TODAY)
    assert '"name":"École «Élan»"' in text
    assert ": " not in text
    assert ", " not in text


# --- Tombstones -----------------------------------------------------------------------------------------------------------------------


@ALL
def test_a_tombstone_has_what_its_schema_requires_and_nothing_else(version: str, collection: str):
    answer = json.loads(opened(tombstone(collection, "gone/1", version), collection, INSTANT, HOST))
    members = ENTITIES[version, collection].members
    assert list(answer) == [member.name for member in members if member.required]
    assert (answer["sourcedId"], answer["status"]) == ("gone/1", "tobedeleted")
    kept_to(members, answer)


@ALL
def test_tombstones_differ_in_nothing_but_their_id(version: str, collection: str):
    first, second = (tombstone(collection, sourced_id, version) for sourced_id in ("first", "second"))
    assert first.replace("first", "second") == second


def test_required_lists_of_a_tombstone_are_not_empty():
    nobody = {"href": f"{ADDRESS}/orgs/{NOBODY}", "sourcedId": NOBODY, "type": "org"}
    assert neutral("users", "1.1")["orgs"] == [nobody]
    assert neutral("users", "1.2")["roles"] == [{"roleType": "primary", "role": "student", "org": nobody}]
    assert len(neutral("classes", "1.2")["terms"]) == 1


def test_a_tombstone_says_these_values():
    assert neutral("academicSessions", "1.2") == {
        "title": "",
        "startDate": "1970-01-01",
        "endDate": "1970-01-01",
        "type": "term",
        "schoolYear": "1970",
    }
    assert neutral("demographics", "1.1") == {}
    assert neutral("users", "1.1")["enabledUser"] == "false"


# --- Instants -------------------------------------------------------------------------------------------------------------------------


def test_an_instant_is_written_in_milliseconds_utc():
    assert instant_text(0) == "1970-01-01T00:00:00.000Z"
    assert instant_text(1_767_323_045_678) == "2026-01-02T03:04:05.678Z"
    assert instant_text(1_767_323_045_070) == "2026-01-02T03:04:05.070Z"


def test_references_to_resources_lead_to_the_service_that_has_them():
    stored = f'"{ADDRESS}/courses/c","{ADDRESS}/resources/r"'.encode()
    old, new = "https://h/ims/oneroster/v1p1", "https://h/ims/oneroster/rostering/v1p2"
    assert addressed(stored, "classes", old) == f'"{old}/courses/c","{old}/resources/r"'.encode()
    resources = "https://h/ims/oneroster/resources/v1p2/resources/r"
    assert addressed(stored, "classes", new) == f'"{new}/courses/c","{resources}"'.encode()
