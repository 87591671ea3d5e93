import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from rollbook.generator.generate import generate
from tests.generator.letter import faults, read, tables

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
SCRIPTS = ("LATIN", "GREEK", "CYRILLIC", "ARABIC", "CJK", "HANGUL", "DEVANAGARI", "HIRAGANA", "KATAKANA")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A district of 4,000 students five nights in."""
    folder = tmp_path_factory.mktemp("district") / "package"
    generate(folder, 4000, seed=7, night=5)
    return folder


@pytest.fixture(scope="module")
def district(package: Path) -> dict[str, list[dict[str, str]]]:
    return tables(package)


def by_id(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["sourcedId"]: row for row in rows}


def test_a_generated_district_is_right_by_the_letter(package):
    assert faults(package) == []


def test_there_are_about_eight_enrollments_and_two_users_a_student(district):
    assert 8.1 < len(district["enrollments"]) / 4000 < 8.5
    assert 2.0 < len(district["users"]) / 4000 < 2.3


def test_sourced_ids_look_like_uuids_and_say_nothing(district):
    ids = {row["sourcedId"] for table in district.values() for row in table}
    assert all(UUID.fullmatch(sourced_id) for sourced_id in ids)


@pytest.mark.parametrize("column", ["username", "identifier", "email"])
def test_nobody_shares_a_username_identifier_or_email(district, column):
    said = Counter(user[column] for user in district["users"] if user[column])
    assert max(said.values()) == 1


def test_every_address_is_on_an_example_domain(district):
    assert all(user["email"].endswith(".example") for user in district["users"] if user["email"])
    assert all(
        row["vendorId"].endswith(".example") for row in district["resources"] + district["userProfiles"]
    )


def test_names_come_in_many_scripts_short_and_long(district):
    names = {name for user in district["users"] for name in (user["givenName"], user["familyName"])}
    letters = {letter for name in names for letter in name if letter.isalpha()}
    assert {unicodedata.name(letter).split()[0] for letter in letters} >= set(SCRIPTS)
    assert all(any(mark in name for name in names) for mark in "'- ")
    assert min(map(len, names)) == 1
    assert max(map(len, names)) > 30


def test_schools_of_every_level_stand_under_one_district(district):
    orgs = by_id(district["orgs"])
    (top,) = [org for org in orgs.values() if org["type"] == "district"]
    schools = [org for org in orgs.values() if org["type"] == "school"]
    assert {org["parentSourcedId"] for org in schools} == {top["sourcedId"]}
    assert {word for org in schools for word in ("Elementary", "Middle", "High") if word in org["name"]} == {
        "Elementary", "Middle", "High",
    }  # fmt: skip
    assert len({org["name"] for org in schools}) == len(schools)


def test_sessions_nest_inside_their_parents(district):
    sessions = by_id(district["academicSessions"])
    assert {session["type"] for session in sessions.values()} == {
        "schoolYear",
        "semester",
        "term",
        "gradingPeriod",
    }
    for session in sessions.values():
        parent = sessions.get(session["parentSourcedId"], session)
        assert parent["startDate"] <= session["startDate"] < session["endDate"] <= parent["endDate"]


def test_enrollments_lie_inside_the_sessions_of_their_class_and_at_its_school(district):
    sessions, classes = by_id(district["academicSessions"]), by_id(district["classes"])
    for row in district["enrollments"]:
        made = classes[row["classSourcedId"]]
        terms = [sessions[term] for term in made["termSourcedIds"].split(",")]
        assert min(term["startDate"] for term in terms) <= row["beginDate"] <= row["endDate"]
        assert row["endDate"] <= max(term["endDate"] for term in terms)
        assert row["schoolSourcedId"] == made["schoolSourcedId"]


def test_every_class_has_one_main_teacher_and_some_have_a_second(district):
    main, second = Counter(), Counter()
    for row in district["enrollments"]:
        if row["role"] == "teacher":
            (main if row["primary"] == "true" else second)[row["classSourcedId"]] += 1
    assert set(main) == {row["sourcedId"] for row in district["classes"]}
    assert set(main.values()) == {1}
    assert 0.1 < len(second) / len(main) < 0.3


def test_class_sizes_vary_around_two_dozen(district):
    sizes = Counter(row["classSourcedId"] for row in district["enrollments"] if row["role"] == "student")
    ordered = sorted(sizes.values())
    assert 20 <= ordered[len(ordered) // 2] <= 28
    assert ordered[len(ordered) // 20] < 18
    assert ordered[-len(ordered) // 20] > 29


def test_everyone_enrolled_has_the_same_role_at_that_school(district):
    held = {(row["userSourcedId"], row["orgSourcedId"], row["role"]) for row in district["roles"]}
    assert {
        (row["userSourcedId"], row["schoolSourcedId"], row["role"]) for row in district["enrollments"]
    } <= held


def test_some_staff_work_at_two_schools_and_some_hold_two_roles_at_one(district):
    roles = defaultdict(list)
    for row in district["roles"]:
        roles[row["userSourcedId"]].append(row)
    teachers = [held for held in roles.values() if held[0]["role"] == "teacher"]
    assert any(len({row["orgSourcedId"] for row in held}) == 2 for held in teachers)
    assert any({row["roleType"] for row in held} == {"primary", "secondary"} for held in teachers)
    users = by_id(district["users"])
    assert all(held[0]["orgSourcedId"] == users[user]["primaryOrgSourcedId"] for user, held in roles.items())


def test_there_is_staff_of_every_kind(district):
    assert {row["role"] for row in district["roles"]} == {
        "student", "teacher", "aide", "counselor", "principal", "siteAdministrator", "districtAdministrator",
        "systemAdministrator", "parent", "guardian",
    }  # fmt: skip


def test_guardians_are_agents_and_siblings_share_them(district):
    children = defaultdict(list)
    for user in district["users"]:
        for agent in filter(None, user["agentSourcedIds"].split(",")):
            children[agent].append(user)
    guardians = {row["userSourcedId"] for row in district["roles"] if row["role"] in ("parent", "guardian")}
    assert set(children) == guardians
    siblings = [family for family in children.values() if len(family) > 1]
    assert len(siblings) > 200
    assert all(len({child["metadata.homeLanguage"] for child in family}) == 1 for family in siblings)
    students = [row for row in district["roles"] if row["role"] == "student"]
    looked_after = {child["sourcedId"] for family in children.values() for child in family}
    assert 0.75 < len(looked_after) / len(students) < 0.85


def test_a_few_students_are_in_no_class_and_a_few_accounts_disabled(district):
    enrolled = {row["userSourcedId"] for row in district["enrollments"]}
    students = {row["userSourcedId"] for row in district["roles"] if row["role"] == "student"}
    assert 0 < len(students - enrolled) < 0.03 * len(students)
    assert 0 < sum(user["enabledUser"] == "false" for user in district["users"]) < 0.03 * len(students)


def test_every_student_has_demographics_and_no_one_else(district):
    students = {row["userSourcedId"] for row in district["roles"] if row["role"] == "student"}
    assert {row["sourcedId"] for row in district["demographics"]} == students
    assert {row["sex"] for row in district["demographics"]} >= {"female", "male", "other"}


def test_birthdays_fit_the_grade(district):
    grade = {user["sourcedId"]: user["grades"] for user in district["users"] if user["grades"]}
    for person in district["demographics"]:
        years = 2026 - int(person["birthDate"][:4])
        usual = 5 if grade[person["sourcedId"]] == "KG" else 5 + int(grade[person["sourcedId"]])
        assert usual - 1 <= years <= usual + 2


def test_a_1_1_package_says_the_same_district(tmp_path, district):
    generate(tmp_path / "older", 4000, seed=7, night=5, version="1.1")
    assert faults(tmp_path / "older") == []
    older = tables(tmp_path / "older")
    for name in (
        "orgs",
        "academicSessions",
        "courses",
        "classes",
        "enrollments",
        "resources",
        "classResources",
    ):
        assert older[name] == district[name]
    orgs = defaultdict(list)
    for row in district["roles"]:
        orgs[row["userSourcedId"]].append(row["orgSourcedId"])
    for user in older["users"]:
        assert user["orgSourcedIds"].split(",") == list(dict.fromkeys(orgs[user["sourcedId"]]))


@pytest.mark.parametrize("students", [1, 2, 3, 5, 12, 60, 500])
def test_the_smallest_districts_are_right_too(tmp_path, students):
    for night in (0, 1, 700, 5000):
        generate(tmp_path / "package", students, seed=2, night=night)
        assert faults(tmp_path / "package") == []


def test_a_package_left_from_before_is_replaced_whole(tmp_path):
    generate(tmp_path, 300, seed=1, version="1.2")
    generate(tmp_path, 300, seed=1, version="1.1")
    assert not (tmp_path / "roles.csv").exists()
    assert faults(tmp_path) == []


def test_the_counts_are_those_of_the_files(tmp_path):
    counts = generate(tmp_path, 300, seed=1)
    assert counts == {
        path.stem: len(read(path)) for path in sorted(tmp_path.glob("*.csv")) if path.stem != "manifest"
    }
