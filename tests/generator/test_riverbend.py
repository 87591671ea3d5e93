import pytest

from rollbook.generator import riverbend as demo
from tests import cast
from tests.generator.letter import faults, properties, tables


def test_the_shipped_package_is_right_by_the_letter():
    assert faults(demo.PATH) == []
    assert {name: len(rows) for name, rows in tables(demo.PATH).items()} == cast.COUNTS


def test_writing_riverbend_without_edits_gives_the_shipped_files_byte_for_byte(tmp_path):
    folder = cast.riverbend(tmp_path / "package")
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert written == {path.name: path.read_bytes() for path in demo.PATH.glob("*.csv")}


def test_riverbend_can_be_said_in_1_1(tmp_path):
    folder = cast.riverbend(tmp_path / "package", version="1.1")
    assert faults(folder) == []
    users = {user["sourcedId"]: user for user in tables(folder)["users"]}
    assert (users[cast.MR_OKAFOR]["role"], users[cast.MR_OKAFOR]["orgSourcedIds"]) == (
        "teacher",
        "org-middle,org-high",
    )
    assert users[cast.MS_UMEH]["role"] == "administrator"
    assert users[cast.MS_TANAKA]["role"] == "teacher"
    assert "roles" not in tables(folder)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_edits_change_add_and_take_away_records(tmp_path, version):
    edits = {
        "users": {cast.AMARA: {"givenName": "Amarachi"}},
        "demographics": {cast.KOFI: None},
        "courses": {"course-chess": {"title": "Chess", "orgSourcedId": cast.RIVERBEND_HIGH}},
    }
    whole = tables(cast.riverbend(tmp_path / "package", edits, version))
    assert {"Amarachi"} == {user["givenName"] for user in whole["users"] if user["sourcedId"] == cast.AMARA}
    assert cast.KOFI not in {person["sourcedId"] for person in whole["demographics"]}
    assert len(whole["courses"]) == cast.COUNTS["courses"] + 1


def test_a_table_edited_to_nothing_is_declared_absent(tmp_path):
    folder = cast.riverbend(tmp_path / "package", {"userResources": {"user-resource-1": None}})
    assert not (folder / "userResources.csv").exists()
    assert properties(folder)["file.userResources"] == "absent"
    assert faults(folder) == []


def test_a_delta_holds_only_the_edited_records_with_status_and_date(tmp_path):
    edits = {"users": {cast.AMARA: {"givenName": "Amarachi"}, cast.NOAH: None}}
    folder = cast.riverbend_delta(tmp_path / "package", edits)
    assert faults(folder) == []
    assert [(user["sourcedId"], user["status"]) for user in tables(folder)["users"]] == [
        (cast.AMARA, "active"), (cast.NOAH, "tobedeleted"),
    ]  # fmt: skip
    assert properties(folder)["file.users"] == "delta"
    assert properties(folder)["file.orgs"] == "absent"


def test_the_zip_is_the_same_bytes_each_time(tmp_path):
    first = cast.riverbend_zip(tmp_path / "first.zip")
    second = cast.riverbend_zip(tmp_path / "second.zip")
    assert first.read_bytes() == second.read_bytes()


def test_the_cast_is_what_its_docstring_says():
    whole = demo.rows()
    enrolled = {(row["userSourcedId"], row["classSourcedId"]) for row in whole["enrollments"]}
    orgs_of = {
        who: [row["orgSourcedId"] for row in whole["roles"] if row["userSourcedId"] == who]
        for who in (cast.LUCIA, cast.MR_OKAFOR, cast.MS_TANAKA)
    }
    assert (cast.LUCIA, cast.ALGEBRA) in enrolled
    assert orgs_of[cast.LUCIA] == [cast.RIVERBEND_MIDDLE]
    assert orgs_of[cast.MR_OKAFOR] == [cast.RIVERBEND_MIDDLE, cast.RIVERBEND_HIGH]
    assert orgs_of[cast.MS_TANAKA] == [cast.RIVERBEND_MIDDLE, cast.RIVERBEND_MIDDLE]
    assert cast.NOAH not in {user for user, _ in enrolled}
    assert {klass for user, klass in enrolled if user == cast.TOMAS} == {cast.SPANISH}
    assert cast.GUITAR_COURSE not in {row["courseSourcedId"] for row in whole["classes"]}
    agents = cast.record("users", cast.AMARA)["agentSourcedIds"]
    assert agents == cast.record("users", cast.KOFI)["agentSourcedIds"] == f"{cast.ADAEZE},{cast.CHUKWUEMEKA}"
    constants = {value for name, value in vars(cast).items() if name.isupper() and isinstance(value, str)} - {
        cast.LAST_NIGHT
    }
    assert constants <= {row["sourcedId"] for table in whole.values() for row in table}


def test_enrollment_dates_lie_inside_the_sessions_of_their_class():
    whole = demo.rows()
    spans = {row["sourcedId"]: (row["startDate"], row["endDate"]) for row in whole["academicSessions"]}
    terms = {row["sourcedId"]: row["termSourcedIds"].split(",") for row in whole["classes"]}
    for row in whole["enrollments"]:
        sessions = [spans[term] for term in terms[row["classSourcedId"]]]
        begin, end = min(start for start, _ in sessions), max(end for _, end in sessions)
        assert begin <= (row["beginDate"] or begin) <= (row["endDate"] or end) <= end
