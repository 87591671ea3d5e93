"""What is judged across files: manifest and files, versions, references by mode, what is unreadable."""

from pathlib import Path

import pytest

from rollbook.engine.findings import Findings
from rollbook.engine.judgement import judge
from rollbook.oneroster.tables import BINDINGS
from tests.engine.packages import NOTHING_STORED, Row, judged, orgs, write_package, write_table

MOMENT = "2026-09-01T08:00:00.000Z"


def codes(findings: Findings) -> dict[str, int]:
    return {code.code: total for code, _, total, _ in findings.by_code()}


def user(one: str, **values: str) -> Row:
    return {
        "sourcedId": one,
        "enabledUser": "true",
        "username": one,
        "givenName": one,
        "familyName": "Reyes",
        **values,
    }


def demographics(*ids: str, **values: str) -> list[Row]:
    return [{"sourcedId": one, "sex": "female", **values} for one in ids]


def marked(row: Row) -> Row:
    return {**row, "status": "active", "dateLastModified": MOMENT}


def test_a_sloppy_1_1_package_is_an_error_by_the_letter_and_readable_as_an_import(tmp_path: Path):
    session = {
        "sourcedId": "year",
        "title": "Year",
        "type": "SchoolYear",
        "startDate": "2026-08-01T00:00:00",
        "endDate": "2027-06-30",
    }
    person = user("ana", orgSourcedIds="org-1", role="Student") | {"enabledUser": "True"}
    tables = {
        "orgs": [marked(row) for row in orgs("org-1")],
        "academicSessions": [marked({**session, "schoolYear": "2026-2027"})],
        "users": [marked(person)],
    }
    package = write_package(tmp_path / "package", tables, version="1.1")
    strict, lenient = tmp_path / "strict", tmp_path / "lenient"
    strict.mkdir()
    lenient.mkdir()
    expected = {"bulk-lifecycle": 3, "date-with-time": 1, "year-span": 1, "boolean-case": 1, "enum-case": 2}
    assert codes(judged(package, strict)) == expected
    findings = judged(package, lenient, lenient=True)
    assert codes(findings) == expected
    assert not findings.failed
    messages = {one.code: one.message for one in findings}
    assert messages["year-span"].startswith("Read as 2027.")
    assert messages["date-with-time"].startswith("Read as 2026-08-01.")


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_without_a_manifest_the_version_is_read_from_the_columns(version: str, tmp_path: Path):
    person = user("ana") if version == "1.2" else user("ana", orgSourcedIds="org-1", role="student")
    package = write_package(tmp_path / "package", {"orgs": orgs("org-1"), "users": [person]}, version=version)
    (package / "manifest.csv").unlink()
    (tmp_path / "work").mkdir()
    with judge(package, tmp_path / "work", lenient=True, accepted=None) as judgement:
        assert judgement.staging.binding is BINDINGS[version]
        assert codes(judgement.findings) == {"manifest-missing": 1}


def test_references_of_a_delta_are_let_pass_where_nothing_is_known_of_the_district(tmp_path: Path):
    tables = {"demographics": list(map(marked, demographics("ana")))}
    package = write_package(tmp_path / "package", tables, "delta")
    assert codes(judged(package, tmp_path)) == {}
    (tmp_path / "again").mkdir()
    assert codes(judged(package, tmp_path / "again", lenient=True, accepted=NOTHING_STORED)) == {
        "reference": 1
    }


def test_a_bulk_file_may_refer_to_what_a_delta_file_does_not_mention(tmp_path: Path):
    tables = {"users": [marked(user("ana"))], "demographics": demographics("ana", "ben")}
    assert codes(judged(write_package(tmp_path / "package", tables, users="delta"), tmp_path)) == {}


def test_a_bulk_file_may_not_refer_to_a_file_that_is_not_there(tmp_path: Path):
    findings = judged(
        write_package(tmp_path / "package", {"demographics": demographics("ana", "ben")}), tmp_path
    )
    (one,) = findings
    assert (one.code, one.value) == ("reference-file", "users.csv")
    assert one.message.startswith("2 references in sourcedId lead into users.csv")


def test_records_wait_for_a_file_that_cannot_be_read(tmp_path: Path):
    package = write_package(tmp_path / "package", {"users": [], "demographics": demographics("ana", "ben")})
    columns = [column for column in BINDINGS["1.2"].table("users").columns if column != "username"]
    write_table(package, "users", columns, [user("ana"), user("ben")])
    assert codes(judged(package, tmp_path, lenient=True, accepted=NOTHING_STORED)) == {
        "header-missing": 1,
        "waiting": 1,
    }


def test_what_is_no_identifier_is_not_called_a_dangling_reference(tmp_path: Path):
    findings = judged(
        write_package(tmp_path / "package", {"orgs": orgs("org-1", parentSourcedId="bad id")}), tmp_path
    )
    assert [(one.code, one.field, one.value) for one in findings] == [("guid", "parentSourcedId", "bad id")]


def test_a_file_of_another_version_is_unknown(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("org-1")}, version="1.1")
    (package / "roles.csv").write_text("sourcedId\r\nx\r\n")
    findings = judged(package, tmp_path)
    assert [(one.code, one.file) for one in findings] == [("unknown-file", "roles.csv")]


def test_lines_are_counted_through_what_is_broken(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("org-1", "org-2", "org-3")})
    file = package / "orgs.csv"
    lines = file.read_text().splitlines()
    wrong = lines[3].replace(",school,", ",kindergarten,")
    file.write_text("\r\n".join([lines[0], "", 'org-0,,,"two', 'lines",school,,', "too,few", wrong]) + "\r\n")
    findings = judged(package, tmp_path)
    assert {one.code: one.line for one in findings} == {
        "csv-blank-line": 2,
        "csv-newline": 3,
        "csv-columns": 5,
        "enum": 6,
    }


@pytest.mark.parametrize("quoted", ['"Org, one"', "Org one"])
def test_a_comma_too_many_is_seen_even_at_the_end_of_a_line(quoted: str, tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("org-1")})
    file = package / "orgs.csv"
    header, row = file.read_text().splitlines()
    file.write_text("\r\n".join([header, row.replace("Org org-1", quoted) + ","]) + "\r\n")
    assert codes(judged(package, tmp_path)) == {"csv-columns": 1}


def test_a_manifest_alone_says_nothing_and_nothing_is_wrong(tmp_path: Path):
    assert list(judged(write_package(tmp_path / "package", {}), tmp_path)) == []


def test_findings_are_written_as_json(tmp_path: Path):
    findings = judged(write_package(tmp_path / "package", {"orgs": orgs("bad id")}), tmp_path)
    findings.write(tmp_path / "findings.json")
    assert '"value": "bad id"' in (tmp_path / "findings.json").read_text(encoding="utf-8")
