"""A package may refer to what the district's other connections serve; what is its own comes first, and what nobody has is dangling."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pytest

from rollbook.engine.elsewhere import Neighbour
from tests.engine.packages import Roster, Row
from tests.engine.test_plan import MOMENT, class_, enrollment, riverbend, role, session, user

SERVED = {
    "orgs": {"north": (901, "school"), "office": (902, "district"), "school": (903, "school")},
    "classes": {"latin": (911, "")},
    "users": {"uma": (921, ""), "ana": (922, "")},
}


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    """Of one connection, in a district where another one serves `SERVED`."""
    roster = Roster(tmp_path)
    roster.elsewhere = served
    return roster


def served(collection: str, ids: Sequence[str]) -> Iterable[Neighbour]:
    known = SERVED.get(collection, {})
    return [(one, *known[one]) for one in ids if one in known]


def refs(roster: Roster) -> dict[str, dict[str, object]]:
    """The record ids that each created or changed record of the last plan refers to, by its id."""
    rows = (
        duckdb.sql(f"SELECT source_id, refs FROM read_parquet('{roster.plan}/*.parquet')").fetchall()
        if roster.plan.is_dir()
        else duckdb.sql(f"SELECT source_id, refs FROM read_parquet('{roster.plan}')").fetchall()
    )
    return {source_id: json.loads(found) for source_id, found in rows if found}


def marked(row: Row) -> Row:
    return {**row, "status": "active", "dateLastModified": MOMENT}


def at(row: Row, **values: str) -> Row:
    return {**row, **values}


def test_a_delta_refers_to_a_class_and_a_school_of_another_connection(roster: Roster):
    entry = at(enrollment("e-1", "uma"), classSourcedId="latin", schoolSourcedId="north")
    assert roster.deliver({"enrollments": [marked(entry)]}, "delta") == {"enrollments": {"create": 1}}
    assert refs(roster)["e-1"] == {"classSourcedId": 911, "schoolSourcedId": 901, "userSourcedId": 921}
    assert not roster.findings.failed


def test_a_list_keeps_its_order_over_both_connections(roster: Roster):
    people = [user("mother"), user("child", agentSourcedIds="uma,mother,ana")]
    roster.deliver({"users": [marked(one) for one in people]}, "delta")
    mother = next(number for number, one in enumerate(("child", "mother"), 1) if one == "mother")
    assert refs(roster)["child"]["agentSourcedIds"] == [921, mother, 922]


def test_what_is_delivered_or_stored_by_itself_comes_first(roster: Roster):
    roster.deliver(riverbend())
    own = refs(roster)
    assert own["e-a"]["userSourcedId"] == 1
    assert own["e-a"]["schoolSourcedId"] == 2
    roster.deliver({"enrollments": [marked(enrollment("e-2", "ana"))]}, "delta")
    assert refs(roster)["e-2"]["userSourcedId"] == 1


def test_what_a_full_delivery_no_longer_has_is_not_taken_from_elsewhere(roster: Roster):
    roster.deliver(riverbend())
    without = riverbend(users=[user("teacher"), user("ben"), user("mother")])
    roster.deliver(without)
    assert ("reference", "roles.csv") in roster.findings.totals


def test_a_full_delivery_may_refer_to_the_schools_of_another_connection(roster: Roster):
    tables = {
        "courses": [{"sourcedId": "course", "title": "Latin", "orgSourcedId": "office"}],
        "academicSessions": [session("term")],
        "classes": [at(class_("own"), schoolSourcedId="north", termSourcedIds="term")],
    }
    roster.deliver(tables)
    assert refs(roster)["course"]["orgSourcedId"] == 902
    assert refs(roster)["own"] == {"courseSourcedId": 1, "schoolSourcedId": 901, "termSourcedIds": [1]}


def test_what_nobody_serves_is_dangling(roster: Roster):
    entry = at(enrollment("e-1", "uma"), classSourcedId="greek", schoolSourcedId="north")
    assert roster.deliver({"enrollments": [marked(entry)]}, "delta") == {}
    [found] = [one for one in roster.findings if one.code == "reference"]
    assert (found.field, found.value) == ("classSourcedId", "greek")


def test_in_a_district_with_one_connection_nothing_is_asked_for(roster: Roster):
    roster.elsewhere = None
    entry = at(enrollment("e-1", "uma"), classSourcedId="latin", schoolSourcedId="north")
    assert roster.deliver({"enrollments": [marked(entry)]}, "delta") == {}


def test_administrators_of_1_1_are_named_by_the_kind_of_an_org_of_another_connection(roster: Roster):
    person: Row = {
        "sourcedId": "head", "enabledUser": "true", "orgSourcedIds": "office", "role": "administrator", "username": "head",
        "givenName": "Ada", "familyName": "Reyes", "status": "active", "dateLastModified": MOMENT,
    }  # fmt: skip
    roster.deliver({"users": [person]}, "delta", version="1.1")
    rows = duckdb.sql(
        f"SELECT after->>'role' FROM read_parquet('{roster.plan}/*.parquet') WHERE collection = 'roles'"
    ).fetchall()
    assert rows == [("districtAdministrator",)]


def test_a_role_at_an_org_of_another_connection_is_stored_once(roster: Roster):
    tables = {
        "users": [marked(user("new"))],
        "roles": [marked(at(role("new", "teacher"), orgSourcedId="north"))],
    }
    assert roster.deliver(tables, "delta") == {"users": {"create": 1}, "roles": {"create": 1}}
    assert roster.deliver(tables, "delta") == {}
