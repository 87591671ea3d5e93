"""What people share that should be one person's, and what they are at orgs and in classes."""

from pathlib import Path

import pytest

from rollbook.engine.judgement import judge
from rollbook.engine.plan import make_plan
from tests.engine.packages import FIRST_IDS, NOTHING_STORED, Roster, write_package
from tests.engine.suspects import codes, district, person, role, seat, told, whose, with_people

MOMENT = "2026-09-01T08:00:00.000Z"


def test_blank_never_meets_blank_and_case_does_not_matter(tmp_path: Path):
    people = [
        person("p-1", "A", "One", username="shared", email="one@riverbend.example", identifier=""),
        person("p-2", "B", "Two", username="Shared", email="", identifier=""),
        person("p-3", "C", "Three", email="ONE@riverbend.example", userMasterIdentifier="m-1"),
        person("p-4", "D", "Four", email="", userMasterIdentifier="M-1"),
    ]
    found = {(one.code, one.field): one for one in told(tmp_path, with_people(*people))}
    assert set(found) == {
        ("username-shared", "username"),
        ("email-shared", "email"),
        ("identifier-shared", "userMasterIdentifier"),
    }
    assert {one.count for one in found.values()} == {2}
    assert found["username-shared", "username"].message.startswith("2 records have it (lines 5, 6). ")


def test_a_value_that_many_share_is_one_finding(tmp_path: Path):
    people = [person(f"p-{n}", family=f"B{n}x", email="office@riverbend.example") for n in range(40)]
    [found] = told(tmp_path, with_people(*people))
    assert (found.code, found.count, found.line) == ("email-shared", 40, 5)
    assert found.message.startswith("40 records have it (lines 5, 6, 7, 8, 9 …). ")


def test_a_file_of_changes_is_held_against_what_is_stored(tmp_path: Path):
    roster = Roster(tmp_path)
    roster.take(write_package(tmp_path / "first", district()))
    changed = [person("u-4", "Eve", "Lind", username="U-1"), person("U-2", "Fay", "Moss", username="fay")]
    marked = [{**one, "status": "active", "dateLastModified": MOMENT} for one in changed]
    found = told(tmp_path / "second", {"users": marked}, roster.accepted, "delta")
    assert {(one.code, one.source_id) for one in found} == {("username-shared", "u-4"), ("id-case", "U-2")}
    assert all("A record that is stored already has it as well." in one.message for one in found)


def test_the_same_record_again_shares_nothing_with_itself(tmp_path: Path):
    roster = Roster(tmp_path)
    roster.take(write_package(tmp_path / "first", district()))
    again = {**person("u-1", "Ana", "Reyes"), "status": "active", "dateLastModified": MOMENT}
    assert not told(tmp_path / "second", {"users": [again]}, roster.accepted, "delta")


def test_one_person_twice_unless_their_identifiers_say_otherwise(tmp_path: Path):
    people = [
        person("p-1", "Liam", "Smith", identifier="1"),
        person("p-2", "liam", "SMITH", identifier="2"),
        person("p-3", "Ann", "Lee", identifier="3"),
        person("p-4", "Ann", "Lee"),
        person("p-5", "Bo", "Lee"),
        person("p-6", "Bo", "Lee"),
    ]
    born = [{"sourcedId": f"p-{n}", "birthDate": "2012-05-04"} for n in range(1, 6)]
    born.append({"sourcedId": "p-6", "birthDate": "2013-05-04"})
    found = told(tmp_path, {**with_people(*people), "demographics": born})
    assert [(one.code, one.source_id, one.count) for one in found] == [("person-twice", "p-3", 2)]
    assert "2012" not in found[0].message + found[0].value


@pytest.mark.parametrize(
    ("second", "told_of"),
    [
        ({"roleType": "secondary"}, False),
        ({"orgSourcedId": "district"}, False),
        ({}, True),
        ({"beginDate": "2027-01-01"}, False),
        ({"beginDate": "2026-12-31"}, True),
    ],
    ids=["secondary", "at another org", "at once", "one after the other", "a day at once"],
)
def test_one_primary_role_at_an_org_at_a_time(second: dict[str, str], told_of: bool, tmp_path: Path):
    first = role("p-1", "teacher", "role-1", beginDate="2026-08-01", endDate="2027-01-01")
    tables = district(users=[person("p-1")], roles=[first, role("p-1", "principal", "role-2") | second])
    found = told(tmp_path, tables)
    assert codes(found) == ({"primary-roles"} if told_of else set())


def test_no_primary_role_at_all(tmp_path: Path):
    roles = [role("p-1", "teacher", "role-1", roleType="secondary")]
    [found] = told(tmp_path, district(users=[person("p-1")], roles=roles))
    assert (found.code, found.value) == ("primary-roles", "p-1 at school")
    assert found.message.startswith("None is. ")


def test_roles_in_a_class_that_are_not_the_persons(tmp_path: Path):
    both = [role("p-1", "student", "role-1"), role("p-1", "teacher", "role-2", roleType="secondary")]
    tables = district(
        users=[person("p-1"), person("p-2", family="Moss")],
        roles=[*both, role("p-2", "guardian")],
        enrollments=[
            seat("p-1", "teacher", "seat-1"),
            seat("p-1", "student", "seat-2"),
            seat("u-1", "teacher", "seat-3"),
            seat("p-2", "student", "seat-4"),
            seat("u-3", "administrator", "seat-5"),
        ],
    )
    found = told(tmp_path, tables)
    assert whose(found, "enrollment-role") == {"seat-3", "seat-4"}
    assert codes(found) == {"enrollment-role"}


def test_what_a_district_counts_as_an_error_holds_all_who_share_it(tmp_path: Path):
    people = [person("p-1", username="same"), person("p-2", "Eve", username="Same"), person("p-3", "Fay")]
    package = write_package(tmp_path / "package", with_people(*people))
    (tmp_path / "work").mkdir()
    with judge(
        package,
        tmp_path / "work",
        lenient=True,
        accepted=NOTHING_STORED,
        severities={"username-shared": "error"},
    ) as judgement:
        plan = make_plan(judgement, NOTHING_STORED, tmp_path / "plan", FIRST_IDS)
    assert plan.held == {"users": 2, "roles": 2}
    assert plan.counts["users"] == {"create": 4}
