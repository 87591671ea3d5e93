"""Deliveries that only add: what comes and what changes goes on, what would be deleted is counted and stays."""

from pathlib import Path

import pytest

from tests.engine.packages import Roster, write_package
from tests.engine.test_plan import enrollment, marked, plan_of, riverbend, user


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    return Roster(tmp_path)


def test_what_is_gone_stays_what_changes_and_comes_goes_on(roster: Roster, tmp_path: Path):
    roster.deliver(riverbend())
    smaller = riverbend(
        users=[user("teacher", givenName="Thea"), user("ana"), user("mother"), user("cleo")],
        roles=riverbend()["roles"][:2],
        enrollments=[enrollment("e-t", "teacher", role="teacher"), enrollment("e-c", "cleo")],
        demographics=[{"sourcedId": "mother", "birthDate": "1980-05-01"}],
    )
    package = write_package(tmp_path / "smaller", smaller)
    summary = roster.take(package, only_adds=True)
    assert summary.counts == {
        "users": {"create": 1, "update": 2},
        "enrollments": {"create": 1},
        "demographics": {"create": 1},
    }
    assert summary.left_out == {"users": 1, "roles": 1, "enrollments": 2, "demographics": 1}
    assert {row["action"] for row in plan_of(roster)} == {"create", "update"}
    again = roster.take(package, only_adds=True)
    assert (again.counts, again.left_out) == ({}, summary.left_out)
    afterwards = roster.take(package)
    assert afterwards.counts == {one: {"delete": number} for one, number in summary.left_out.items()}
    assert afterwards.left_out == {}


def test_what_came_back_meanwhile_is_not_deleted_afterwards(roster: Roster, tmp_path: Path):
    roster.deliver(riverbend())
    without = write_package(tmp_path / "without", riverbend(enrollments=riverbend()["enrollments"][:2]))
    assert roster.take(without, only_adds=True).left_out == {"enrollments": 1}
    assert roster.deliver(riverbend()) == {}


def test_a_delta_says_who_goes_and_they_stay(roster: Roster, tmp_path: Path):
    roster.deliver(riverbend())
    delta = write_package(
        tmp_path / "delta", {"enrollments": [marked(enrollment("e-b", "ben"), "tobedeleted")]}, "delta"
    )
    summary = roster.take(delta, only_adds=True)
    assert (summary.counts, summary.left_out) == ({}, {"enrollments": 1})


def test_derived_roles_stay_too(roster: Roster, tmp_path: Path):
    def person(role: str) -> dict[str, str]:
        return {**user("ana"), "orgSourcedIds": "school", "role": role}

    orgs = riverbend()["orgs"]
    roster.take(write_package(tmp_path / "one", {"orgs": orgs, "users": [person("student")]}, version="1.1"))
    summary = roster.take(
        write_package(tmp_path / "two", {"orgs": orgs, "users": [person("teacher")]}, version="1.1"),
        only_adds=True,
    )
    assert summary.counts == {"roles": {"create": 1}}
    assert summary.left_out == {"roles": 1}


def test_a_plan_says_what_kind_of_delivery_it_was(roster: Roster, tmp_path: Path):
    package = write_package(tmp_path / "mixed", {"orgs": riverbend()["orgs"], "users": []}, users="delta")
    assert roster.take(package).modes == {"orgs": "bulk", "users": "delta"}
