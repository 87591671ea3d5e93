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
from tests.engine.packages import orgs, write_package
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


def test_a_broken_list_is_refused_and_half_a_letter_breaks_none(district, tmp_path):
    with pytest.raises(NotATable, match="Line 3"):
        compare_list(
            a_list(tmp_path, "email,first", f'{mail(cast.AMARA)},"Amy', "x,y"),
            district,
            "email",
            tmp_path / "a",
        )
    with pytest.raises(NotATable, match="Line 1"):
        compare_list(a_list(tmp_path, f"email,{'x' * 200_000}", "a,b"), district, "email", tmp_path / "b")
    source = a_list(tmp_path, "email", mail(cast.AMARA), "", encoding="utf-16")
    source.write_bytes(source.read_bytes() + b"x")
    assert compare_list(source, district, "email", tmp_path / "c").counts["matched"] == 1


def test_columns_of_one_name_are_told_apart_whatever_they_are_called(district, tmp_path):
    source = a_list(tmp_path, "email,a,a,a (2)", f"{mail(cast.AMARA)},1,2,3")
    [row] = rows(compare_list(source, district, "email", tmp_path / "work"), "matched")
    assert [row[f"list: {name}"] for name in ("a", "a (2)", "a (2) (2)")] == ["1", "2", "3"]


def test_no_cell_that_is_taken_home_is_a_formula(district, tmp_path):
    source = a_list(tmp_path, "email,note,other", f'{mail(cast.AMARA)},"=HYPERLINK(""x"")",+1', "@x,-2,plain")
    found = compare_list(source, district, "email", tmp_path / "work")
    [matched] = rows(found, "matched")
    assert (matched["list: note"], matched["list: other"]) == ('\'=HYPERLINK("x")', "'+1")
    alone = rows(found, "only-first")[0]
    assert (alone["list: email"], alone["list: note"], alone["list: other"]) == ("'@x", "'-2", "plain")


def connection_of(district: District) -> Connection:
    return Connection.objects.get(district=district)


def of_1_1(folder: Path, teacher: str = "teacher", school: str = "s1") -> Path:
    return write_package(
        folder,
        {
            "orgs": orgs("s1", "s2"),
            "users": [
                {
                    "sourcedId": one, "enabledUser": "true", "orgSourcedIds": where, "role": what, "username": one,
                    "givenName": one, "familyName": "Reyes",
                }
                for one, what, where in (("u1", teacher, "s1"), ("u2", "student", school))
            ],
        },
        version="1.1",
    )  # fmt: skip


def test_what_1_1_says_among_its_users_is_compared_where_the_roster_has_it_from_there(tmp_path):
    district = a_district()
    deliver(district, of_1_1(tmp_path / "stored"))
    same = compare_with_roster(of_1_1(tmp_path / "same"), connection_of(district), tmp_path / "a")
    assert all(one.agrees for one in same)
    assert not [one for one in same if one.columns_first or one.columns_second]
    other = of_1_1(tmp_path / "other", teacher="administrator", school="s2")
    found = {one.title: one for one in compare_with_roster(other, connection_of(district), tmp_path / "b")}
    assert (found["roles"].counts["only-first"], found["roles"].counts["only-second"]) == (2, 2)
    assert found["users"].fields == {"primaryOrgSourcedId": 1}
    v1p2 = {
        "orgs": orgs("s1", "s2"),
        "users": [{"sourcedId": "u1", "enabledUser": "true", "username": "u1", "givenName": "u1", "familyName": "Reyes"}],
        "roles": [{"sourcedId": "r1", "userSourcedId": "u1", "roleType": "primary", "role": "teacher", "orgSourcedId": "s1"}],
    }  # fmt: skip
    titles = {
        one.title
        for one in compare_with_roster(
            write_package(tmp_path / "v1p2", v1p2), connection_of(district), tmp_path / "c"
        )
    }
    assert "roles" not in titles


def test_a_column_that_is_empty_in_the_roster_is_compared(tmp_path):
    district = a_district()
    people = [
        {
            "sourcedId": "u1",
            "enabledUser": "true",
            "username": "u1",
            "givenName": "Ana",
            "familyName": "Reyes",
        }
    ]
    deliver(district, write_package(tmp_path / "stored", {"users": people}))
    with_mail = write_package(tmp_path / "mail", {"users": [people[0] | {"email": "ana@riverbend.example"}]})
    [found] = [
        one
        for one in compare_with_roster(with_mail, connection_of(district), tmp_path / "a")
        if one.title == "users"
    ]
    assert (found.counts["different"], found.fields) == (1, {"email": 1})


def test_of_what_a_package_does_not_speak_nothing_is_said(district, tmp_path):
    person = {**cast.record("users", cast.AMARA), "familyName": "Other", "status": "active"}
    delta = write_package(
        tmp_path / "delta", {"users": [person | {"dateLastModified": "2026-11-01T08:00:00.000Z"}]}, "delta"
    )
    [found] = compare_with_roster(delta, connection_of(district), tmp_path / "work")
    assert found.title == "users"
    assert (found.counts["matched"], found.counts["only-second"], found.counts["only-first"]) == (1, 0, 0)
    assert "familyName" in found.fields
