"""Steps change what was staged, in their order; what was delivered stays known, and what they could not do is said."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rollbook.engine.judgement import judge
from rollbook.engine.preparation.steps import steps_of
from rollbook.engine.preparation.trial import MOST_ROWS, try_steps
from tests.engine.packages import NOTHING_STORED, Roster, orgs, write_package

EXACT, ANY = "exact", "any"


def users(*rows: Mapping[str, str]) -> list[dict[str, str]]:
    base = {"enabledUser": "true", "givenName": "Ana", "familyName": "Test"}
    return [
        {**base, "sourcedId": f"u{number}", "username": f"u{number}", **row}
        for number, row in enumerate(rows, 1)
    ]


def where(field: str, test: str, value: str, case: str = EXACT) -> dict[str, str]:
    return {"field": field, "test": test, "value": value, "case": case}


def prepared(
    tmp_path: Path, tables: Any, *steps: Any, version: str = "1.2", mode: str = "bulk", **modes: str
):
    """{file: {sourcedId: row}} after the steps, and the findings."""
    package = write_package(tmp_path / "package", tables, version=version, mode=mode, **modes)
    return judged_again(tmp_path, package, *steps)


def judged_again(tmp_path: Path, package: Path, *steps: Any):
    (tmp_path / "work").mkdir()
    with judge(
        package, tmp_path / "work", lenient=True, accepted=NOTHING_STORED, steps=steps_of(list(steps))
    ) as done:
        rows = {}
        for staged in done.staging.tables.values():
            answer = done.staging.connection.execute(f"SELECT * FROM {staged.records}")
            names = [column[0] for column in answer.description]
            labels = {f"metadata_{place}": f"metadata.{key}" for key, place in staged.header.metadata.items()}
            rows[staged.name] = {
                row["sourcedId"]: row
                for row in (
                    {labels.get(n, n): v for n, v in zip(names, one, strict=True)}
                    for one in answer.fetchall()
                )
            }
        return rows, done.findings


def column(rows: Any, name: str, file: str = "users") -> list[str]:
    return [row[name] for row in rows[file].values()]


def said(findings: Any, code: str) -> list[str]:
    return [one.message for one in findings if one.code == code]


@pytest.mark.parametrize(
    ("condition", "changed"),
    [
        (where("email", "equals", "A@x.org"), "A"),
        (where("email", "equals", "A@x.org", ANY), "Aa"),
        (where("email", "equals", ""), "-"),
        (where("email", "differs", "a@x.org"), "Ab-"),
        (where("email", "differs", "a@x.org", ANY), "b-"),
        (where("email", "contains", "A"), "A"),
        (where("email", "contains", "A", ANY), "Aa"),
        (where("email", "matches", "^[a-z]@"), "ab"),
        (where("email", "matches", "^[a-z]@", ANY), "Aab"),
        (where("email", "matches", "%'; DROP TABLE s_users; --"), ""),
        (None, "Aab-"),
    ],
)
def test_a_field_is_changed_where_a_condition_holds(condition, changed: str, tmp_path: Path):
    rows = users(*({"email": email} for email in ("A@x.org", "a@x.org", "b@x.org", "")))
    step = {"do": "set", "file": "users", "field": "middleName", "to": "O'Neill \\1 $p0"}
    if condition:
        step["where"] = condition
    found, findings = prepared(tmp_path, {"users": rows}, step)
    names = dict(zip("Aab-", column(found, "middleName"), strict=True))
    assert {key for key, name in names.items() if name} == set(changed)
    assert set(names.values()) <= {"O'Neill \\1 $p0", ""}
    assert [one.count for one in findings if one.code == "prepared"] == ([len(changed)] if changed else [])


@pytest.mark.parametrize(
    ("step", "before", "after"),
    [
        ({"do": "upper"}, "Café ß", "CAFÉ ẞ"),
        ({"do": "lower"}, "CAFÉ", "café"),
        ({"do": "trim"}, "\u00a0\t Ana Maria ", "Ana Maria"),
        ({"do": "set", "from": "username"}, "x", "u1"),
        ({"do": "replace", "find": "a.", "as": "text", "case": EXACT, "with": "\\1"}, "a.ab", "\\1ab"),
        ({"do": "replace", "find": "A.", "as": "text", "case": ANY, "with": "\\1"}, "a.aB", "\\1aB"),
        (
            {"do": "replace", "find": "(a)(b)", "as": "pattern", "case": EXACT, "with": "\\2\\1"},
            "abAB",
            "baAB",
        ),
        ({"do": "replace", "find": "(a)(b)", "as": "pattern", "case": ANY, "with": "\\2\\1"}, "abAB", "baBA"),
        ({"do": "map", "words": {"x": "y"}, "case": EXACT, "others": "keep"}, "X", "X"),
        ({"do": "map", "words": {"x": "y"}, "case": ANY, "others": "keep"}, "X", "y"),
        ({"do": "map", "words": {"x": "y"}, "case": EXACT, "others": "empty"}, "X", ""),
        ({"do": "map", "words": {"x": "y"}, "case": EXACT, "others": "set", "others_to": "z"}, "X", "z"),
        ({"do": "map", "words": {"x": "y"}, "case": EXACT, "others": "set", "others_to": "z"}, "", ""),
        ({"do": "map", "words": {"": "none"}, "case": EXACT, "others": "keep"}, "", "none"),
    ],
)
def test_a_value_becomes_what_the_step_says(step, before: str, after: str, tmp_path: Path):
    rows = users({"middleName": before})
    found, _ = prepared(tmp_path, {"users": rows}, {"file": "users", "field": "middleName", **step})
    assert column(found, "middleName") == [after]


def test_a_list_is_translated_item_by_item(tmp_path: Path):
    rows = users({"grades": "9,K"}, {"grades": "13,9"}, {"grades": ""})
    step = {"do": "map", "file": "users", "field": "grades", "words": {"9": "09", "K": "KG"}, "case": EXACT, "others": "empty"}  # fmt: skip
    found, findings = prepared(tmp_path, {"users": rows}, step)
    assert column(found, "grades") == ["09,KG", "09", ""]
    [words] = said(findings, "preparation-unmatched")
    assert "1 records have values that are not in the table; these become empty." in words


def test_steps_build_on_one_another_and_the_table_is_rewritten_once(tmp_path: Path):
    rows = users({"email": " A@OLD.ORG ", "identifier": "7"}, {"email": "b@new.org"})
    found, findings = prepared(
        tmp_path,
        {"users": rows},
        {"do": "trim", "file": "users", "field": "email"},
        {"do": "lower", "file": "users", "field": "email"},
        {"do": "replace", "file": "users", "field": "email", "find": "@old.org", "as": "text", "case": EXACT, "with": "@new.org"},
        {"do": "set", "file": "users", "field": "username", "from": "email", "where": where("email", "matches", "^a@new")},
    )  # fmt: skip
    assert column(found, "username") == ["a@new.org", "u2"]
    assert column(found, "line") == [2, 3]
    assert column(found, "delivered email") == [" A@OLD.ORG ", None]
    assert len(said(findings, "prepared")) == 4


def test_a_hundred_steps_are_taken(tmp_path: Path):
    steps = [
        {"do": "set", "file": "users", "field": "middleName", "to": str(n + 1), "where": where("middleName", "equals", str(n))}
        for n in range(100)
    ]  # fmt: skip
    found, _ = prepared(tmp_path, {"users": users({"middleName": "0"})}, *steps)
    assert column(found, "middleName") == ["100"]


def test_a_constant_makes_a_column_and_others_are_left_where_it_is_missing(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("o1")})
    file = package / "orgs.csv"
    file.write_text("sourcedId,status,dateLastModified,name,type,parentSourcedId\r\no1,,,One,school,\r\n")
    found, findings = judged_again(
        tmp_path, package,
        {"do": "set", "file": "orgs", "field": "metadata.state", "to": "IL"},
        {"do": "set", "file": "orgs", "field": "metadata.kind", "to": "K", "where": where("name", "equals", "Two")},
        {"do": "upper", "file": "orgs", "field": "identifier"},
        {"do": "set", "file": "orgs", "field": "identifier", "to": "1", "where": where("name", "equals", "Two")},
        {"do": "lower", "file": "users", "field": "email"},
    )  # fmt: skip
    assert found["orgs"]["o1"]["metadata.state"] == "IL"
    assert found["orgs"]["o1"]["metadata.kind"] == ""
    assert "identifier" not in found["orgs"]["o1"]
    idle = said(findings, "preparation-idle")
    assert [words.split(",")[0] for words in idle] == ["Step 3", "Step 4"]
    assert "orgs.csv has no column identifier" in idle[0]


def test_a_finding_names_the_line_and_both_values(tmp_path: Path):
    rows = orgs("o1", "o2")
    rows[1] = {**rows[1], "type": "Primary"}
    step = {
        "do": "set",
        "file": "orgs",
        "field": "type",
        "to": "kindergarten",
        "where": where("type", "equals", "Primary"),
    }
    _, findings = prepared(tmp_path, {"orgs": rows}, step)
    [one] = [one for one in findings if one.code == "enum"]
    assert (one.line, one.field, one.value, one.delivered) == (3, "type", "kindergarten", "Primary")
    assert one.source_id == "o2"


def test_lines_stay_those_of_the_file_where_it_was_read_carefully(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("o1", "o2")})
    file = package / "orgs.csv"
    header, first, second = file.read_text().splitlines()
    file.write_text("\r\n".join([header, "", first, "too,few", second]) + "\r\n")
    found, _ = judged_again(tmp_path, package, {"do": "upper", "file": "orgs", "field": "name"})
    assert {key: row["line"] for key, row in found["orgs"].items()} == {"o1": 3, "o2": 5}


def merge(tmp_path: Path, text: str, **changes: Any):
    tables = {
        "users": users({"identifier": "a1"}, {"identifier": "B2"}, {"identifier": ""}, {"identifier": "c3"})
    }
    package = write_package(tmp_path / "package", tables)
    (package / "Badges.csv").write_text(text)
    step = {"do": "merge", "file": "users", "source": "badges.csv", "key": "identifier", "source_key": "no", "case": EXACT,
            "columns": {"badge": "badgeNumber", "kind": "badgeKind"}} | changes  # fmt: skip
    return judged_again(tmp_path, package, step)


def test_columns_of_another_file_come_in_as_metadata_and_leftovers_are_counted(tmp_path: Path):
    text = 'no,kind,badge\na1,"gold, thin",77\nb2,silver,78\nb2,bronze,79\nzz,tin,80\n,none,81\n'
    found, findings = merge(tmp_path, text, case=ANY)
    assert column(found, "metadata.badgeNumber") == ["77", "78", "", ""]
    assert column(found, "metadata.badgeKind") == ["gold, thin", "silver", "", ""]
    assert said(findings, "preparation-unmatched") == [
        "Step 1: 2 records of users.csv have no row in badges.csv.",
        "Step 1: 1 rows of badges.csv belong to no record.",
        "Step 1: 1 keys stand in several rows of badges.csv, of which the first counts.",
    ]
    assert not [one for one in findings if one.code == "unknown-file"]


def test_case_counts_where_the_step_says_so(tmp_path: Path):
    found, _ = merge(tmp_path, "no,kind,badge\na1,x,1\nb2,x,2\n")
    assert column(found, "metadata.badgeNumber") == ["1", "", "", ""]


@pytest.mark.parametrize(
    ("text", "words"),
    [("no,badge\na1,1\n", "no column kind"), ("no,badge,kind,no\n", "no column no, or has it twice")],
)
def test_a_file_without_the_columns_brings_nothing_and_makes_nothing_empty(
    text: str, words: str, tmp_path: Path
):
    found, findings = merge(tmp_path, text)
    assert words in said(findings, "preparation-idle")[0]
    assert "metadata.badgeNumber" not in found["users"]["u1"]


def enrolled(*pairs: str, **modes: str) -> dict[str, Any]:
    """Tables of a 1.1 package: `u1:o1` is one enrollment of u1 in a class of o1."""
    people = sorted({pair.split(":")[0] for pair in pairs} | {"u9"})
    base = {
        "enabledUser": "true",
        "givenName": "A",
        "familyName": "B",
        "role": "student",
        "orgSourcedIds": "o1,o2",
    }
    return {
        "orgs": orgs("o1", "o2", "o3"),
        "users": [{**base, "sourcedId": one, "username": one} for one in people],
        "enrollments": [
            {"sourcedId": f"e{n}", "userSourcedId": pair.split(":")[0], "schoolSourcedId": pair.split(":")[1], "classSourcedId": "k",
             "role": "student"}
            for n, pair in enumerate(pairs)
        ],
    }  # fmt: skip


PAIRS = ("u1:o2", "u1:o2", "u1:o1", "u2:o2", "u2:o1", "u3:o3")


@pytest.mark.parametrize(
    ("ties", "version", "field", "expected"),
    [
        ("keep", "1.1", "orgSourcedIds", ["o2,o1", "o1,o2", "o1,o2", "o1,o2"]),
        ("keep", "1.2", "primaryOrgSourcedId", ["o2", "o9", "o3", "o9"]),
        ("lowest", "1.2", "primaryOrgSourcedId", ["o2", "o1", "o3", "o9"]),
    ],
)
def test_the_main_organization_is_that_of_most_enrollments_and_ties_are_told(
    ties: str, version: str, field: str, expected: list[str], tmp_path: Path
):
    tables = enrolled(*PAIRS)
    tables["users"] = [{**row, "primaryOrgSourcedId": "o9"} for row in tables["users"]]
    step = {"do": "primary-org", "file": "users", "into": "primaryOrgSourcedId", "ties": ties}
    found, findings = prepared(tmp_path, tables, step, version=version)
    assert column(found, field) == expected
    assert [(one.source_id, one.line) for one in findings if one.code == "preparation-tie"] == [("u2", 3)]


def test_the_main_organization_is_not_guessed_from_a_delta(tmp_path: Path):
    step = {"do": "primary-org", "file": "users", "into": "metadata.primaryOrg", "ties": "keep"}
    found, findings = prepared(tmp_path, enrolled(*PAIRS), step, version="1.1", enrollments="delta")
    assert "no complete enrollments.csv" in said(findings, "preparation-idle")[0]
    assert "metadata.primaryOrg" not in found["users"]["u1"]


def test_the_main_organization_is_not_emptied_for_others_where_the_file_has_no_such_column(tmp_path: Path):
    package = write_package(tmp_path / "package", enrolled(*PAIRS))
    file = package / "users.csv"
    file.write_text(
        "sourcedId,enabledUser,username,givenName,familyName\r\nu1,true,u1,A,B\r\nu9,true,u9,A,B\r\n"
    )
    step = {"do": "primary-org", "file": "users", "into": "primaryOrgSourcedId", "ties": "keep"}
    found, findings = judged_again(tmp_path, package, step)
    assert "no column primaryOrgSourcedId" in said(findings, "preparation-idle")[0]
    assert "primaryOrgSourcedId" not in found["users"]["u1"]


def test_the_accepted_snapshot_holds_what_was_prepared(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("o1", "o2")})
    roster = Roster(tmp_path / "roster")
    steps = steps_of([{"do": "upper", "file": "orgs", "field": "name"}])
    assert roster.take(package, steps=steps).counts == {"orgs": {"create": 2}}
    assert roster.take(package, steps=steps).changes == 0
    assert roster.take(package).counts == {"orgs": {"update": 2}}


def test_a_trial_shows_at_most_twenty_rows_and_nothing_of_demographics(tmp_path: Path):
    tables = {
        "users": users(*({"email": f"U{n}@X.ORG"} for n in range(30))),
        "demographics": [{"sourcedId": f"u{n}", "birthDate": "2012-03-04", "sex": "F"} for n in range(1, 31)],
    }
    package = write_package(tmp_path / "package", tables)
    steps = steps_of([
        {"do": "lower", "file": "users", "field": "email"},
        {"do": "map", "file": "demographics", "field": "sex", "words": {"F": "female"}, "case": EXACT, "others": "keep"},
        {"do": "lower", "file": "users", "field": "username"},
        {"do": "lower", "file": "courses", "field": "title"},
    ])  # fmt: skip
    (tmp_path / "trial").mkdir()
    tried = try_steps(package, tmp_path / "trial", steps)
    assert [one.outcome.changed for one in tried] == [30, 30, 0, 0]
    assert sum(len(one.samples) for one in tried) == MOST_ROWS
    first = tried[0].samples[0]
    assert (first.line, first.source_id, first.fields) == (2, "u1", (("email", "U0@X.ORG", "u0@x.org"),))
    assert tried[1].samples[0].fields == (("sex", "•••", "•••"),)
    assert "not in the package" in tried[3].outcome.idle
    assert "female" not in json.dumps([str(one.samples) for one in tried])


def test_without_steps_nothing_is_rewritten(tmp_path: Path):
    package = write_package(tmp_path / "package", {"orgs": orgs("o1")})
    found, findings = judged_again(tmp_path, package)
    assert list(found["orgs"]["o1"]) == [
        "sourcedId",
        "status",
        "dateLastModified",
        "name",
        "type",
        "identifier",
        "parentSourcedId",
    ]
    assert list(findings) == []
