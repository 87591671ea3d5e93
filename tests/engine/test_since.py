"""What changed since the last delivery: columns, ids, and whom an id names."""

from copy import deepcopy
from pathlib import Path

import pytest

from rollbook.engine.judgement import judge
from rollbook.engine.plan import make_plan
from rollbook.oneroster.tables import BINDINGS
from tests.engine.packages import Roster, write_package, write_table
from tests.engine.suspects import Tables, codes, person, told, whose, with_people


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return Roster(tmp_path)


def many(number: int = 20) -> Tables:
    people = [
        person(f"p-{n}", family=f"B{n}x", identifier=f"1{n:03}", email=f"p{n}@riverbend.example")
        for n in range(number)
    ]
    return with_people(*people)


def without(folder: Path, tables: Tables, column: str) -> Path:
    package = write_package(folder, tables)
    columns = [one for one in BINDINGS["1.2"].table("users").columns if one != column]
    write_table(package, "users", columns, tables["users"])
    return package


def test_a_column_that_vanished_changes_nothing_and_is_told_of_once(roster: Roster, tmp_path: Path):
    roster.take(write_package(tmp_path / "first", many()))
    summary = roster.take(without(tmp_path / "second", many(), "email"))
    assert summary.counts == {}
    [found] = [one for one in roster.findings if one.code == "column-vanished"]
    assert (found.file, found.field, found.count, found.severity) == ("users.csv", "email", 20, "warning")
    assert found.message.startswith("20 records have a value stored in it. ")


def test_where_a_vanished_column_is_an_error_the_file_is_held_back(roster: Roster, tmp_path: Path):
    roster.take(write_package(tmp_path / "first", many()))
    changed = many()
    changed["users"][0]["givenName"] = "Daniela"
    package = without(tmp_path / "second", changed, "email")
    (tmp_path / "judging").mkdir()
    with judge(
        package,
        tmp_path / "judging",
        lenient=True,
        accepted=roster.accepted,
        severities={"column-vanished": "error"},
    ) as judgement:
        assert judgement.findings.counts()["error"] == 1
        assert make_plan(judgement, roster.accepted, tmp_path / "plan", roster.free).counts == {}


def test_a_column_that_was_never_filled_can_go(roster: Roster, tmp_path: Path):
    roster.take(write_package(tmp_path / "first", many()))
    roster.take(without(tmp_path / "second", many(), "pronouns"))
    assert {one.code for one in roster.findings} == {"header-optional-missing"}


def test_a_metadata_column_can_vanish_too(roster: Roster, tmp_path: Path):
    tables = many()
    tables["users"][0]["metadata.bus"] = "12"
    roster.take(write_package(tmp_path / "first", tables))
    summary = roster.take(write_package(tmp_path / "second", many()))
    assert summary.counts == {}
    assert [(one.code, one.field) for one in roster.findings] == [("column-vanished", "metadata.bus")]


@pytest.mark.parametrize(("values", "told_of"), [(9, False), (10, True)])
def test_a_column_that_ran_empty(values: int, told_of: bool, roster: Roster, tmp_path: Path):
    tables = many()
    for one in tables["users"][:values]:
        one["pronouns"] = "they"
    roster.take(write_package(tmp_path / "first", tables))
    found = told(tmp_path / "second", many(), roster.accepted)
    assert [(one.code, one.field, one.count) for one in found] == (
        [("column-emptied", "pronouns", values)] if told_of else []
    )


def rekeyed(tables: Tables, number: int) -> Tables:
    """The same, the first `number` of the many people under other ids."""
    new = {f"p-{n}": f"other-{n}" for n in range(number)}
    moved = deepcopy(tables)
    for name, column in (("users", "sourcedId"), ("roles", "userSourcedId")):
        for row in moved[name]:
            row[column] = new.get(row[column], row[column])
    return moved


def test_the_same_people_under_other_ids(roster: Roster, tmp_path: Path):
    roster.take(write_package(tmp_path / "first", many(40)))
    [found] = told(tmp_path / "all", rekeyed(many(40), 40), roster.accepted)
    assert (found.code, found.file, found.count) == ("rekeyed", "users.csv", 40)
    assert found.message.startswith(
        "40 of 43 records have ids that were never delivered before, 40 ids are gone,"
    )
    assert codes(told(tmp_path / "some", rekeyed(many(40), 11), roster.accepted)) == {"rekeyed"}
    assert not told(tmp_path / "few", rekeyed(many(40), 10), roster.accepted)


def test_other_people_under_other_ids_are_no_rekeying(roster: Roster, tmp_path: Path):
    roster.take(write_package(tmp_path / "first", many(40)))
    others = rekeyed(many(40), 40)
    for n, one in enumerate(others["users"]):
        one |= {"identifier": f"2{n:03}", "email": f"q{n}@riverbend.example", "username": f"q{n}"}
    assert not told(tmp_path / "second", others, roster.accepted)


def test_an_id_that_now_names_somebody_else(roster: Roster, tmp_path: Path):
    roster.take(write_package(tmp_path / "first", many()))
    tables = many()
    rows = {one["sourcedId"]: one for one in tables["users"]}
    rows["p-1"] |= {"givenName": "Eve", "familyName": "Lind", "identifier": "9001"}
    rows["p-2"] |= {"familyName": "Lind", "email": "dana.lind@riverbend.example"}
    rows["p-3"] |= {"givenName": "Eve", "familyName": "Lind"}
    rows["p-4"] |= {"identifier": "9004", "email": "dana4@riverbend.example"}
    rows["p-5"] |= {"givenName": "Fay", "familyName": "Moss", "email": "fay@riverbend.example"}
    rows["p-6"] |= {"givenName": "Gil", "familyName": "Nye", "email": "", "identifier": ""}
    assert whose(told(tmp_path / "second", tables, roster.accepted), "id-reused") == {"p-1", "p-5"}


def test_a_class_id_that_now_names_another_class(roster: Roster, tmp_path: Path):
    first = many()
    roster.take(write_package(tmp_path / "first", first))
    renamed = many()
    renamed["classes"][0]["title"] = "Algebra, advanced"
    assert not told(tmp_path / "renamed", renamed, roster.accepted)
    other = many()
    year = other["academicSessions"][0]
    other["academicSessions"].append(
        {
            **year,
            "sourcedId": "next",
            "startDate": "2027-08-16",
            "endDate": "2028-06-09",
            "schoolYear": "2028",
        }
    )
    other["courses"].append({"sourcedId": "chemistry", "title": "Chemistry", "orgSourcedId": "school"})
    other["classes"][0] |= {"title": "Chemistry A", "courseSourcedId": "chemistry", "termSourcedIds": "next"}
    assert whose(told(tmp_path / "other", other, roster.accepted), "id-reused") == {"class"}


def test_metadata_that_vanished_or_ran_empty_is_told_with_how_many_had_it(roster: Roster, tmp_path: Path):
    tables = many(1_200)
    for number, one in enumerate(tables["users"]):
        one |= {
            "metadata.house": "red" if number else "",
            "metadata.bus": str(number),
            "metadata.late": "x" if number == 1_150 else "",
        }
    roster.take(write_package(tmp_path / "first", tables))
    for one in tables["users"]:
        one["metadata.bus"] = ""
        del one["metadata.house"], one["metadata.late"]
    roster.take(write_package(tmp_path / "second", tables))
    found = {(one.code, one.field): (one.count, one.message) for one in roster.findings}
    houses = found["column-vanished", "metadata.house"]
    assert houses[0] == sum(number > 0 for number, _ in enumerate(tables["users"]))
    assert houses[1].startswith(f"{houses[0]:,} records have a value stored in it. ")
    assert found["column-vanished", "metadata.late"][0] == 1
    assert found["column-emptied", "metadata.bus"][0] > 1_000
