"""Which school a change belongs to, and the line of a file it came from."""

import zipfile
from pathlib import Path

import duckdb
import pytest

from rollbook.engine.lines import line_of
from rollbook.engine.schools import write_schools
from tests import cast
from tests.engine.packages import Roster

NOBODY = None


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    """Riverbend is stored."""
    roster = Roster(tmp_path / "roster")
    roster.take(cast.riverbend(tmp_path / "first"))
    return roster


def schools(roster: Roster, before: Path, folder: Path) -> dict[tuple[str, str], str]:
    """{(collection, source id): school}."""
    target = folder / "schools.parquet"
    write_schools(roster.plan, before, target)
    with duckdb.connect() as reader:
        rows = reader.execute(
            "SELECT collection, source_id, school, name FROM read_parquet(?) JOIN read_parquet(?) USING (number)",
            [str(roster.plan), str(target)],
        ).fetchall()
    assert len({(collection, one) for collection, one, _, _ in rows}) == len(rows)
    assert all(bool(school) == bool(name) for _, _, school, name in rows)
    return {(collection, source_id): school for collection, source_id, school, _ in rows}


def test_every_change_of_a_first_load_has_its_school(roster: Roster, tmp_path: Path):
    found = schools(roster, tmp_path / "nothing", tmp_path)
    assert found["users", cast.AMARA] == cast.RIVERBEND_HIGH
    assert found["demographics", cast.AMARA] == cast.RIVERBEND_HIGH
    assert found["users", cast.KOFI] == cast.RIVERBEND_ELEMENTARY
    assert found["users", cast.MR_OKAFOR] == cast.RIVERBEND_MIDDLE, "the main org comes before roles"
    assert found["users", cast.MS_BRANDT] is NOBODY, "the district is no school"
    assert found["classes", cast.ALGEBRA] == cast.RIVERBEND_HIGH
    assert found["orgs", cast.RIVERBEND_HIGH] == cast.RIVERBEND_HIGH
    assert found["orgs", cast.DISTRICT] is NOBODY
    assert found["academicSessions", cast.SCHOOL_YEAR] is NOBODY
    enrolled = {one: school for (collection, one), school in found.items() if collection == "enrollments"}
    assert len(enrolled) == 165
    assert set(enrolled.values()) == {cast.RIVERBEND_ELEMENTARY, cast.RIVERBEND_MIDDLE, cast.RIVERBEND_HIGH}


def test_a_later_change_is_placed_by_what_is_stored(roster: Roster, tmp_path: Path):
    before = roster.accepted
    edits = {
        "users": {cast.NOAH: {"primaryOrgSourcedId": cast.RIVERBEND_MIDDLE}},
        "demographics": {cast.AMARA: None, cast.KOFI: {"sex": "unspecified"}},
    }
    roster.take(cast.riverbend(tmp_path / "next", edits))
    assert schools(roster, before, tmp_path) == {
        ("users", cast.NOAH): cast.RIVERBEND_MIDDLE,
        ("demographics", cast.AMARA): cast.RIVERBEND_HIGH,
        ("demographics", cast.KOFI): cast.RIVERBEND_ELEMENTARY,
    }


# --- Lines --------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A zip with an enclosing folder, a file with line breaks in a value, one from Windows, one with a line too short."""
    files = {
        "out/Users.CSV": b'sourcedId,givenName\r\nu1,"Ann\r\nMarie"\r\nu2,Bo\r\n',
        "out/orgs.csv": "sourcedId,name\no1,École\n".encode("cp1252"),
        "out/courses.csv": b"\xef\xbb\xbfsourcedId,title,grades\nc1,Art\n",
    }
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def fields_of(package: Path, file: str, line: int):
    found = line_of(package, file, line)
    return found and dict(found.fields)


def test_a_line_is_found_by_its_number_and_read_by_its_header(package: Path):
    assert fields_of(package, "users.csv", 2) == {"sourcedId": "u1", "givenName": "Ann\nMarie"}
    assert fields_of(package, "users.csv", 4) == {"sourcedId": "u2", "givenName": "Bo"}
    assert fields_of(package, "orgs.csv", 2) == {"sourcedId": "o1", "name": "École"}
    assert fields_of(package, "courses.csv", 2) == {"sourcedId": "c1", "title": "Art", "grades": ""}


@pytest.mark.parametrize(("file", "line"), [("users.csv", 9), ("users.csv", 0), ("classes.csv", 1)])
def test_where_there_is_no_line_there_is_none(package: Path, file: str, line: int):
    assert line_of(package, file, line) is None


def test_in_a_folder_too_and_nothing_where_the_package_is_gone(tmp_path: Path):
    folder = cast.riverbend(tmp_path / "folder")
    assert fields_of(folder, "orgs.csv", 2)["sourcedId"] == cast.DISTRICT
    assert line_of(tmp_path / "gone", "orgs.csv", 2) is None
