"""Classes and their enrollments: who is missing, where the dates and the schools do not fit."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.engine.packages import Roster, judged, write_package
from tests.engine.suspects import codes, district, person, role, seat, session, told, whose

MOMENT = "2026-09-01T08:00:00.000Z"


def class_(one: str, **values: str) -> dict[str, str]:
    what = {
        "courseSourcedId": "course",
        "classType": "scheduled",
        "schoolSourcedId": "school",
        "termSourcedIds": "year",
    }
    return {"sourcedId": one, "title": one, **what, **values}


def crowd(number: int) -> dict[str, list[dict[str, str]]]:
    ids = [f"p-{n}" for n in range(number)]
    return {
        "users": [person(one, family=f"{one}x") for one in ids],
        "roles": [role(one) for one in ids],
        "enrollments": [seat(one) for one in ids],
    }


def test_classes_that_nobody_teaches_or_attends(tmp_path: Path):
    tables = district(
        classes=[class_("empty"), class_("taught"), class_("attended")],
        enrollments=[
            seat("u-3", "teacher", "seat-t", classSourcedId="taught"),
            seat("u-1", "student", "seat-s", classSourcedId="attended"),
        ],
    )
    found = told(tmp_path, tables)
    assert whose(found, "class-without-teacher") == {"empty", "attended"}
    assert whose(found, "class-without-students") == {"empty", "taught"}


def test_whom_another_connection_enrolls_or_gives_a_role_is_there(tmp_path: Path):
    """Asked for what looks lonely, and for nothing else."""
    asked = []

    def elsewhere(collection: str, ids: Sequence[str]) -> Iterable[tuple[str, str]]:
        asked.append((collection, sorted(ids)))
        return {"classes": [("empty", "teacher"), ("empty", "proctor")], "users": [("u-9", "aide")]}[
            collection
        ]

    roster = Roster(tmp_path)
    roster.belonging = elsewhere
    tables = district(
        users=[person("u-9", family="Moss")],
        classes=[class_("empty"), class_("taught")],
        enrollments=[seat("u-3", "teacher", "seat-t", classSourcedId="taught")],
    )
    roster.take(write_package(tmp_path / "package", tables))
    found = {code.code: {one.source_id for one in listed} for code, _, _, listed in roster.findings.by_code()}
    assert found == {"class-without-students": {"empty", "taught"}}
    assert sorted(asked) == [("classes", ["empty", "taught"]), ("users", ["u-9"])]


def test_a_teacher_in_error_does_not_leave_the_class_without_one(tmp_path: Path):
    tables = district()
    tables["users"][2]["enabledUser"] = "perhaps"
    findings = judged(write_package(tmp_path / "package", tables), tmp_path, lenient=True)
    assert {code.code for code, *_ in findings.by_code()} == {"boolean", "waiting"}


def test_a_file_of_changes_says_nothing_of_who_is_missing(tmp_path: Path):
    roster = Roster(tmp_path)
    roster.take(write_package(tmp_path / "first", district()))
    change = {**class_("new"), "status": "active", "dateLastModified": MOMENT}
    assert not told(tmp_path / "second", {"classes": [change]}, roster.accepted, "delta")


@pytest.mark.parametrize(("students", "large"), [(113, False), (114, True)])
def test_very_large_classes(students: int, large: bool, tmp_path: Path):
    found = told(tmp_path, district(**crowd(students)))
    assert codes(found) == ({"class-large"} if large else set())


def test_several_primary_teachers(tmp_path: Path):
    users = [person("t-1"), person("t-2", family="Moss")]
    roles = [role("t-1", "teacher"), role("t-2", "teacher")]
    tables = district(users=users, roles=roles)
    tables["enrollments"] += [seat("t-1", "teacher", primary="true"), seat("t-2", "teacher", primary="false")]
    assert not told(tmp_path / "one", tables)
    tables["enrollments"][-1]["primary"] = "true"
    [found] = told(tmp_path / "two", tables)
    assert (found.code, found.source_id) == ("primary-teachers", "class")
    assert found.message.startswith("2 of its 3 teachers are. ")


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("", "", set()),
        ("2026-08-17", "2027-06-11", set()),
        ("2026-08-17", "2027-06-12", set()),
        ("2026-10-01", "", set()),
        ("2026-08-16", "2027-06-11", {"enrollment-overhang"}),
        ("2026-08-17", "2027-06-13", {"enrollment-overhang"}),
        ("2027-06-11", "2027-06-11", set()),
        ("2027-06-12", "", {"enrollment-outside"}),
        ("", "2026-08-16", {"enrollment-outside"}),
        ("2025-08-18", "2026-06-05", {"enrollment-outside"}),
        ("2025-08-18", "2026-08-17", {"enrollment-overhang"}),
    ],
)
def test_enrollments_and_the_sessions_of_their_class(
    begin: str, end: str, expected: set[str], tmp_path: Path
):
    tables = district()
    tables["enrollments"][0] |= {"beginDate": begin, "endDate": end}
    tables["enrollments"][1] |= {"beginDate": "2026-08-17", "endDate": "2027-06-11"}
    assert codes(told(tmp_path, tables)) == expected


def test_a_class_of_two_terms_runs_through_both(tmp_path: Path):
    terms = [session("t-1", "2026-08-17", "2026-12-18"), session("t-2", "2027-01-11", "2027-06-11")]
    tables = district(academicSessions=terms)
    tables["classes"][0]["termSourcedIds"] = "t-1,t-2"
    tables["enrollments"][0] |= {"beginDate": "2026-08-17", "endDate": "2027-06-11"}
    assert not told(tmp_path / "both", tables)
    tables["classes"][0]["termSourcedIds"] = "t-2"
    assert codes(told(tmp_path / "one", tables)) == {"enrollment-overhang"}


def test_an_enrollment_at_another_school_than_its_class_also_in_a_file_of_changes(tmp_path: Path):
    roster = Roster(tmp_path)
    roster.take(write_package(tmp_path / "first", district()))
    change = {**seat("u-1", schoolSourcedId="district"), "status": "active", "dateLastModified": MOMENT}
    [found] = told(tmp_path / "second", {"enrollments": [change]}, roster.accepted, "delta")
    assert (found.code, found.value) == ("enrollment-school", "district")
    assert found.message.startswith("Class class is at school. ")


def test_enrollments_that_do_not_fit_are_one_finding_a_class(tmp_path: Path):
    tables = district(**crowd(30))
    for one in tables["enrollments"][3:]:
        one |= {"beginDate": "2026-08-01", "endDate": "2027-06-11", "schoolSourcedId": "district"}
    found = {one.code: one for one in told(tmp_path, tables)}
    assert {code: one.count for code, one in found.items()} == {
        "enrollment-overhang": 30,
        "enrollment-school": 30,
    }
    assert "30 records are concerned (lines 5, 6, 7, 8, 9 …). " in found["enrollment-overhang"].message


@pytest.mark.parametrize(
    ("first", "second", "told_of"),
    [
        (("2026-08-01", "2026-09-30"), ("2026-10-01", "2026-12-31"), False),
        (("2026-08-01", "2026-10-01"), ("2026-10-01", ""), False),
        (("", ""), ("2026-10-01", ""), True),
        (("2026-08-01", "2026-11-30"), ("2026-10-01", "2026-12-31"), True),
    ],
)
def test_who_takes_over_as_primary_teacher_is_not_one_of_several(
    first, second, told_of: bool, tmp_path: Path
):
    people = [person("u-8", family="Moss"), person("u-9", family="Reed")]
    seats = [
        seat(who, "teacher", f"seat-{who}", primary="true", beginDate=begin, endDate=end)
        for who, (begin, end) in (("u-8", first), ("u-9", second))
    ]
    roles = [role("u-8", "teacher"), role("u-9", "teacher")]
    classes = [class_("taught")]
    for one in seats:
        one["classSourcedId"] = "taught"
    found = told(tmp_path, district(users=people, roles=roles, classes=classes, enrollments=seats))
    assert ("primary-teachers" in codes(found)) is told_of


def test_one_date_alone_is_held_against_the_sessions(tmp_path: Path):
    late = seat("u-1", "student", "seat-late", beginDate="2029-01-10")
    package = write_package(tmp_path / "package", district(enrollments=[late]))
    text = (package / "enrollments.csv").read_text(encoding="utf-8").splitlines()
    at = text[0].split(",").index("endDate")
    lines = [",".join(cell for place, cell in enumerate(line.split(",")) if place != at) for line in text]
    (package / "enrollments.csv").write_text("".join(f"{line}\r\n" for line in lines), encoding="utf-8")
    found = judged(package, tmp_path, lenient=True)
    assert [one.source_id for one in found if one.code == "enrollment-outside"] == ["seat-late"]


def test_a_session_that_is_reversed_is_told_alone(tmp_path: Path):
    tables = district()
    for one in tables["academicSessions"]:
        one["startDate"], one["endDate"] = one["endDate"], one["startDate"]
    tables["enrollments"] = [
        {**one, "beginDate": "2026-09-01", "endDate": "2026-12-01"} for one in tables["enrollments"]
    ]
    found = list(judged(write_package(tmp_path / "package", tables), tmp_path, lenient=True))
    assert "dates-reversed" in codes(found)
    assert not {"enrollment-outside", "enrollment-overhang"} & codes(found)


def test_what_is_no_date_is_not_reversed_too(tmp_path: Path):
    tables = district(
        enrollments=[seat("u-1", "student", "seat-x", beginDate="2026-09-01", endDate="12/31/2026")]
    )
    found = list(judged(write_package(tmp_path / "package", tables), tmp_path, lenient=True))
    assert "date" in codes(found)
    assert "dates-reversed" not in codes(found)
