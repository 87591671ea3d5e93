"""Who would lose what by a held part of a plan: who loses most comes first, whatever takes it away."""

from collections.abc import Collection, Mapping
from pathlib import Path

from rollbook.engine.sync.candidate_file import (
    CANDIDATES,
    candidate_ids,
    candidate_of,
    candidate_page,
    write_candidates,
)
from rollbook.engine.sync.losing import (
    LOSSES,
    Losses,
    Memberships,
    contained,
    loss_page,
    loss_sums,
    write_losses,
)
from rollbook.engine.sync.operations import ARCHIVE, CREATE, GROUPS, MEMBERS, MEMBERSHIPS, UPDATE, Operation

IN: Mapping[str, tuple[str, str]] = {
    "m1": ("anna", "g1"), "m2": ("bo", "g1"), "m3": ("bo", "g2"), "m4": ("cy", "g2"), "m5": ("dee", "g1"),
}  # fmt: skip
"""{membership: (member, group)}"""


def counted(column: int | None, ids: Collection[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, pair in IN.items():
        if (number if column is None else pair[column]) in ids:
            found[pair[0]] = found.get(pair[0], 0) + 1
    return found


DIRECTORY = Memberships(
    lambda ids: counted(None, ids), lambda ids: counted(0, ids), lambda ids: counted(1, ids)
)


def archived(member: str, state: str = "inactive", *roles: str) -> Operation:
    return Operation(1, ARCHIVE, MEMBERS, member, member, before={"state": state, "roles": roles})


def losses(*operations: Operation) -> Losses:
    found = Losses(frozenset({"administrator"}))
    for operation in operations:
        found.take(operation)
    return found


def test_the_right_to_administer_weighs_most_then_a_seat_then_all_that_goes_along() -> None:
    found = losses(
        archived("bo"),
        archived("cy", "active"),
        Operation(
            1,
            UPDATE,
            MEMBERS,
            "dee",
            "dee",
            {"roles": ("administrator",)},
            {"roles": ("teacher",)},
            ("roles",),
        ),
        Operation(1, ARCHIVE, MEMBERSHIPS, "e1", "m1"),
        Operation(1, ARCHIVE, MEMBERSHIPS, "e2", "m2"),
        Operation(1, CREATE, MEMBERS, "new", "+new"),
    ).ranked(DIRECTORY)
    assert [(one.member, one.memberships, one.archived, one.seat, one.administrator) for one in found] == [
        ("dee", 0, False, False, True),
        ("cy", 1, True, True, False),
        ("bo", 2, True, False, False),
        ("anna", 1, False, False, False),
    ]


def test_a_class_takes_everybody_out_who_is_in_it() -> None:
    found = losses(Operation(1, ARCHIVE, GROUPS, "c1", "g1")).ranked(DIRECTORY)
    assert {one.member: one.memberships for one in found} == {"anna": 1, "bo": 1, "dee": 1}


def test_they_are_kept_by_hazard_and_paged(tmp_path: Path) -> None:
    all_of_them = losses(archived("bo"), archived("cy", "active"), archived("anna")).ranked(DIRECTORY)
    write_losses(
        tmp_path, [("all", all_of_them), ("some", losses(archived("bo")).ranked(DIRECTORY)), ("none", [])]
    )
    path = tmp_path / LOSSES
    assert [one.member for one in loss_page(path, "all", 0, 2)] == ["cy", "bo"]
    assert [one.member for one in loss_page(path, "all", 2, 2)] == ["anna"]
    assert loss_sums(path, "all") == {
        "members": 3,
        "memberships": 4,
        "archived": 3,
        "seats": 1,
        "administrators": 0,
    }
    assert loss_sums(path, "none")["members"] == 0
    assert (contained(path, "all"), contained(path, "some")) == (["some"], [])


def test_candidates_are_searched_and_paged_without_those_who_have_an_account(tmp_path: Path) -> None:
    names = ("Ana Ames", "Bo Bell", "Çelik Ümit", "Bo Cole")
    rows = [
        {
            "source_id": f"t{place}", "given_name": name.split()[0], "family_name": name.split()[1], "email": "",
            "roster_roles": ("teacher",), "roles": ("teacher",), "sites": (), "classes": ('Maths "A"',),
        }
        for place, name in enumerate(names)
    ]  # fmt: skip
    assert write_candidates(tmp_path, rows) == 4
    path = tmp_path / CANDIDATES
    assert [one["source_id"] for one in candidate_page(path, limit=2)] == ["t0", "t1"]
    assert [one["source_id"] for one in candidate_page(path, after=2)] == ["t2", "t3"]
    assert [one["source_id"] for one in candidate_page(path, "BO", without=["t1"])] == ["t3"]
    assert candidate_ids(path, "ümit çel") == ["t2"]
    found = candidate_of(path, "t2")
    assert found is not None
    assert found["classes"] == ('Maths "A"',)
    assert candidate_of(path, "nobody") is None
