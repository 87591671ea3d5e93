"""Ids that another connection has: what lives there is left alone and referred to; what is deleted there goes to whoever delivers it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from rollbook.engine import owners
from rollbook.engine.elsewhere import Neighbour, Owner
from tests.engine.packages import Roster
from tests.engine.test_plan import enrollment, org, plan_of, riverbend, session, stored, user

LIVING = {("orgs", "district"): 901, ("users", "ben"): 902}
DELETED = {("users", "ana"): 903, ("enrollments", "e-a"): 904, ("demographics", "ana"): 905}


@pytest.fixture(params=[owners.FEW, 0], ids=["asked for one by one", "all read"])
def roster(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Roster:
    """Of one connection, in a district where another has `LIVING` records, and deleted ones."""
    monkeypatch.setattr(owners, "FEW", request.param)
    roster = Roster(tmp_path)
    roster.owners, roster.elsewhere = others, served
    return roster


def others(collection: str, ids: Sequence[str] | None) -> Iterable[Owner]:
    for known, living in ((LIVING, True), (DELETED, False)):
        for (kind, one), number in known.items():
            if kind == collection and (ids is None or one in ids):
                yield one, number, living, "The other SIS"


def served(collection: str, ids: Sequence[str]) -> Iterable[Neighbour]:
    return [(one, LIVING[collection, one], "") for one in ids if (collection, one) in LIVING]


def changes(roster: Roster) -> dict[tuple[str, str], dict]:
    return {(row["collection"], row["source_id"]): row for row in plan_of(roster)}


@pytest.fixture
def delivered(roster: Roster) -> Roster:
    roster.deliver(riverbend())
    roster.plan = roster.plan / "*.parquet"
    return roster


def test_what_lives_elsewhere_is_held_back_and_named_with_its_line(delivered: Roster):
    found = [one for one in delivered.findings if one.code == "id-taken"]
    assert [(one.file, one.line, one.source_id) for one in found] == [
        ("orgs.csv", 2, "district"),
        ("users.csv", 4, "ben"),
    ]
    assert all("“The other SIS”" in one.message for one in found)
    assert not {("orgs", "district"), ("users", "ben")} & set(changes(delivered))
    assert "district" not in stored(delivered, "orgs")


def test_what_refers_to_it_refers_to_the_one_that_lives(delivered: Roster):
    made = changes(delivered)
    assert made["orgs", "school"]["refs"]["parentSourcedId"] == 901
    assert made["enrollments", "e-b"]["refs"]["userSourcedId"] == 902
    assert made["roles", "r-ben"]["refs"]["userSourcedId"] == 902


def test_what_is_deleted_elsewhere_comes_back_as_the_record_it_was(delivered: Roster):
    made = changes(delivered)
    for (collection, one), number in DELETED.items():
        assert (made[collection, one]["action"], made[collection, one]["record_id"]) == ("restore", number)
        assert (stored(delivered, collection)[one]["record_id"], stored(delivered, collection)[one]["status"]) == (
            number, "active",
        )  # fmt: skip
    assert made["users", "ana"]["after"]["givenName"] == "ana"
    assert made["enrollments", "e-a"]["refs"]["userSourcedId"] == 903
    assert made["users", "mother"]["action"] == "create"


def test_the_next_night_nothing_changes_and_nobody_is_asked_for_what_is_known(delivered: Roster):
    def now(collection: str, ids: Sequence[str] | None) -> Iterable[Owner]:
        assert ids is None or not set(ids) & {one for _, one in DELETED}
        return [*others(collection, ids)]

    delivered.owners = now
    assert delivered.deliver(riverbend()) == {}


def test_what_went_to_another_is_referred_to_there(roster: Roster):
    """Ben's record is deleted here and then lives elsewhere: his enrollment here goes on."""
    roster.owners = roster.elsewhere = None
    roster.deliver(riverbend())
    without = riverbend(users=[user("teacher"), user("ana"), user("mother")])
    without = without | {"roles": without["roles"][:2], "enrollments": without["enrollments"][:2]}
    roster.deliver(without)
    assert stored(roster, "users")["ben"]["status"] == "tobedeleted"
    roster.owners, roster.elsewhere = others, served
    roster.deliver(without | {"enrollments": [*without["enrollments"], enrollment("e-new", "ben")]})
    roster.plan = roster.plan / "*.parquet"
    assert changes(roster)["enrollments", "e-new"]["refs"]["userSourcedId"] == 902
    roster.deliver(riverbend())
    roster.plan = roster.plan / "*.parquet"
    assert [one.source_id for one in roster.findings if one.code == "id-taken"] == ["ben"]
    assert ("users", "ben") not in changes(roster)


def test_a_package_of_1_1_leaves_the_roles_of_the_held_alone(roster: Roster):
    people = [{**user(one), "role": "student", "orgSourcedIds": "school"} for one in ("ben", "ada")]
    tables = {"orgs": [org("school")], "academicSessions": [session("term")], "users": people}
    counts = roster.deliver(tables, version="1.1")
    assert counts["users"] == {"create": 1}
    assert counts["roles"] == {"create": 1}
