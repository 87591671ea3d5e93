"""What a delivery does to what is stored: changes, deletions, what is held back and what waits."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from rollbook.engine.accepted import rebuild_accepted
from rollbook.oneroster.collections import LOAD_ORDER
from rollbook.oneroster.mapping import roles_of_v1p1_user
from tests.engine.packages import Roster, Row, orgs, write_package, write_table

MOMENT = "2026-09-01T08:00:00.000Z"
NO_ROLE = "user-without-role"
"""What is said of the mother in every full delivery."""


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return Roster(tmp_path)


def riverbend(**changed: list[Row]) -> dict[str, list[Row]]:
    """A district of one school, one class, a teacher and two students; `changed` replaces whole files."""
    tables = {
        "orgs": [org("district", type="district"), org("school", parentSourcedId="district")],
        "academicSessions": [session("year", type="schoolYear"), session("term", parentSourcedId="year")],
        "courses": [{"sourcedId": "course", "title": "Algebra", "orgSourcedId": "district"}],
        "classes": [class_("class")],
        "users": [user("teacher"), user("ana", agentSourcedIds="mother"), user("ben"), user("mother")],
        "roles": [
            role(one, "teacher" if one == "teacher" else "student") for one in ("teacher", "ana", "ben")
        ],
        "enrollments": [
            enrollment("e-t", "teacher", role="teacher"),
            enrollment("e-a", "ana"),
            enrollment("e-b", "ben"),
        ],
        "demographics": [{"sourcedId": "ana", "birthDate": "2012-05-01"}],
    }
    return {**tables, **changed}


def org(one: str, **values: str) -> Row:
    return {"sourcedId": one, "name": f"The {one}", "type": "school", **values}


def session(one: str, **values: str) -> Row:
    dates = {"startDate": "2026-08-01", "endDate": "2027-06-30", "schoolYear": "2027"}
    return {"sourcedId": one, "title": one, "type": "term", **dates, **values}


def class_(one: str, **values: str) -> Row:
    home = {"courseSourcedId": "course", "schoolSourcedId": "school", "termSourcedIds": "term,year"}
    return {"sourcedId": one, "title": one, "classType": "scheduled", **home, **values}


def user(one: str, **values: str) -> Row:
    return {
        "sourcedId": one,
        "enabledUser": "true",
        "username": one,
        "givenName": one,
        "familyName": "Reyes",
        **values,
    }


def role(who: str, word: str) -> Row:
    return {
        "sourcedId": f"r-{who}",
        "userSourcedId": who,
        "roleType": "primary",
        "role": word,
        "orgSourcedId": "school",
    }


def enrollment(one: str, who: str, **values: str) -> Row:
    ends = {"classSourcedId": "class", "schoolSourcedId": "school", "userSourcedId": who, "role": "student"}
    return {"sourcedId": one, **ends, **values}


def marked(row: Row, status: str = "active") -> Row:
    return {**row, "status": status, "dateLastModified": MOMENT}


def plan_of(roster: Roster) -> list[dict[str, Any]]:
    """The rows of the last plan, JSON read."""
    with duckdb.connect() as connection:
        answer = connection.execute(f"SELECT * FROM read_parquet('{roster.plan}') ORDER BY number")
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    for row in rows:
        for column in ("before", "after", "refs", "changed"):
            row[column] = json.loads(row[column]) if row[column] else None
    return rows


def stored(roster: Roster, collection: str) -> dict[str, dict[str, Any]]:
    """The accepted records of a collection by source id."""
    with duckdb.connect() as connection:
        answer = connection.execute(
            f"SELECT * FROM read_parquet('{roster.accepted / f'{collection}.parquet'}')"
        )
        names = [column[0] for column in answer.description]
        return {row[1]: dict(zip(names, row, strict=True)) for row in answer.fetchall()}


def alive(roster: Roster, collection: str) -> set[str]:
    return {one for one, record in stored(roster, collection).items() if record["status"] == "active"}


def codes(roster: Roster) -> dict[str, int]:
    return {code.code: total for code, _, total, _ in roster.findings.by_code()}


def test_a_first_delivery_creates_everything_with_references_resolved(roster: Roster):
    counts = roster.deliver(riverbend())
    assert {collection: actions["create"] for collection, actions in counts.items()} == {
        collection: len(rows) for collection, rows in riverbend().items()
    }
    rows = plan_of(roster)
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["collection"] for row in rows] == sorted(
        (row["collection"] for row in rows), key=LOAD_ORDER.index
    )
    by_id = {(row["collection"], row["source_id"]): row for row in rows}
    ids = {key: row["record_id"] for key, row in by_id.items()}
    assert by_id["classes", "class"]["refs"] == {
        "courseSourcedId": ids["courses", "course"],
        "schoolSourcedId": ids["orgs", "school"],
        "termSourcedIds": [ids["academicSessions", "term"], ids["academicSessions", "year"]],
    }
    assert by_id["users", "ana"]["refs"]["agentSourcedIds"] == [ids["users", "mother"]]
    assert by_id["demographics", "ana"]["refs"] == {"sourcedId": ids["users", "ana"]}
    assert by_id["orgs", "district"]["after"] == {
        "name": "The district", "type": "district", "identifier": None, "parentSourcedId": None, "metadata": None,
    }  # fmt: skip
    assert by_id["enrollments", "e-b"]["line"] == 4


def test_what_is_created_is_the_same_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole, pieces = Roster(tmp_path / "whole"), Roster(tmp_path / "pieces")
    whole.deliver(riverbend())
    monkeypatch.setattr("rollbook.engine.differences.PIECE", 2)
    monkeypatch.setattr("rollbook.engine.changes.TOGETHER", 0)
    pieces.deliver(riverbend())
    assert plan_of(pieces) == plan_of(whole) != []
    assert len(list(pieces.plan.iterdir())) > len(list(whole.plan.iterdir()))


def test_the_same_package_in_another_order_changes_nothing(roster: Roster):
    roster.deliver(riverbend())
    again = {name: list(reversed(rows)) for name, rows in riverbend().items()}
    assert roster.deliver(again) == {}
    assert plan_of(roster) == []


def test_the_fingerprint_and_the_ids_do_not_depend_on_the_order_of_rows(tmp_path: Path):
    one, other = Roster(tmp_path / "one"), Roster(tmp_path / "other")
    reverse = {name: list(reversed(rows)) for name, rows in riverbend().items()}
    first = one.take(write_package(tmp_path / "a", riverbend()))
    second = other.take(write_package(tmp_path / "b", reverse))
    assert first.fingerprint == second.fingerprint
    assert [row["record_id"] for row in plan_of(one)] == [row["record_id"] for row in plan_of(other)]
    changed = riverbend(users=[*riverbend()["users"], user("new")])
    assert (
        Roster(tmp_path / "third").take(write_package(tmp_path / "c", changed)).fingerprint
        != first.fingerprint
    )


def test_a_changed_record_says_what_it_was_and_what_changed(roster: Roster):
    roster.deliver(riverbend())
    changed = riverbend(courses=[{"sourcedId": "course", "title": "Algebra I", "orgSourcedId": "school"}])
    assert roster.deliver(changed) == {"courses": {"update": 1}}
    (row,) = plan_of(roster)
    assert row["changed"] == ["title", "orgSourcedId"]
    assert (row["before"]["title"], row["after"]["title"]) == ("Algebra", "Algebra I")
    assert stored(roster, "courses")["course"]["title"] == "Algebra I"


def test_a_record_missing_from_a_bulk_file_is_deleted_and_comes_back(roster: Roster):
    roster.deliver(riverbend())
    whole = riverbend()
    without = riverbend(enrollments=whole["enrollments"][:2])
    assert roster.deliver(without) == {"enrollments": {"delete": 1}}
    (row,) = plan_of(roster)
    assert (row["source_id"], row["after"], row["reason"]) == ("e-b", None, "missing from the file")
    gone = stored(roster, "enrollments")["e-b"]
    assert (gone["status"], gone["userSourcedId"]) == ("tobedeleted", "ben")
    assert roster.deliver(whole) == {"enrollments": {"restore": 1}}
    assert stored(roster, "enrollments")["e-b"]["record_id"] == gone["record_id"]
    assert "e-b" in alive(roster, "enrollments")


def test_deletions_come_last_and_backwards(roster: Roster):
    roster.deliver(riverbend())
    whole = riverbend()
    fewer = riverbend(users=[*whole["users"][:2], whole["users"][3], user("new")], roles=whole["roles"][:2])
    fewer["enrollments"] = whole["enrollments"][:2]
    roster.deliver(fewer)
    assert [(row["collection"], row["action"]) for row in plan_of(roster)] == [
        ("users", "create"), ("enrollments", "delete"), ("roles", "delete"), ("users", "delete"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "broken", ["Dent,Jr,ben", 'The "Ben",ben', "Dent\0,ben"], ids=["comma", "quote", "NUL"]
)
def test_where_the_id_does_not_begin_a_broken_line_nobody_knows_whose_it_is(
    roster: Roster, tmp_path: Path, broken: str
):
    """A comma too many moves what is behind it: what stands in the id's place may be anything, and so absence says nothing."""
    roster.deliver(riverbend())
    people = [user("teacher"), user("ana", agentSourcedIds="mother"), user("ben"), user("mother")]
    package = write_package(tmp_path / "moved", riverbend(users=people))
    columns = ("familyName", "sourcedId", "enabledUser", "username", "givenName")
    write_table(package, "users", columns, people)
    text = (package / "users.csv").read_text(encoding="utf-8")
    assert "Reyes,ben," in text
    (package / "users.csv").write_text(text.replace("Reyes,ben,", f"{broken},"), encoding="utf-8")
    counts = roster.take(package).counts
    assert "delete" not in counts.get("users", {})
    assert stored(roster, "users")["ben"]["status"] == "active"


def test_in_a_delta_absence_says_nothing(roster: Roster):
    roster.deliver(riverbend())
    assert roster.deliver({"users": [marked(user("ben", email="ben@riverbend.example"))]}, "delta") == {
        "users": {"update": 1}
    }
    assert roster.deliver({"enrollments": [marked(enrollment("e-a", "ana"), "tobedeleted")]}, "delta") == {
        "enrollments": {"delete": 1}
    }
    assert alive(roster, "enrollments") == {"e-t", "e-b"}
    assert roster.deliver({"enrollments": [marked(enrollment("e-x", "ana"), "tobedeleted")]}, "delta") == {}


def test_a_delta_may_refer_to_what_is_stored_but_not_to_what_is_gone(roster: Roster):
    roster.deliver(riverbend())
    assert roster.deliver({"enrollments": [marked(enrollment("e-m", "mother"))]}, "delta") == {
        "enrollments": {"create": 1}
    }
    roster.deliver({"users": [marked(user("ben"), "tobedeleted")]}, "delta")
    assert roster.deliver({"enrollments": [marked(enrollment("e-n", "ben"))]}, "delta") == {}
    assert codes(roster) == {"reference": 1}
    assert roster.deliver({"enrollments": [marked(enrollment("e-n", "nobody"))]}, "delta") == {}
    assert codes(roster) == {"reference": 1}


def test_a_deleted_record_and_a_reference_to_it_in_one_delivery_do_not_go_together(roster: Roster):
    roster.deliver(riverbend())
    both = {"users": [marked(user("ben"), "tobedeleted")], "enrollments": [marked(enrollment("e-n", "ben"))]}
    assert roster.deliver(both, "delta") == {"users": {"delete": 1}}
    assert codes(roster) == {"reference": 1}


def test_a_file_that_is_not_in_the_package_is_not_touched(roster: Roster):
    roster.deliver(riverbend())
    assert roster.deliver({"orgs": riverbend()["orgs"]}) == {}
    assert len(alive(roster, "enrollments")) == 3


def test_a_record_in_error_keeps_its_stored_version_and_its_dependants_go_on(roster: Roster):
    roster.deliver(riverbend())
    broken = riverbend(classes=[class_("class", title="Renamed", classType="nonsense")])
    broken["enrollments"] = [*broken["enrollments"], enrollment("e-m", "mother")]
    summary = roster.take(write_package(roster.folder / "broken", broken))
    assert summary.counts == {"enrollments": {"create": 1}}
    assert summary.held == {"classes": 1}
    assert stored(roster, "classes")["class"]["title"] == "class"
    assert alive(roster, "classes") == {"class"}


def test_one_never_stored_makes_its_dependants_wait_until_it_is_sound(roster: Roster):
    broken = riverbend(courses=[{"sourcedId": "course", "title": "", "orgSourcedId": "district"}])
    summary = roster.take(write_package(roster.folder / "broken", broken))
    assert "courses" not in summary.counts
    assert "classes" not in summary.counts
    assert "enrollments" not in summary.counts
    assert summary.held == {"courses": 1, "classes": 1, "enrollments": 3}
    assert codes(roster) == {"required": 1, "waiting": 1, NO_ROLE: 1}
    [cause] = [one for one in roster.findings if one.code == "waiting"]
    assert (cause.file, cause.line, cause.value, cause.count) == ("courses.csv", 2, "course", 4)
    assert cause.message.startswith("1 record of classes.csv and 3 of enrollments.csv wait for 'course'")
    assert roster.deliver(riverbend()) == {
        "courses": {"create": 1}, "classes": {"create": 1}, "enrollments": {"create": 3},
    }  # fmt: skip


def test_waiting_goes_through_references_inside_a_file(roster: Roster):
    rows = [org("a", type="nonsense"), org("b", parentSourcedId="a"), org("c", parentSourcedId="b"), org("d")]
    assert roster.deliver({"orgs": rows}) == {"orgs": {"create": 1}}
    assert codes(roster) == {"enum": 1, "waiting": 1}
    assert [one.count for one in roster.findings if one.code == "waiting"] == [2]


def test_a_stored_record_that_comes_to_wait_is_not_deleted(roster: Roster):
    roster.deliver(riverbend())
    moved = riverbend(classes=[class_("class"), class_("other", classType="nonsense")])
    moved["enrollments"] = [*moved["enrollments"][:2], enrollment("e-b", "ben", classSourcedId="other")]
    assert roster.deliver(moved) == {}
    assert stored(roster, "enrollments")["e-b"]["classSourcedId"] == "class"
    assert len(alive(roster, "enrollments")) == 3


def test_duplicates_are_all_in_error_and_none_is_deleted(roster: Roster):
    roster.deliver(riverbend())
    twice = riverbend(users=[*riverbend()["users"], user("ben", givenName="Benjamin")])
    assert roster.deliver(twice) == {}
    assert codes(roster) == {"duplicate": 2, NO_ROLE: 1}
    assert "ben" in alive(roster, "users")


def test_a_broken_line_is_not_a_deletion(roster: Roster):
    roster.deliver(riverbend())
    package = write_package(roster.folder / "broken", riverbend())
    users = package / "users.csv"
    users.write_text(users.read_text().replace("true,ben,,ben,Reyes", "true,ben,,ben, Jr.,Reyes"))
    assert roster.take(package).counts == {}
    assert codes(roster) == {"csv-columns": 1, NO_ROLE: 1}
    assert "ben" in alive(roster, "users")


def test_where_a_line_is_lost_nothing_counts_as_missing(roster: Roster):
    roster.deliver(riverbend())
    package = write_package(roster.folder / "broken", riverbend(enrollments=riverbend()["enrollments"][:2]))
    with (package / "enrollments.csv").open("a") as file:
        file.write('"e-b,,,class,school,ben,student,,,\r\n')
    assert roster.take(package).counts == {}
    assert codes(roster) == {"csv-quote": 1, NO_ROLE: 1}
    nameless = riverbend(enrollments=[*riverbend()["enrollments"][:2], enrollment("", "ben")])
    assert roster.deliver(nameless) == {}
    assert len(alive(roster, "enrollments")) == 3


def test_a_column_that_is_not_in_the_file_leaves_what_is_stored(roster: Roster):
    roster.deliver(
        riverbend(
            orgs=[
                org("district", type="district", identifier="D-1"),
                org("school", parentSourcedId="district"),
            ]
        )
    )
    package = write_package(roster.folder / "narrow", {"orgs": []})
    rows = [org("district", type="district", name="Renamed"), org("school", parentSourcedId="district")]
    write_table(
        package, "orgs", ["sourcedId", "status", "dateLastModified", "name", "type", "parentSourcedId"], rows
    )
    assert roster.take(package).counts == {"orgs": {"update": 1}}
    assert plan_of(roster)[0]["changed"] == ["name"]
    assert stored(roster, "orgs")["district"]["identifier"] == "D-1"
    assert roster.take(package).counts == {}
    assert roster.deliver({"orgs": rows}) == {"orgs": {"update": 1}}
    assert stored(roster, "orgs")["district"]["identifier"] is None


def test_metadata_is_kept_by_name(roster: Roster):
    mine = {"metadata.b": "2", "metadata.a": 'say "hi"'}
    roster.deliver({"orgs": [org("one", **mine), org("two", **{"metadata.a": "1"})]})
    assert json.loads(stored(roster, "orgs")["one"]["metadata"]) == {"a": 'say "hi"', "b": "2"}
    assert roster.deliver(
        {"orgs": [org("one", **{"metadata.b": "2"}), org("two", **{"metadata.b": "9"})]}
    ) == {"orgs": {"update": 1}}
    assert json.loads(stored(roster, "orgs")["two"]["metadata"]) == {"a": "1", "b": "9"}
    assert roster.deliver({"orgs": [org("one"), org("two")]}) == {}
    assert roster.deliver({"orgs": [org("one", **mine), org("two", **{"metadata.b": "9"})]}) == {
        "orgs": {"update": 1}
    }
    assert json.loads(stored(roster, "orgs")["two"]["metadata"]) == {"b": "9"}


def test_a_file_without_records_is_accepted_into_an_empty_district_alone(roster: Roster):
    summary = roster.take(write_package(roster.folder / "empty", {"orgs": [], "users": []}))
    assert summary.empty
    assert codes(roster) == {"file-empty-accepted": 2}
    roster.deliver(riverbend())
    summary = roster.take(write_package(roster.folder / "emptied", riverbend(users=[])))
    assert summary.counts == {}
    assert not summary.empty
    assert codes(roster) == {"file-empty": 1}


def test_tobedeleted_is_honoured_in_a_bulk_file(roster: Roster):
    roster.deliver(riverbend())
    rows = riverbend()["enrollments"]
    assert roster.deliver(
        riverbend(enrollments=[marked(rows[0], "ToBeDeleted"), *map(marked, rows[1:])])
    ) == {"enrollments": {"delete": 1}}
    assert codes(roster) == {"bulk-lifecycle": 3, "enum-case": 1, "class-without-teacher": 1, NO_ROLE: 1}


def old_user(one: str, word: str, orgs_of: str, **values: str) -> Row:
    return {**user(one), "role": word, "orgSourcedIds": orgs_of, **values}


def v1p1(**changed: list[Row]) -> Mapping[str, list[Row]]:
    tables = riverbend(
        users=[
            old_user("teacher", "teacher", "school,district"),
            old_user("ana", "student", "school"),
            old_user("ben", "student", "school"),
            old_user("boss", "administrator", "district,school"),
        ]
    )
    del tables["roles"]
    return {**tables, **changed}


def test_roles_follow_from_the_users_of_a_1_1_package(roster: Roster):
    roster.deliver(v1p1(), version="1.1")
    types = {"district": "district", "school": "school"}
    expected = {
        row["sourcedId"]: row
        for row in v1p1()["users"]
        for row in roles_of_v1p1_user(row["sourcedId"], row["role"], row["orgSourcedIds"].split(","), types)
    }
    found = stored(roster, "roles")
    assert found.keys() == expected.keys()
    for one, row in expected.items():
        assert {key: found[one][key] for key in row if key != "sourcedId"} == {
            key: value for key, value in row.items() if key != "sourcedId"
        }
    assert stored(roster, "users")["boss"]["primaryOrgSourcedId"] == "district"
    assert roster.deliver(v1p1(), version="1.1") == {}


def test_derived_roles_come_and_go_with_the_orgs_of_their_user(roster: Roster):
    roster.deliver(v1p1(), version="1.1")
    moved = marked(old_user("teacher", "teacher", "school"))
    assert roster.deliver({"users": [moved]}, "delta", "1.1") == {"roles": {"delete": 1}}
    gone = marked(old_user("boss", "administrator", "district"), "tobedeleted")
    assert roster.deliver({"users": [gone]}, "delta", "1.1") == {
        "users": {"delete": 1},
        "roles": {"delete": 2},
    }
    assert len(alive(roster, "roles")) == 3


def test_derived_roles_of_a_user_in_error_stay(roster: Roster):
    roster.deliver(v1p1(), version="1.1")
    rows = [old_user("teacher", "nonsense", "school"), *v1p1()["users"][1:]]
    assert roster.deliver(v1p1(users=rows), version="1.1") == {}
    assert len(alive(roster, "roles")) == 6


def test_what_the_database_says_rebuilds_the_same_snapshot(roster: Roster, tmp_path: Path):
    tables = riverbend(
        orgs=[
            org("district", type="district", **{"metadata.b": "ü", "metadata.a": '"x", y'}),
            *orgs("school"),
        ]
    )
    roster.deliver(tables)
    rebuilt = tmp_path / "rebuilt"
    for collection in LOAD_ORDER:
        if (roster.accepted / f"{collection}.parquet").exists():
            rebuild_accepted(
                rebuilt, collection, [from_database(row) for row in stored(roster, collection).values()]
            )
    roster.accepted = rebuilt
    assert roster.deliver(tables) == {}


def from_database(row: Mapping[str, Any]) -> dict[str, Any]:
    """As a store would hand a row over: typed lists, booleans and metadata."""
    found = {key: value for key, value in row.items() if key not in ("line", "digest", "id_digest")}
    for name, value in found.items():
        if name in ("termSourcedIds", "agentSourcedIds", "grades") and value:
            found[name] = value.split(",")
        if name == "enabledUser":
            found[name] = value == "true"
        if name == "metadata" and value:
            found[name] = dict(reversed(json.loads(value).items()))
    return found


def test_passwords_are_not_kept(roster: Roster):
    profile = {
        "sourcedId": "p",
        "userSourcedId": "ana",
        "profileType": "x",
        "vendorId": "v",
        "credentialType": "c",
        "username": "ana",
    }
    tables = riverbend(users=[user(one, password="hunter2") for one in ("teacher", "ana", "ben", "mother")])
    roster.deliver({**tables, "userProfiles": [{**profile, "password": "hunter2"}]})
    for path in [roster.plan, *roster.accepted.iterdir()]:
        with duckdb.connect() as connection:
            text = connection.execute(
                f"SELECT string_agg(t::VARCHAR, '') FROM read_parquet('{path}') t"
            ).fetchone()
        assert text is not None
        assert "hunter2" not in (text[0] or "")
