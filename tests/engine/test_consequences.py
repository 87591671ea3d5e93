"""One cause is one finding, with how many records it concerns; causes stand before consequences."""

from pathlib import Path

from tests.engine.packages import NOTHING_STORED, judged, write_package
from tests.engine.suspects import Tables, district, person, role, seat


def crowded(number: int) -> Tables:
    ids = [f"p-{n}" for n in range(number)]
    return district(
        users=[person(one, family=f"{one}x") for one in ids],
        roles=[role(one) for one in ids],
        enrollments=[seat(one) for one in ids],
    )


def test_a_missing_org_is_one_finding_with_all_that_wait_for_it(tmp_path: Path):
    tables = crowded(100)
    del tables["orgs"][1]
    findings = judged(write_package(tmp_path / "package", tables), tmp_path, True, NOTHING_STORED)
    assert {code.code: total for code, _, total, _ in findings.by_code()} == {"reference": 1}
    [found] = findings
    assert (found.file, found.line, found.field, found.value, found.count) == (
        "courses.csv", 2, "orgSourcedId", "school", 208,
    )  # fmt: skip
    assert (
        "1 record of courses.csv and 103 of roles.csv (lines 2, 3, 4, 5, 6 …) refer to it. " in found.message
    )
    assert "1 record of classes.csv and 103 of enrollments.csv wait for those. Add" in found.message


def test_a_missing_course_takes_its_class_and_all_its_enrollments_along(tmp_path: Path):
    tables = crowded(100)
    tables["courses"][0]["sourcedId"] = "another"
    [found] = judged(write_package(tmp_path / "package", tables), tmp_path, True, NOTHING_STORED)
    assert (found.code, found.file, found.value, found.count) == ("reference", "classes.csv", "course", 104)
    assert (
        "1 record of classes.csv refers to it. 103 records of enrollments.csv wait for those. Add"
        in found.message
    )


def test_a_broken_org_stands_in_front_of_what_waits_for_it(tmp_path: Path):
    tables = crowded(100)
    tables["orgs"][1]["type"] = "playground"
    tables["classes"][0]["classType"] = "outdoors"
    findings = list(judged(write_package(tmp_path / "package", tables), tmp_path, True, NOTHING_STORED))
    assert [(one.code, one.file, one.line, one.count) for one in findings] == [
        ("enum", "classes.csv", 2, 1),
        ("enum", "orgs.csv", 3, 1),
        ("waiting", "orgs.csv", 3, 104),
        ("waiting", "classes.csv", 2, 103),
    ]
    assert findings[2].message.startswith("1 record of courses.csv and 103 of roles.csv wait for 'school'")
    assert findings[3].message.startswith("103 records of enrollments.csv wait for 'class'")


def test_missing_people_are_counted_exactly_and_listed_to_a_hundred(tmp_path: Path):
    tables = crowded(113)
    del tables["users"][3:]
    findings = judged(write_package(tmp_path / "package", tables), tmp_path, True, NOTHING_STORED)
    assert findings.totals == {("reference", "roles.csv"): 113}
    listed = [one for one in findings.listed if one.code == "reference"]
    assert len(listed) == 100
    assert {one.count for one in listed} == {2}


def test_a_file_that_cannot_be_read_is_one_cause(tmp_path: Path):
    tables = crowded(30)
    package = write_package(tmp_path / "package", tables)
    (package / "users.csv").write_text("sourcedId,status\n", encoding="utf-8")
    findings = judged(package, tmp_path, True, NOTHING_STORED)
    [found] = [one for one in findings if one.code == "waiting"]
    assert (found.file, found.line, found.count) == ("users.csv", 0, 66)
    assert "wait for users.csv, which is missing or cannot be read whole" in found.message


def test_the_gravest_come_first_and_consequences_last(tmp_path: Path):
    tables = crowded(3)
    tables["enrollments"][0]["userSourcedId"] = "nobody"
    tables["users"][3]["username"] = tables["users"][4]["username"]
    tables["users"][5]["enabledUser"] = "yes"
    tables["classes"].append({**tables["classes"][0], "sourcedId": "other", "classType": "outdoors"})
    findings = judged(write_package(tmp_path / "package", tables), tmp_path, True, NOTHING_STORED)
    order = ["enum", "boolean", "reference", "username-shared", "waiting"]
    assert sorted(one.code for one in findings) == sorted(order)
    severities = [one.severity for one in findings]
    assert severities == sorted(severities, key=["fatal", "error", "warning", "note"].index)
    told = [code.code for code, *_ in findings.by_code()]
    assert told.index("reference") > max(told.index("enum"), told.index("boolean"))
    assert told[-1] == "waiting"
