"""Comparing: a list of people with the roster, a package with the roster, with another server, with another package."""

import csv
from pathlib import Path

import pytest

from rollbook.engine.compare import Compared
from rollbook.engine.tabular import NotATable
from rollbook.flows.compare import (
    NoSuchColumn,
    compare_list,
    compare_packages,
    compare_with_connection,
    compare_with_roster,
    compare_with_server,
)
from rollbook.flows.connections import add_connection
from rollbook.store.models import Connection, District
from tests import cast
from tests.connectors.provider import STATIC, Provider, serving
from tests.delivered import a_district, deliver
from tests.kept import kept

pytestmark = pytest.mark.django_db
PEOPLE = 66


def two_of_one_address(folder: Path) -> District:
    """Riverbend; Liam and the other Liam have one e-mail address, and Sam has none."""
    edits = {
        "users": {
            cast.LIAM: {"email": "liam.smith@riverbend.example"},
            cast.LIAM_P: {"email": "Liam.Smith@riverbend.example"},
            cast.SAM: {"email": ""},
        }
    }
    district = a_district()
    deliver(district, cast.riverbend(folder / "stored", edits))
    return district


district = kept(two_of_one_address)


def a_list(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path = folder / "list.csv"
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def rows(compared: Compared, outcome: str) -> list[dict[str, str]]:
    if outcome not in compared.files:
        return []
    with compared.files[outcome].open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mail(student: str) -> str:
    return cast.record("users", student)["email"]


def test_a_list_is_matched_by_email_without_case(district, tmp_path):
    source = a_list(
        tmp_path,
        "Name;E-Mail;First Name",
        f"Amara;{mail(cast.AMARA).upper()};Amara",
        f"Lucia;{mail(cast.LUCIA)};Lucy",
        "Sam;;Sam",
        "Nobody;nobody@elsewhere.example;No",
        "Liam;liam.smith@riverbend.example;Liam",
    )
    found = compare_list(source, district, "email", tmp_path / "work")
    assert found.counts == {
        "matched": 2, "different": 1, "only-first": 2, "only-second": PEOPLE - 4, "ambiguous": 3, "held": 0,
    }  # fmt: skip
    assert {row["roster: sourcedId"] for row in rows(found, "matched")} == {cast.AMARA, cast.LUCIA}
    assert [row["list: Name"] for row in rows(found, "only-first")] == ["Sam", "Nobody"]
    [changed] = rows(found, "different")
    assert (changed["field"], changed["list"], changed["roster"]) == ("First Name", "Lucy", "Lucía")
    assert {row["side"] for row in rows(found, "ambiguous")} == {"list", "roster"}
    assert {row["roster: sourcedId"] for row in rows(found, "ambiguous")} == {"", cast.LIAM, cast.LIAM_P}
    assert cast.SAM in {row["roster: sourcedId"] for row in rows(found, "only-second")}, (
        "blank never matches blank"
    )


def test_ids_compare_byte_for_byte(district, tmp_path):
    source = a_list(tmp_path, "sourcedId", cast.AMARA, cast.KOFI.upper(), f" {cast.NOAH}", "")
    found = compare_list(source, district, "sourcedId", tmp_path / "work")
    assert [row["roster: sourcedId"] for row in rows(found, "matched")] == [cast.AMARA]
    assert [row["list: line"] for row in rows(found, "only-first")] == ["3", "4"]


def test_one_person_twice_in_the_list_is_two_answers(district, tmp_path):
    source = a_list(
        tmp_path, "login", *[cast.record("users", cast.AMARA)["username"]] * 2, "nobody", "nobody"
    )
    found = compare_list(source, district, "username", tmp_path / "work")
    assert (found.counts["matched"], found.counts["ambiguous"], found.counts["only-first"]) == (0, 3, 2)


def test_columns_are_chosen_by_name(district, tmp_path):
    record = cast.record("users", cast.AMARA)
    source = a_list(tmp_path, "Code\tCalled", f"{record['identifier']}\tAmy", encoding="utf-16")
    work = tmp_path / "work"
    found = compare_list(source, district, "identifier", work, "code", [("called", "givenName")])
    assert (found.counts["matched"], found.fields) == (1, {"Called": 1})
    with pytest.raises(NoSuchColumn, match="Code, Called"):
        compare_list(source, district, "email", tmp_path / "again")


def test_any_heading_will_do(district, tmp_path):
    heading = """Line,E-mail,e-MAIL,"a ""quoted"" name; DROP TABLE f",,"""
    source = a_list(tmp_path, heading, f"7,{mail(cast.AMARA)},other@x.example,x,y", f"8,{mail(cast.LUCIA)}")
    found = compare_list(source, district, "email", tmp_path / "work")
    assert found.counts["matched"] == 2
    first = rows(found, "matched")[0]
    assert (first["list: line"], first["list: Line (2)"], first["list: e-MAIL (2)"]) == (
        "2",
        "7",
        "other@x.example",
    )
    assert first['list: a "quoted" name; DROP TABLE f'] == "x"


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "empty"), (b"PK\x03\x04abc", "spreadsheet"), (b"\r\nx", "names")]
)
def test_what_is_no_table_is_refused_in_words(tmp_path, content: bytes, words: str):
    district = a_district()
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(NotATable) as refused:
        compare_list(tmp_path / "list.csv", district, "email", tmp_path / "work")
    assert words in refused.value.words


def test_a_package_is_compared_with_what_is_stored(district, tmp_path):
    edits = {
        "users": {
            cast.AMARA: {"middleName": "Ngozi"},
            cast.NOAH: None,
            "student-new": {**cast.record("users", cast.SAM), "sourcedId": "student-new"},
        },
        "demographics": {cast.NOAH: None, cast.AMARA: {"sex": "unspecified"}},
        "roles": {},
    }
    package = cast.riverbend(tmp_path / "package", edits)
    found = {
        one.title: one for one in compare_with_roster(package, Connection.objects.get(), tmp_path / "work")
    }
    users = found["users"]
    assert (users.counts["only-first"], users.counts["only-second"]) == (1, 1)
    assert users.fields == {"email": 3, "middleName": 1}
    assert found["orgs"].agrees
    assert [row["package"] for row in rows(found["demographics"], "different")] == ["•••"]


def test_a_package_is_compared_with_a_server(tmp_path):
    district = a_district()
    with serving(Provider("1.2")) as provider:
        for users in ("users",):
            provider.records[users] = [
                one for one in provider.records[users] if one["sourcedId"] != cast.NOAH
            ]
            for one in provider.records[users]:
                if one["sourcedId"] == cast.AMARA:
                    one["givenName"] = "Amy"
        filled = {"url": provider.settings["url"], "sign_in": "bearer", "token": STATIC, "insecure": "yes"}
        package = cast.riverbend(tmp_path / "package")
        found = compare_with_server(package, filled, tmp_path / "work", lambda words: None, ["users", "orgs"])
        by_title = {one.title: one for one in found}
        assert by_title["orgs"].agrees
        assert [row["package: sourcedId"] for row in rows(by_title["users"], "only-first")] == [cast.NOAH]
        assert rows(by_title["users"], "different")[0]["server"] == "Amy"
        connection = add_connection(district, "oneroster_rest", "Other", filled)
        one_file = tmp_path / "orgs.csv"
        one_file.write_bytes((package / "orgs.csv").read_bytes())
        [orgs] = compare_with_connection(
            one_file, connection, tmp_path / "again", lambda words: None, ["orgs"]
        )
        assert orgs.counts["matched"] == 4


def test_two_packages_say_what_columns_they_lack_and_what_is_twice(tmp_path):
    first, second = cast.riverbend(tmp_path / "one"), cast.riverbend(tmp_path / "two")
    lines = (second / "orgs.csv").read_text(encoding="utf-8").splitlines()
    place = lines[0].split(",").index("identifier")
    cut = [",".join(part for number, part in enumerate(line.split(",")) if number != place) for line in lines]
    broken = cut[-1].rpartition(",")[0]
    (second / "orgs.csv").write_text("\r\n".join([*cut[:-1], cut[1], broken]), encoding="utf-8")
    [orgs] = compare_packages(first, second, tmp_path / "work", ["orgs"])
    assert orgs.columns_first == ("identifier",)
    assert [row["key"] for row in rows(orgs, "ambiguous")] == [cast.DISTRICT] * 3
    assert [row["held_back_in"] for row in rows(orgs, "held")] == ["other package"], (
        "a broken line is not a missing one"
    )
    assert orgs.counts["only-first"] == 0
