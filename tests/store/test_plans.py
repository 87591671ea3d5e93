"""Plans as they are looked at: what is searched is what stands in the fields, and what is taken home is no formula."""

from pathlib import Path

import pytest

from rollbook.store.plans import Narrow, csv_rows, find_changes
from tests.engine.packages import Roster
from tests.engine.test_plan import riverbend, user


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    roster = Roster(tmp_path)
    people = [
        user("teacher"),
        user("ana", middleName='Robert "Bob" Lee', familyName='=HYPERLINK("http://evil.example","x")'),
        user("ben", middleName="back\\slash", email="ben@riverbend.example"),
        user("mother"),
    ]
    roster.deliver(riverbend(users=people))
    return roster.plan


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ('"bob"', ["ana"]),
        ("back\\slash", ["ben"]),
        ("BEN@riverbend", ["ben"]),
        ("givenname", []),
        ("middleName", []),
        ("null", []),
    ],
)
def test_values_are_searched_and_not_the_names_of_fields(plan: Path, search: str, found: list[str]):
    changes = find_changes(plan, Narrow(collection="users", search=search))
    assert [one.source_id for one in changes] == found


def test_no_cell_that_is_taken_home_is_a_formula(plan: Path):
    cells = [cell for row in csv_rows(plan, Narrow(collection="users")) for cell in row]
    assert """'=HYPERLINK("http://evil.example","x")""" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
