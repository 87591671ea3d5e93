"""A plan is looked at a page at a time, narrowed and searched; a page begins behind a number."""

from pathlib import Path

import pytest

from rollbook.engine.sync.operations import (
    ARCHIVE,
    CREATE,
    GROUPS,
    MEMBERS,
    SITES,
    UNOWNED,
    UPDATE,
    Operation,
    Remark,
)
from rollbook.engine.sync.plan_file import PlanWriter, write_remarks
from rollbook.engine.sync.plan_pages import (
    Narrow,
    Tally,
    by_number,
    count,
    names_in,
    new_in_state,
    operations,
    remarks,
    remarks_by_code,
    tallies,
)

PLANNED = [
    Operation(1, CREATE, SITES, "north", "+north", after={"name": "North School"}, reason="created"),
    Operation(
        2, CREATE, MEMBERS, "p1", "+p1", after={"given_name": "Pia", "state": "active"}, reason="created"
    ),
    Operation(3, UPDATE, MEMBERS, "p2", "17", {"grade": "05"}, {"grade": "06"}, ("grade",), "changed",
              base={"family_name": 'O"Dean, "state":"active"', "email": "paul@school.example"}),
    Operation(4, UPDATE, MEMBERS, "p3", "18", {"sites": ("2",)}, {"sites": ("3",)}, ("sites",), "changed", at=("2",)),
    Operation(5, CREATE, GROUPS, "c1", "+c1", after={"title": "Mathematics"}, reason="created"),
    Operation(6, ARCHIVE, MEMBERS, "", "19", reason="unowned", bundle=UNOWNED),
]  # fmt: skip


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    writer = PlanWriter(folder)
    for operation in PLANNED:
        writer(operation)
    writer.close()
    write_remarks(
        folder,
        [Remark(MEMBERS, f"g{number}", "never-a-member") for number in range(3)]
        + [Remark(GROUPS, "c9", "term-over")],
    )
    return writer.path


def numbers(plan: Path, narrow: Narrow, after: int = 0, limit: int = 50) -> list[int]:
    return [one.number for one in operations(plan, narrow, after, limit)]


@pytest.mark.parametrize(
    ("narrow", "found"),
    [
        (Narrow(), [1, 2, 3, 4, 5, 6]),
        (Narrow(kinds=(MEMBERS,), actions=(UPDATE,)), [3, 4]),
        (Narrow(moves=True), [4]),
        (Narrow(bundle=UNOWNED), [6]),
        (Narrow(reason="created", kinds=(SITES, GROUPS)), [1, 5]),
        (Narrow(search="PIA"), [2]),
        (Narrow(search="paul@"), [3]),
        (Narrow(search="nobody", targets=((MEMBERS, "19"), (GROUPS, "17"))), [6]),
        (Narrow(within=((2, 3), (6, 6))), [2, 3, 6]),
        (Narrow(within=((2, 4),), without=((3, 3),)), [2, 4]),
        (Narrow(within=()), []),
    ],
)
def test_a_plan_is_narrowed(plan: Path, narrow: Narrow, found: list[int]) -> None:
    assert numbers(plan, narrow) == found
    assert count(plan, narrow) == len(found)


def test_a_page_begins_behind_a_number_and_says_all_of_its_operations(plan: Path) -> None:
    assert operations(plan, after=2, limit=2) == PLANNED[2:4]
    assert numbers(plan, Narrow(kinds=(MEMBERS,)), after=4, limit=1) == [6]
    assert by_number(plan, [5, 1, 77]) == [PLANNED[0], PLANNED[4]]


def test_a_plan_is_counted(plan: Path) -> None:
    assert Tally(MEMBERS, UPDATE, "", True, 1) in tallies(plan)
    assert sum(one.number for one in tallies(plan)) == len(PLANNED)
    assert new_in_state(plan, "active") == 1


def test_of_a_handle_the_plan_gives_the_operation_that_tells_of_it(plan: Path) -> None:
    found = names_in(plan, {MEMBERS: ["+p1", "17", "nobody"], GROUPS: ["+p1"]})
    assert {key: one.number for key, one in found.items()} == {(MEMBERS, "+p1"): 2, (MEMBERS, "17"): 3}


def test_remarks_are_paged_by_their_place(plan: Path) -> None:
    path = plan.with_name("remarks.parquet")
    first = remarks(path, limit=2)
    assert [place for place, _ in first] == [1, 2]
    assert [one.source_id for _, one in remarks(path, after=2)] == ["g2", "c9"]
    assert [one.source_id for _, one in remarks(path, kinds=(GROUPS,))] == ["c9"]
    assert [one.source_id for _, one in remarks(path, code="never-a-member", search="G1")] == ["g1"]
    assert remarks_by_code(path) == {"never-a-member": 3, "term-over": 1}
